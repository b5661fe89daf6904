import type { Cell, Column, Result } from '../schema/result.js';
import { uniqueNames } from './names.js';
import type { Report } from './report.js';
import { escapeJson } from './sanitize.js';

/** One envelope on one line. */
export function renderJson(report: Report): string {
  const [head, tail] = envelopeOf(report);
  return head + objects(report.result).join(',') + tail;
}

/** What stands before the rows and behind them; its keys and their order are an API. */
export function envelopeOf({
  query,
  params,
  result,
  truncated,
  verdict,
  receipt,
  decision,
}: Report): [string, string] {
  const names = uniqueNames(result.columns);
  const columns = result.columns.map(({ type, note }, i) => ({ name: names[i], type, note: note ?? null }));
  const head = [
    '{"format":"lakelog.result.v1"',
    `,"lakelog":${encode(receipt.version)}`,
    `,"query":${encode(query.name)}`,
    `,"title":${encode(query.title)}`,
    `,"params":${encode(params)}`,
    `,"verdict":${encode(verdict ?? null)}`,
    `,"columns":${encode(columns)}`,
    ',"rows":[',
  ].join('');
  const decided = decision === undefined ? '' : `,"decision":${encode(decision)}`;
  return [head, `],"truncated":${truncated === true}${decided},"receipt":${encode(receipt)}}\n`];
}

export const renderJsonLines = ({ result }: Report): string => jsonLines(result);

/** A row an object, a line each, and nothing else. */
export function jsonLines(result: Result): string {
  return objects(result)
    .map((object) => `${object}\n`)
    .join('');
}

/** JSON text passes as it is, so that no number of it loses digits; line ends between its tokens go. */
export function cellJson(cell: Cell | undefined, column: Column): string {
  return column.type === 'json' && typeof cell === 'string' ? jsonText(cell) : encode(cell ?? null);
}

/** JSON text as the JSON it is; other text as a string. */
export function jsonText(text: string): string {
  return isJson(text) ? escapeJson(text.replace(/[\r\n\t]/g, '')) : encode(text);
}

// Objects are written, not built: a column may be called `__proto__` or `0`, and order is part of the format.
export function objects(result: Result): string[] {
  const keys = uniqueNames(result.columns).map((name) => `${encode(name)}:`);
  return result.rows.map(
    (row) => `{${result.columns.map((column, i) => keys[i] + cellJson(row[i], column)).join(',')}}`,
  );
}

export function encode(value: unknown): string {
  return escapeJson(JSON.stringify(value));
}

export function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
