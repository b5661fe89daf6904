import { renderCsv } from './csv.js';
import { renderGithub } from './github.js';
import { renderJson, renderJsonLines } from './json.js';
import { renderJunit } from './junit.js';
import { renderMarkdown } from './md.js';
import type { Format, Renderer } from './report.js';
import { renderTable } from './table.js';

export { filesResult, rejectsResult, renderAccounting } from './accounting.js';
export { renderAck } from './ack.js';
export { type ErrorText, renderError } from './error.js';
export { renderFindings } from './findings.js';
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

/** All formats: a gate has a verdict to annotate a commit with or to report as a test. */
export const gateFormatNames = Object.keys(formats) as Format[];

/** The formats of every other question. */
export const formatNames = gateFormatNames.filter((name) => name !== 'github' && name !== 'junit');

const EXTENSIONS: Readonly<Record<string, Format>> = {
  json: 'json',
  jsonl: 'jsonl',
  ndjson: 'jsonl',
  csv: 'csv',
  md: 'md',
  xml: 'junit',
  txt: 'table',
};

/** The format that a file name asks for by its extension; null where it asks for none. */
export function formatOfFile(path: string): Format | null {
  const extension = /\.([a-z]+)$/i.exec(path)?.[1]?.toLowerCase() ?? '';
  return Object.hasOwn(EXTENSIONS, extension) ? (EXTENSIONS[extension] ?? null) : null;
}
