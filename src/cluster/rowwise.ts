/** Whether each row of a gate hangs on one record alone, so that planted records among the real ones change nothing of these. */
export { isRowWise } from '../lake/tables/rowwise.js';
