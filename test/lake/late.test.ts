import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { openDatabase } from '../../src/lake/duckdb/connection.js';
import { lateIn } from '../../src/lake/load/late.js';
import { call, nightly, replayRun } from '../support/cli.js';
import fc from '../support/fast-check.js';
import { rowsOf, withLake } from '../support/lake.js';

const folder = mkdtempSync(path.join(os.tmpdir(), 'lakelog-late-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const MINUTE = 60_000;
const START = Date.parse('2026-09-01T08:00:00Z');
const at = (ms: number) => new Date(START + ms).toISOString();

/** Minutes after the start, or a line that is no record. */
type Line = number | null;

/** Around a quarter of an hour, to the millisecond. */
const anyTime = fc.oneof(
  fc.integer({ min: 0, max: 40 }).map((minutes) => minutes * MINUTE),
  fc.constantFrom(0, 15 * MINUTE, 15 * MINUTE + 1, 15 * MINUTE - 1, 30 * MINUTE + 1),
);
const anyLines: fc.Arbitrary<Line[]> = fc.array(
  fc.oneof({ weight: 8, arbitrary: anyTime }, fc.constant(null)),
  { minLength: 1, maxLength: 30 },
);

/** Numbers of the late lines, from 1. */
function lateLines(lines: readonly Line[], newestBefore = Number.NEGATIVE_INFINITY): number[] {
  let newest = newestBefore;
  return lines.flatMap((time, i) => {
    if (time === null) return [];
    const isLate = newest - time > 15 * MINUTE;
    newest = Math.max(newest, time);
    return isLate ? [i + 1] : [];
  });
}

const write = (name: string, lines: readonly Line[]) => {
  const file = path.join(folder, name);
  const text = lines.map((time, i) => {
    if (time === null) return '{"schema":"torn';
    return i % 3 === 2 ? replayRun({ timestamp: at(time) }) : call({ timestamp: at(time) });
  });
  writeFileSync(file, text.map((line) => `${line}\n`).join(''));
  return file;
};

test('late records are counted by file, whatever parts threads take', async () => {
  await fc.assert(
    fc.asyncProperty(
      anyLines,
      anyLines,
      fc.integer({ min: 1, max: 3 }),
      fc.integer({ min: 200, max: 3_000 }),
      async (a, b, count, part) => {
        const files = [write('a.jsonl', a), write('b.jsonl', b)];
        const requests = files.map((file) => ({ path: file, as: 'any' as const }));
        await withLake(
          'SELECT file, late FROM files',
          requests,
          async (lake, account) => {
            const expected = [lateLines(a), lateLines(b)];
            expect(account.files.map(({ late }) => late)).toEqual(expected.map(({ length }) => length));
            const places = expected.flatMap((lines, i) =>
              lines.slice(0, 1).map((line) => `${files[i]}:${line}`),
            );
            expect(account.firstLate).toBe(places[0] ?? null);
            const rows = await rowsOf(lake, 'SELECT late FROM files ORDER BY file');
            expect(rows.map(({ late }) => late)).toEqual(expected.map(({ length }) => length));
          },
          { threads: { count, above: 0, part } },
        );
      },
    ),
    { numRuns: nightly ? 15 : 5 },
  );
});

test('a batch knows what its file held before it', async () => {
  const db = await openDatabase(null, '200MB');
  try {
    await db.run(
      `CREATE TABLE main.base_calls (batch BIGINT, line BIGINT, "timestamp" TIMESTAMPTZ);
       CREATE TABLE main.base_runs AS SELECT * FROM main.base_calls`,
    );
    await db.run(
      `INSERT INTO main.base_calls VALUES (1, 2, TIMESTAMPTZ '${at(0)}'), (1, 1, TIMESTAMPTZ '${at(20 * MINUTE)}'),
         (2, 1, TIMESTAMPTZ '${at(0)}'), (3, 1, TIMESTAMPTZ '${at(0)}')`,
    );
    const newest = BigInt(START + 16 * MINUTE) * 1_000n;
    const found = await lateIn(db, [
      { batch: 1, newest: null },
      { batch: 2, newest },
    ]);
    expect([...found].sort(([a], [b]) => a - b)).toEqual([
      [1, { late: 1, line: 2 }],
      [2, { late: 1, line: 1 }],
    ]);
  } finally {
    db.close();
  }
});

const trace = (id: number) => `trace-${id}`;

test('traces with replay runs and no call are those that sets have', async () => {
  const ids = fc.array(fc.nat(9), { maxLength: 8 });
  await fc.assert(
    fc.asyncProperty(ids, ids, async (called, replayed) => {
      const file = path.join(folder, 'traces.jsonl');
      const lines = [
        ...called.map((id, i) => call({ session_id: trace(id), call_id: `${i}` })),
        ...replayed.map((id, i) => replayRun({ session_id: trace(id), run_id: `run-${i}` })),
      ];
      writeFileSync(file, `${lines.join('\n')}\n`);
      const unknown = replayed.filter((id) => !called.includes(id));
      await withLake('', [{ path: file, as: 'any' }], async (_, account) => {
        const line = called.length + replayed.indexOf(unknown[0]!) + 1;
        expect(account.unknownTraces).toEqual(
          called.length === 0 || unknown.length === 0
            ? null
            : {
                traces: new Set(unknown).size,
                first: { session_id: trace(unknown[0]!), where: `${file}:${line}` },
              },
        );
      });
    }),
    { numRuns: nightly ? 25 : 8 },
  );
});
