import type { Format } from './report.js';

/** All formats: a gate has a verdict to annotate a commit with or to report as a test. */
export const gateFormatNames: readonly Format[] = [
  'table',
  'json',
  'jsonl',
  'csv',
  'md',
  'github',
  'junit',
] as const satisfies readonly Format[];

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
