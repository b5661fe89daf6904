/** Texts that break out of literals where somebody escapes by halves, and readers of literals that share no code with who writes them. */

import type { DialectName } from '../../src/lake/printed.js';
import fc, { character } from '../support/fast-check.js';

const PIECES = [
  ...[
    "'",
    "''",
    '"',
    '`',
    '\\',
    '\\\\',
    "\\'",
    '\\n',
    '\\u0041',
    '\\x41',
    '\\101',
    '\\0',
    '\\Z',
    '\\%',
    '\\_',
  ],
  ...[
    '\0',
    '\n',
    '\r\n',
    '\t',
    '\u0001',
    '\u001a',
    '\u007f',
    '\u0085',
    '\u2028',
    '\u2029',
    '\ufeff',
    '\ufffd',
    '\uffff',
  ],
  ...['{{selected}}', '{{base.calls}}', '{{text x}}', '{{', '}}', '{% raw %}', '{#', '#}'],
  // biome-ignore lint/suspicious/noTemplateCurlyInString: what Spark replaces.
  ...['${env:HOME}', '${', '$', '$1', '$$', '$tag$', '?', ':name', '@v', '%s', '#', ';', ')', '(', ','],
  ...[
    '--',
    '-- x\n',
    '/*',
    '*/',
    '//',
    "' OR 1=1 --",
    "'); DROP TABLE base_calls; --",
    "U&'",
    "E'",
    "x'41'",
    "r'",
  ],
  ...['‘', '’', '“', '«', '＇', 'ʼ', '′', '´', '\u05f3', '\u201a', '「'],
  ...['😀', '👩‍👩‍👧', 'é', 'e\u0301', '\u200f', '\u202e', 'ש', 'عربي', '模型', '\u0000A', '\u{10ffff}'],
  ...['', ' ', 'fill', 'gpt-4.1', 'null', 'TRUE', '0', 'A'.repeat(300)],
];

const anyText = fc
  .array(
    fc.oneof(
      { weight: 4, arbitrary: fc.constantFrom(...PIECES) },
      { weight: 1, arbitrary: fc.string({ unit: character, maxLength: 6 }) },
    ),
    { maxLength: 6 },
  )
  .map((pieces) => pieces.join(''));

/** The same every time. */
export const HARD_TEXTS: readonly string[] = fc.sample(anyText, { numRuns: 2_000, seed: 15 });

/** A statement taken apart: its literals, decoded, and all else. */
export interface Read {
  readonly literals: readonly string[];
  readonly rest: string;
}

interface Lexer {
  /** What becomes of the text before it is read. */
  readonly before?: (sql: string) => string;
  /** One literal from its first quote on; the quote is no part of the value. */
  literal(sql: string, at: number): { readonly value: string; readonly end: number };
}

/** Quotes are doubled, and nothing else means anything. */
function standard(sql: string, from: number) {
  let value = '';
  for (let at = from + 1; at < sql.length; at++) {
    if (sql[at] !== "'") value += sql[at];
    else if (sql[at + 1] === "'") value += sql[at++];
    else return { value, end: at + 1 };
  }
  throw new Error('a literal has no end');
}

type Escape = (sql: string, at: number) => readonly [value: string, length: number];

const backslashes = (decode: Escape) => (sql: string, from: number) => {
  let value = '';
  for (let at = from + 1; at < sql.length; ) {
    if (sql[at] === "'" && sql[at + 1] !== "'") return { value, end: at + 1 };
    if (sql[at] === "'") {
      value += "'";
      at += 2;
    } else if (sql[at] === '\\') {
      const [char, length] = decode(sql, at + 1);
      value += char;
      at += 1 + length;
    } else value += sql[at++];
  }
  throw new Error('a literal has no end');
};

const CLICKHOUSE_ESCAPES: Readonly<Record<string, string>> = {
  ...{ b: '\b', f: '\f', n: '\n', r: '\r', t: '\t', '0': '\0', a: '\x07', v: '\v', e: '\x1b' },
};

/** As ClickHouse's parseComplexEscapeSequence has it: what it does not know keeps its backslash. */
const clickhouse: Escape = (sql, at) => {
  const char = sql[at]!;
  if (char === 'x') return [String.fromCharCode(Number.parseInt(sql.slice(at + 1, at + 3), 16)), 3];
  if (char === 'N') return ['', 1];
  const plain = CLICKHOUSE_ESCAPES[char];
  if (plain !== undefined) return [plain, 1];
  return ["'", '"', '`', '\\', '/', '='].includes(char) ? [char, 1] : [`\\${char}`, 1];
};

const SPARK_ESCAPES: Readonly<Record<string, string>> = {
  ...{ '0': '\0', b: '\b', n: '\n', r: '\r', t: '\t', Z: '\x1a', '%': '\\%', _: '\\_' },
};

/** As Spark's unescapeSQLString has it. */
const spark: Escape = (sql, at) => {
  const [, short] = /^u([0-9a-fA-F]{4})/.exec(sql.slice(at, at + 5)) ?? [];
  if (short !== undefined) return [String.fromCharCode(Number.parseInt(short, 16)), 5];
  const [, long] = /^U([0-9a-fA-F]{8})/.exec(sql.slice(at, at + 9)) ?? [];
  if (long !== undefined) return [String.fromCodePoint(Number.parseInt(long, 16)), 9];
  const [octal] = /^[01][0-7][0-7]/.exec(sql.slice(at, at + 3)) ?? [];
  if (octal !== undefined) return [String.fromCharCode(Number.parseInt(octal, 8)), 3];
  return [SPARK_ESCAPES[sql[at]!] ?? sql[at]!, 1];
};

const LEXERS: Readonly<Record<DialectName, Lexer>> = {
  trino: { literal: standard },
  duckdb: {
    literal(sql, from) {
      const read = standard(sql, from);
      // U+0000 stands between two literals.
      if (!sql.startsWith(' || chr(0) || ', read.end)) return read;
      const next = LEXERS.duckdb.literal(sql, read.end + ' || chr(0) || '.length);
      return { value: `${read.value}\0${next.value}`, end: next.end };
    },
  },
  clickhouse: { literal: backslashes(clickhouse) },
  // Settings and variables of the environment are put in before anything is read.
  spark: { before: (sql) => sql.replaceAll(/\$\{[^}]*\}/g, 'REPLACED'), literal: backslashes(spark) },
};

export function readStatement(dialect: DialectName, text: string): Read {
  const { before = (sql: string) => sql, literal } = LEXERS[dialect];
  const sql = before(text);
  const literals: string[] = [];
  let rest = '';
  for (let at = 0; at < sql.length; ) {
    const [comment] =
      /^(--[^\n]*|\/\*[\s\S]*?\*\/|"(?:""|[^"])*"|`(?:``|[^`])*`)/.exec(sql.slice(at, at + 200)) ?? [];
    if (comment !== undefined) {
      rest += comment;
      at += comment.length;
    } else if (sql[at] === "'") {
      const { value, end } = literal(sql, at);
      literals.push(value);
      rest += "'…'";
      at = end;
    } else rest += sql[at++];
  }
  return { literals, rest: withoutBrackets(rest) };
}

/** One text in brackets is that text. */
function withoutBrackets(rest: string): string {
  const bare = rest.replaceAll("('…')", "'…'");
  return bare === rest ? rest : withoutBrackets(bare);
}
