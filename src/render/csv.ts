import type { Cell, Column } from '../schema/result.js';
import { isNumeric } from './display.js';
import { cellJson } from './json.js';
import { uniqueNames } from './names.js';
import type { Report } from './report.js';
import { sanitize } from './sanitize.js';

// What a spreadsheet may run, also behind white space, quotes or characters that draw nothing, also full width.
// https://owasp.org/www-community/attacks/CSV_Injection
const FORMULA =
  /^[\s\p{C}\p{Default_Ignorable_Code_Point}\p{Pi}\p{Pf}"'`＂＇]*[=+\-@＝＋－＠﹦﹢﹣﹫−]|^[\t\r\n]/u;
const NUMBER = /^-?\d+(\.\d+)?([eE][+-]?\d+)?$/;

/**
 * RFC 4180 with `\n` line ends, as psql, DuckDB, xsv and Miller write them: cut, sort and `wc -l` work, and
 * spreadsheets read both. A null is an empty cell, an empty text `""`. No BOM.
 */
export function renderCsv({ result }: Report): string {
  const rows = result.rows.map((row) => result.columns.map((column, i) => field(row[i], column)));
  return [uniqueNames(result.columns).map(text), ...rows].map((fields) => `${record(fields)}\n`).join('');
}

// A record of one empty field would be a blank line, which most parsers skip.
function record(fields: readonly string[]): string {
  return fields.join(',') || '""';
}

function field(cell: Cell | undefined, column: Column): string {
  if (cell === null || cell === undefined) return '';
  if (typeof cell === 'boolean' || typeof cell === 'number') return String(cell);
  if (column.type === 'json') return json(cellJson(cell, column));
  if (typeof cell !== 'string') return json(cellJson(cell, column));
  return isNumeric(column) && NUMBER.test(cell) ? cell : text(cell);
}

function json(compact: string): string {
  return NUMBER.test(compact) ? compact : text(compact);
}

function text(raw: string): string {
  const safe = FORMULA.test(raw) ? `'${sanitize(raw)}` : sanitize(raw);
  // Semicolons too: where the decimal sign is a comma, spreadsheets split there and a formula could start behind.
  return safe === '' || /[",;|]|^\s|\s$/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
