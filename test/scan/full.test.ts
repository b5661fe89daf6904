/** A last line without a line feed that comes when the rows at hand are full, or their texts, is a line like others. */

import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { Readable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { BLOCK_ROWS } from '../../src/scan/columns.js';
import { call, newFolder, nightly, replayRun } from '../support/cli.js';
import { lakelog } from '../support/program.js';

const ROWS = [BLOCK_ROWS - 1, BLOCK_ROWS, BLOCK_ROWS + 1, 2 * BLOCK_ROWS];
const LAST = call({ session_id: 'last', grounded_in_roster: false });

const calls = (count: number, more: Readonly<Record<string, unknown>> = {}) =>
  Array.from({ length: count }, (_, i) => `${call({ session_id: `s${i}`, ...more })}\n`).join('');

/** @returns exit code, and all lines of the account with those that were loaded. */
async function judged(args: readonly string[], options: Parameters<typeof lakelog>[1]) {
  const ran = await lakelog(['alarm', '--json', ...args], options);
  const { totals } = JSON.parse(ran.stdout).receipt;
  return [ran.code, totals.lines, totals.loaded];
}

test.each(ROWS)('behind %i calls', async (rows) => {
  const cwd = newFolder();
  const text = calls(rows) + LAST;
  writeFileSync(path.join(cwd, 'sessions.jsonl'), text);
  writeFileSync(path.join(cwd, 'sessions.jsonl.gz'), gzipSync(text));
  const fired = [1, rows + 1, rows + 1];
  expect(await judged(['sessions.jsonl'], { cwd })).toEqual(fired);
  expect(await judged(['sessions.jsonl.gz'], { cwd })).toEqual(fired);
  expect(await judged(['-'], { cwd, stdin: Readable.from([Buffer.from(text)]) })).toEqual(fired);
});

test('behind as many replay runs', async () => {
  const cwd = newFolder();
  const runs = Array.from({ length: BLOCK_ROWS }, (_, i) => `${replayRun({ session_id: `s${i}` })}\n`).join(
    '',
  );
  writeFileSync(path.join(cwd, 'all.jsonl'), runs + LAST);
  expect(await judged(['all.jsonl'], { cwd })).toEqual([1, BLOCK_ROWS + 1, BLOCK_ROWS + 1]);
});

test('of many small files, whatever the length of their texts', async () => {
  for (const length of nightly ? [1, 300, 700, 1_200, 5_000] : [1, 900]) {
    const cwd = newFolder();
    const files = Math.min(700, Math.ceil(3_000_000 / length));
    for (let i = 0; i < files; i++) {
      const lines = [0, 1, 2].map((n) =>
        call({ session_id: `${i} ${n} ${'x'.repeat((length * (1 + (i % 7))) / 4)}` }),
      );
      writeFileSync(path.join(cwd, `${i}.jsonl`), lines.join('\n'));
    }
    expect(await judged(['.'], { cwd }), `${length}`).toEqual([0, 3 * files, 3 * files]);
  }
});
