import type { Format, TextFormat } from './report.js';

const FOR_ROWS = ['table', 'json', 'jsonl', 'csv', 'tsv', 'md'] as const satisfies readonly TextFormat[];

/** The formats of every question that is no gate. */
export const formatNames: readonly TextFormat[] = FOR_ROWS;

/** A gate has a verdict to annotate a commit with, to report as a test, or to watch. */
export const gateFormatNames: readonly TextFormat[] = [...FOR_ROWS, 'github', 'junit', 'prom', 'sarif'];

/** Whoever asks by SQL takes the rows elsewhere. */
export const queryFormatNames: readonly Format[] = [...FOR_ROWS, 'parquet'];

const EXTENSIONS: Readonly<Record<string, Format>> = {
  json: 'json',
  jsonl: 'jsonl',
  ndjson: 'jsonl',
  csv: 'csv',
  tsv: 'tsv',
  parquet: 'parquet',
  md: 'md',
  xml: 'junit',
  prom: 'prom',
  sarif: 'sarif',
  txt: 'table',
};

/** The format that a file name asks for by its extension; null where it asks for none. */
export function formatOfFile(path: string): Format | null {
  // As the standard has it.
  if (/\.sarif\.json$/i.test(path)) return 'sarif';
  const extension = /\.([a-z]+)$/i.exec(path)?.[1]?.toLowerCase() ?? '';
  return Object.hasOwn(EXTENSIONS, extension) ? (EXTENSIONS[extension] ?? null) : null;
}
