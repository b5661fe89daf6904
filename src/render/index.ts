import { renderCsv } from './csv.js';
import { renderJson, renderJsonLines } from './json.js';
import { renderMarkdown } from './md.js';
import type { Format, Renderer } from './report.js';
import { renderTable } from './table.js';

export { filesResult, rejectsResult, renderAccounting } from './accounting.js';
export { type ErrorText, renderError } from './error.js';
export { renderFindings } from './findings.js';
export { renderProgress } from './progress.js';
export { renderReceipt } from './receipt.js';
export type { Format, Renderer, Report, Style } from './report.js';
export { sanitize } from './sanitize.js';

export const formats: Readonly<Record<Format, Renderer>> = {
  table: renderTable,
  json: renderJson,
  jsonl: renderJsonLines,
  csv: renderCsv,
  md: renderMarkdown,
};

export const formatNames = Object.keys(formats) as Format[];
