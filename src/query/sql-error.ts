import { distance } from 'fastest-levenshtein';
import { LakelogError, messageOf } from '../errors.js';
import { type Checked, ONE_SELECT, type SqlFault } from '../lake/box.js';
import { quote } from '../lake/duckdb/sql.js';
import { isContent, publishedTables } from '../lake/tables/published.js';
import type { Finding } from '../schema/result.js';
import { mistakeAdvice } from './sql-advice.js';

const ALL_NAMES = 'lakelog schema';

/** A question whose SQL does not run is its author's affair. */
export function sqlError(file: string, error: unknown): LakelogError {
  if (error instanceof LakelogError) return error;
  const message = messageOf(error).split('\n')[0] ?? '';
  const content = [...message.matchAll(/"(\w+)"/g)].map(([, name]) => name!).find(isContent);
  return new LakelogError(`the query failed: ${message}`, {
    where: file,
    next:
      content === undefined
        ? 'compare its names with: lakelog schema'
        : `${content} is content: load it with --show-content`,
    cause: error,
  });
}

/** What is wrong with somebody's own SQL, at `where:line:column` with a caret under the place, and what would be right. */
export function explained(fault: SqlFault): LakelogError {
  const { sql, where, message, parts } = fault;
  if (parts.type === 'Out of Memory') {
    return new LakelogError(`the query needs more memory: ${message}`, { where, next: NARROW_IT });
  }
  if (parts.type === 'Permission') {
    const what = 'queries read the loaded tables and nothing else: no files, no network, no settings';
    return new LakelogError(what, { where, next: ONE_SELECT });
  }
  const at = placeOf(sql, parts.position);
  return new LakelogError(whatIsWrong(fault), {
    ...(at === null ? { where } : { where: `${where}:${at.line}:${at.column}`, detail: at.excerpt }),
    next: adviceFor(fault) ?? `compare its names with: ${ALL_NAMES}`,
  });
}

export const NARROW_IT =
  'narrow it, or set LAKELOG_MEMORY_LIMIT to more than the 1GB it is by default, e.g. 4GB';

/** What runs and yet can hardly be meant. */
export function noticesOf({ given, where, comparedWithNull }: Checked): Finding[] {
  return comparedWithNull.slice(0, 1).map((position) => {
    const at = placeOf(given, position);
    return {
      code: 'compared_with_null',
      message: 'a comparison with NULL is never true, whatever the value',
      where: at === null ? where : `${where}:${at.line}:${at.column}`,
      next: 'write IS NULL or IS NOT NULL',
    };
  });
}

function whatIsWrong({ message, parts: { column, isContent } }: SqlFault): string {
  if (column === undefined) return message;
  return isContent
    ? `${column} is content and was not loaded`
    : `there is no column ${JSON.stringify(column)}`;
}

function adviceFor({ sql, message, parts }: SqlFault): string | null {
  const { table, column, isContent, position, candidates } = parts;
  if (isContent) return 'load prompts, raw outputs and artifacts with --show-content';
  if (table !== undefined)
    return nearest(
      table,
      publishedTables().map(({ name }) => name),
    );
  if (column === undefined) {
    const bytes = Buffer.from(sql);
    const at = isPlaceIn(bytes, position) ? Number(position) : 0;
    const [before, from] = [bytes.subarray(0, at).toString(), bytes.subarray(at).toString()];
    return mistakeAdvice({ message, before, from, candidates });
  }
  if (message.includes('the FROM clause is missing')) return 'name the table: FROM sessions';
  const curly = /^[\u2018\u2019\u201c\u201d`](.*?)[\u2018\u2019\u201c\u201d`]?$/.exec(column)?.[1];
  if (curly !== undefined) return textAdvice(curly);
  const advice = columnAdvice(sql, column.toLowerCase());
  return mayBeText(sql, column)
    ? [textAdvice(column), ...(advice === null ? [] : [advice])].join('; ')
    : advice;
}

/** The commonest mistake in SQL is to write a text as "column", or as it is where a text is compared with. */
function mayBeText(sql: string, column: string): boolean {
  const quoted = `"${column.replaceAll('"', '""')}"`;
  return (
    standsBehind(sql, quoted, /(?<!\.\s*)$/) || standsBehind(sql, column, /([=<>]|\b(I?LIKE|IN\s*\())\s*$/i)
  );
}

function standsBehind(sql: string, name: string, before: RegExp): boolean {
  for (let at = sql.indexOf(name); at >= 0; at = sql.indexOf(name, at + 1)) {
    if (before.test(sql.slice(0, at))) return true;
  }
  return false;
}

const textAdvice = (text: string) =>
  `a text stands in single quotes: ${quote(text)} (double quotes are for names)`;

function isPlaceIn({ length }: Buffer, position: unknown): boolean {
  const offset = Number(position ?? Number.NaN);
  return Number.isInteger(offset) && offset >= 0 && offset <= length;
}

const EXCERPT = 76;

/** The place in the text, with its line and a caret below it; null where it is nowhere. */
function placeOf(sql: string, position: unknown) {
  const bytes = Buffer.from(sql);
  if (!isPlaceIn(bytes, position)) return null;
  const before = bytes.subarray(0, Number(position)).toString().split('\n');
  const column = before.at(-1)!.length;
  const text = sql.split('\n')[before.length - 1]!.replaceAll('\t', ' ');
  const from = Math.max(0, Math.min(column - EXCERPT / 2, text.length - EXCERPT));
  const excerpt = `${text.slice(from, from + EXCERPT)}\n${' '.repeat(column - from)}^`;
  return { line: before.length, column: column + 1, excerpt };
}

/** The nearest column of the tables that the SQL names, else the table that the column is of. */
function columnAdvice(sql: string, column: string): string | null {
  const words = new Set(sql.toLowerCase().split(/[^\p{L}\p{N}_]+/u));
  const tables = publishedTables();
  const named = tables.filter(({ name }) => words.has(name));
  const columns = (named.length > 0 ? named : tables).flatMap((table) =>
    table.columns.map(({ name }) => name),
  );
  const home = tables.find((table) => table.columns.some(({ name }) => name === column));
  return (
    nearest(column, columns) ??
    (home ? `${column} is a column of ${home.name}; print all with: ${ALL_NAMES}` : null)
  );
}

/** The candidate closest to a misspelt name, if any is close. */
function nearest(wanted: string, candidates: readonly string[]): string | null {
  let best: string | null = null;
  let least = Math.max(2, Math.floor(wanted.length / 3)) + 1;
  for (const candidate of candidates) {
    const edits = candidate === wanted ? Number.POSITIVE_INFINITY : distance(wanted, candidate);
    if (edits < least) [best, least] = [candidate, edits];
  }
  return best === null ? null : `did you mean ${best}? (all names: ${ALL_NAMES})`;
}
