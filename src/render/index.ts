import { renderCsv } from './csv.js';
import { renderGithub } from './github.js';
import { renderJson, renderJsonLines } from './json.js';
import { renderJunit } from './junit.js';
import { renderMarkdown } from './md.js';
import type { Format, Renderer } from './report.js';
import { renderTable } from './table.js';

export { filesResult, rejectsResult, renderAccounting } from './accounting.js';
export {
  type AckState,
  type Baseline,
  renderAck,
  renderAckList,
  renderBaseline,
  renderRemoved,
} from './ack.js';
export { type ErrorText, renderError } from './error.js';
export { renderFindings } from './findings.js';
export { formatNames, formatOfFile, gateFormatNames } from './format-names.js';
export { renderList } from './list.js';
export { renderNext } from './next.js';
export { renderProgress } from './progress.js';
export { renderReceipt } from './receipt.js';
export type { Format, Renderer, Report, Style } from './report.js';
export { sanitize } from './sanitize.js';
export { renderStory } from './story.js';
export { renderStoryJson } from './story-json.js';
export { renderStepSummary } from './summary.js';

export const formats: Readonly<Record<Format, Renderer>> = {
  table: renderTable,
  json: renderJson,
  jsonl: renderJsonLines,
  csv: renderCsv,
  md: renderMarkdown,
  github: renderGithub,
  junit: renderJunit,
};
