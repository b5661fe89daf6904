import { display, isNumeric } from './display.js';
import type { Report } from './report.js';
import { sanitize } from './sanitize.js';

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

/** A GitHub table with the values of the human table. */
export function renderMarkdown({ result }: Report): string {
  if (result.rows.length === 0) return '(no rows)\n';
  const head = result.columns.map((column) => escapeMarkdown(sanitize(column.label ?? column.name)));
  const rule = result.columns.map((column) => (isNumeric(column) ? '---:' : '---'));
  const body = result.rows.map((row) =>
    result.columns.map((column, i) => escapeMarkdown(display(row[i], column))),
  );
  return [head, rule, ...body].map((cells) => `| ${cells.join(' | ')} |\n`).join('');
}

function escapeMarkdown(text: string): string {
  return text.replace(MARKUP, (match) => ENTITIES[match] ?? `\\${match}`);
}
