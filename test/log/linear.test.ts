import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { transformSync } from 'esbuild';
import { parseAst } from 'vite';
import { describe, expect, it } from 'vitest';

/** A host's answer may be long and hostile: no expression in src/log may take more than linear time over it. */
const folder = path.resolve(import.meta.dirname, '../../src/log');

interface Node {
  readonly type: string;
  readonly regex?: { readonly pattern: string; readonly flags: string };
  readonly callee?: { readonly name?: string };
  readonly arguments?: readonly Node[];
}

function* nodesOf(value: unknown): Generator<Node> {
  if (typeof value !== 'object' || value === null) return;
  if (typeof (value as Node).type === 'string') yield value as Node;
  for (const member of Object.values(value)) yield* nodesOf(member);
}

function expressionsIn(code: string): RegExp[] {
  const { code: script } = transformSync(code, { loader: 'ts' });
  return [...nodesOf(parseAst(script))].flatMap(({ regex }) =>
    regex ? [new RegExp(regex.pattern, regex.flags)] : [],
  );
}

const MEGABYTE = 2 ** 20;
/** The small ones are enough for what takes cubic or exponential time. */
const SIZES = [28, 2 ** 10, 2 ** 12, 2 ** 14, 2 ** 16, 2 ** 18, MEGABYTE];
/** A megabyte whose every character is replaced takes some 100 ms, and more on a machine that is busy. */
const LONGEST_MS = 4_000;

/** Repeats of what the expression is about, with an end that it does not want, and with starts that it does. */
function hostileTexts({ source }: RegExp): string[] {
  const literal = [...new Set(source.replaceAll(/\\[a-zA-Z]|[\\^$.*+?()[\]{}|]/g, ''))];
  const words = source.match(/[a-zA-Z_`"'-]+/g) ?? [];
  const pieces = [
    ...literal,
    ...words,
    'a',
    'A',
    '0',
    ' ',
    '\t',
    '\r',
    '\n',
    '\r\n',
    '`',
    '```',
    '"',
    "'",
    '-',
    '_',
    '\\',
  ];
  pieces.push('a0', '0a-', ' \n', '"\\', '\ud800', '\u0000', 'ß', '```\n', '00-', '.jsonl', '[1]', '{', 'é9');
  return [...new Set(pieces)];
}

function slowest(
  expression: RegExp,
  limit: number,
  sizes = SIZES,
): { ms: number; text: string; size: number } {
  let worst = { ms: 0, text: '', size: 0 };
  for (const [i, piece] of hostileTexts(expression).entries()) {
    for (const start of ['', '```json\n', '00-']) {
      for (const size of sizes) {
        // With a start in front, what is not linear shows at a sixteenth: the 4 billion steps take longer than is allowed.
        if (size > 2 ** 16 && start !== '') continue;
        // Nothing but time is seen beyond a quarter of a megabyte.
        if (size === MEGABYTE && i % 4 > 0) continue;
        const text = `${start}${piece.repeat(Math.ceil(size / piece.length))}\u2603`;
        const started = performance.now();
        text.replace(expression, '');
        const ms = performance.now() - started;
        if (ms > worst.ms) worst = { ms, text: start + piece, size };
        if (ms > limit) return worst;
      }
    }
  }
  return worst;
}

it('finds what is not linear', () => {
  // In steps so small that it is told soon after it begins.
  const sizes = [22, 24, 26, ...SIZES.flatMap((size) => (size < 2 ** 14 ? size : [size / 2, size]))];
  for (const nested of [/[a-z0-9]*[0-9][a-z0-9]*x/, /"[^"]*"x|(a+)+y/, /\s+$/]) {
    expect(slowest(nested, 300, sizes).ms).toBeGreaterThan(300);
  }
});

describe.each(readdirSync(folder))('%s', (name) => {
  const code = readFileSync(path.join(folder, name), 'utf8');

  it('makes no expression of a text', () => {
    const made = code.match(/\bRegExp\([^)]*\)/g) ?? [];
    // A constant of src/schema: bounded repetition, but for the digits of a fraction.
    expect(made.filter((one) => one !== 'RegExp(TIMESTAMP_PATTERN)')).toEqual([]);
  });

  it.each(expressionsIn(code).map((one) => [String(one), one] as const))('%s takes linear time', (_, one) => {
    expect(slowest(one, LONGEST_MS).ms).toBeLessThan(LONGEST_MS);
  });
});
