/** The hash by which equal lines are found: 128 bits under a key of the run. */
import { randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { nightly } from '../support/cli.js';
import { bytesScanner, call, plus, run } from './support.js';

const OPTIONS = { calls: ['line_key'], runs: ['line_key'] };

function keysOf(lines: readonly (string | Buffer)[], options: object = {}): unknown[] {
  const scan = bytesScanner({ ...OPTIONS, ...options });
  const bytes = Buffer.concat(lines.flatMap((line) => [Buffer.from(line as string), Buffer.from('\n')]));
  const { calls, runs, counts } = scan(bytes);
  expect(counts.rejected).toBe(0);
  return [...calls, ...runs].map(({ line_key }) => line_key);
}

const holding = (text: string) => plus(`"x":"${text}"`);

describe('equal lines are equal', () => {
  test('wherever they stand, and whatever was scanned before', () => {
    const line = call({ session_id: 'once more' });
    const keys = keysOf([
      line,
      plus(`"x":"${'y'.repeat(99_999)}"`),
      line,
      `\ufeff${line}`,
      `${line}\r`,
      `\ufeff${line}\r`,
    ]);
    expect(new Set([keys[0], ...keys.slice(2)]).size).toBe(1);
    expect(keys[1]).not.toBe(keys[0]);
  });

  test.each([0, 1, 15, 16, 17, 65_535, 65_536, 65_537, 200_000])('with %i bytes more', (more) => {
    const line = holding('y'.repeat(more));
    const [first, second] = keysOf([line, line]);
    expect(first).toBe(second);
  });

  test('for two scanners with the same key, and for no others', () => {
    const lines = [call(), run(), holding('y'.repeat(100_000))];
    const runKey = randomBytes(16);
    const keys = keysOf(lines, { runKey });
    expect(keysOf(lines, { runKey: Buffer.from(runKey) })).toEqual(keys);
    // However long the lines were that were scanned before.
    expect(keysOf([...lines].reverse(), { runKey }).sort()).toEqual([...keys].sort());
    for (const key of keysOf(lines, { runKey: randomBytes(16) })) expect(keys).not.toContain(key);
  });

  test('for threads that have other limits and other columns', () => {
    const runKey = randomBytes(16);
    const lines = [call(), holding('y'.repeat(1_000))];
    const options = { runKey, calls: ['line', 'session_id', 'line_key'], maxLineBytes: 2_000 };
    expect(keysOf(lines, options)).toEqual(keysOf(lines, { runKey }));
  });
});

describe('lines that differ are not equal', () => {
  const seen = new Map<unknown, string>();
  const differ = (lines: readonly string[]) => {
    const runKey = Buffer.alloc(16, 7);
    for (const [i, key] of keysOf(lines, { runKey }).entries()) {
      const line = lines[i]!;
      expect(seen.get(key) ?? line).toBe(line);
      seen.set(key, line);
    }
    expect(new Set([...seen.values()]).size).toBe(seen.size);
  };
  test.each([1, 16, 17, 100, 1_000])('in one bit of a text of %i bytes', (length) => {
    const text = Buffer.alloc(length, 'D');
    const lines = [holding(text.toString())];
    for (let at = 0; at < length; at++) {
      for (const bit of [1, 2, 4, 8, 32]) {
        const other = Buffer.from(text);
        other[at]! ^= bit;
        lines.push(holding(other.toString()));
      }
    }
    differ(lines);
  });

  test('in one bit of the last kilobyte of a line of more than 64 kB', () => {
    const lines = [];
    for (let at = 65_000; at < 66_000; at += 7) {
      for (const bit of [1, 32]) {
        const text = Buffer.alloc(66_000, 'D');
        text[at]! ^= bit;
        lines.push(holding(text.toString()));
      }
    }
    differ(lines);
  });

  test('in the order of what they hold', () => {
    const blocks = ['AAAA', 'BBBB', 'CCCC', 'DDDD', 'EEEE', 'FFFF', 'GGGG', 'HHHH'];
    const texts = blocks.flatMap((_, i) =>
      blocks.flatMap((_, j) => {
        const swapped = [...blocks, ...blocks];
        [swapped[i], swapped[j + 8]] = [swapped[j + 8]!, swapped[i]!];
        return i === j ? [] : [holding(swapped.join(''))];
      }),
    );
    differ([...new Set(texts)]);
  });

  test('in their length alone', () => {
    differ(Array.from({ length: 300 }, (_, length) => holding('y'.repeat(length))));
    differ(Array.from({ length: 40 }, (_, more) => holding('z'.repeat(65_520 + more))));
    // What fills up the last sixteen bytes is not what stands in a line.
    const call0 = call();
    differ([call0, ...Array.from({ length: 40 }, (_, spaces) => `${call0}${' '.repeat(spaces + 1)}`)]);
    differ(Array.from({ length: 40 }, (_, spaces) => `${' '.repeat(spaces + 1)}${call0}`));
  });

  test('in a mark or a carriage return that is part of them', () => {
    const line = call();
    const [plain, two, spaced] = keysOf([line, `${line}\r\r`, `${line}\r \r`]);
    expect(new Set([plain, two, spaced]).size).toBe(3);
  });

  test('in many small ways', () => {
    const lines = Array.from({ length: nightly ? 100_000 : 20_000 }, (_, i) =>
      call({ session_id: String(i) }),
    );
    expect(new Set(keysOf(lines)).size).toBe(lines.length);
  });
});
