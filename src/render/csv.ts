import type { Cell, Column } from '../schema/result.js';
import { isNumeric } from './display.js';
import { cellJson } from './json.js';
import { uniqueNames } from './names.js';
import type { Report } from './report.js';
import { sanitize } from './sanitize.js';

// What a spreadsheet may run, also behind white space, quotes or characters that draw nothing, also full width.
// https://owasp.org/www-community/attacks/CSV_Injection
const FORMULA =
  /^[\s\p{C}\p{Default_Ignorable_Code_Point}\p{Pi}\p{Pf}"'`\uff02\uff07]*[=+\-@\uff1d\uff0b\uff0d\uff20\ufe66\ufe62\ufe63\ufe6b\u2212]|^[\t\r\n]/u;
const NUMBER = /^-?\d+(\.\d+)?([eE][+-]?\d+)?$/;

export type Separator = ',' | '\t';

/**
 * RFC 4180 with `\n` line ends, as psql, DuckDB, xsv and Miller write them: cut, sort and `wc -l` work, and
 * spreadsheets read both. A null is an empty cell, an empty text `""`. No BOM.
 */
export const renderCsv = (report: Report): string => separated(report, ',');

/** The same with tabs, which no text holds: they are written `\t`. */
export const renderTsv = (report: Report): string => separated(report, '\t');

function separated({ result }: Report, separator: Separator): string {
  const records = result.rows.map((row) => result.columns.map((column, i) => csvField(row[i], column)));
  return [csvHeader(result.columns, separator), ...records.map((one) => record(one, separator))].join('');
}

export const csvHeader = (columns: readonly Column[], separator: Separator): string =>
  record(uniqueNames(columns).map(text), separator);

// A record of one empty field would be a blank line, which most parsers skip.
const record = (fields: readonly string[], separator: Separator) => `${fields.join(separator) || '""'}\n`;

export function csvField(cell: Cell | undefined, column: Column): string {
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
