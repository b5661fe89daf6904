import type { Column, Result } from '../schema/result.js';
import { fieldsOf } from './fields.js';
import type { Report } from './report.js';

// Markup, HTML, maths, bare links, mentions and issue references. `_` inside a word is text already.
const MARKUP =
  /[&<>\\`*~|[\]$]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])|[@#](?=[A-Za-z0-9])|:(?=\/\/)|(?<=\bwww)\./gi;

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  // GitHub looks for mentions in the finished text, where an escaped `@` is an `@` again; only a break helps.
  // https://github.com/renovatebot/renovate/pull/44933
  '@': '@&#8203;',
  '#': '#&#8203;',
};

export const NO_ROWS = '(no rows)\n';

/** A GitHub table with the values of the human table. */
export const renderMarkdown = ({ result }: Report): string => markdownTable(result);

export const markdownTable = (result: Result): string =>
  result.rows.length === 0 ? NO_ROWS : markdownHead(result.columns) + markdownRows(result);

export function markdownHead(columns: readonly Column[]): string {
  const fields = fieldsOf({ columns, rows: [] });
  const rule = fields.map(({ role }) => (role === 'number' ? '---:' : '---'));
  return markdownLine(fields.map(({ label }) => escapeMarkdown(label))) + markdownLine(rule);
}

export function markdownRows(result: Result): string {
  const fields = fieldsOf(result);
  return result.rows
    .map((_, row) => markdownLine(fields.map(({ cells }) => escapeMarkdown(cells[row] ?? ''))))
    .join('');
}

const markdownLine = (cells: readonly string[]) => `| ${cells.join(' | ')} |\n`;

/** Text that is safe for a terminal, as Markdown that means just that text. */
export function escapeMarkdown(text: string): string {
  return text.replace(MARKUP, (match) => ENTITIES[match] ?? `\\${match}`);
}

/** Text of one line as code, with more backticks around it than it holds in a row. */
export function codeSpan(text: string): string {
  const ticks = '`'.repeat(longestTicks(text) + 1);
  const padding = /^[` ]|[` ]$/.test(text) ? ' ' : '';
  return ticks + padding + text + padding + ticks;
}

/** Lines as they stand, in a fence that none of them can close. */
export function fenced(text: string): string {
  const fence = '`'.repeat(Math.max(3, longestTicks(text) + 1));
  return `${fence}text\n${text.endsWith('\n') ? text : `${text}\n`}${fence}\n`;
}

function longestTicks(text: string): number {
  return (text.match(/`+/g) ?? []).reduce((most, ticks) => Math.max(most, ticks.length), 0);
}
