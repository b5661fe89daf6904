/** What is known of a statement while it is typed: whether it is whole, and what a word may become. */
import { tokensOf } from '../lake/sql-tokens.js';
import type { Table } from '../lake/tables/published.js';

export const SHELL_HELP = `A statement ends with ; and may take several lines. Tab completes, arrows bring back what was asked before.

  .tables          the tables
  .schema TABLE    its columns, with a sentence each
  .reload          load the logs again
  .help            this
  .quit            leave, as Ctrl-D does

Ctrl-C drops what is being typed, or stops what runs.
`;

const DOTTED = ['.help', '.quit', '.reload', '.schema', '.tables'];

const KEYWORDS = [
  ...['SELECT', 'FROM', 'WHERE', 'GROUP', 'BY', 'HAVING', 'ORDER', 'LIMIT', 'DISTINCT', 'AS', 'WITH'],
  ...[
    'JOIN',
    'LEFT',
    'INNER',
    'CROSS',
    'ON',
    'USING',
    'UNION',
    'ALL',
    'AND',
    'OR',
    'NOT',
    'IN',
    'IS',
    'NULL',
  ],
  ...['BETWEEN', 'LIKE', 'CASE', 'WHEN', 'THEN', 'ELSE', 'END', 'COUNT', 'SUM', 'AVG', 'MIN', 'MAX', 'CAST'],
  ...[
    'COALESCE',
    'DESC',
    'ASC',
    'NULLS',
    'LAST',
    'DESCRIBE',
    'SUMMARIZE',
    'EXPLAIN',
    'PIVOT',
    'TRUE',
    'FALSE',
  ],
];

/** It ends with a semicolon that stands in no string, name or comment. */
export function isWhole(text: string): boolean {
  const tokens = tokensOf(text);
  const isOpen = tokens.some((token) => token.text === "'" || token.text === '"');
  return !isOpen && tokens.at(-1)?.text === ';';
}

/** For readline: what the last word of a line may become, and that word. */
export function completionsOf(line: string, tables: readonly Table[]): [string[], string] {
  if (/^\s*\.\w*$/.test(line)) return matching(DOTTED, line.trimStart());
  const word = /[A-Za-z_][\w]*$/.exec(line)?.[0] ?? '';
  const names = tables.map(({ name }) => name);
  if (/^\s*\.schema\s/.test(line)) return matching(names, word);
  const columns = tables.flatMap((table) => table.columns.map(({ name }) => name));
  const isOfTable = /\.\w*$/.test(line);
  const isTable = /\b(from|join|describe|summarize)\s+\w*$/i.test(line);
  if (isOfTable) return matching(columns, word);
  if (isTable) return matching(names, word);
  const isUpper = /^[A-Z]/.test(word);
  const keywords = isUpper ? KEYWORDS : KEYWORDS.map((one) => one.toLowerCase());
  return matching([...columns, ...names, ...keywords], word);
}

function matching(words: readonly string[], begun: string): [string[], string] {
  const hits = [...new Set(words)].filter((one) => one.toLowerCase().startsWith(begun.toLowerCase()));
  return [hits.sort(), begun];
}
