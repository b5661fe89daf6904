import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Database, openDatabase } from '../../src/lake/duckdb/connection.js';
import { fillSeqs, gapsOf, holesIn, mergeSeqs, missesNumbers } from '../../src/lake/load/seqs.js';
import { BASE_TABLES } from '../../src/lake/tables/base.js';
import { nightly } from '../support/cli.js';
import fc from '../support/fast-check.js';

let db: Database;
beforeAll(async () => {
  db = await openDatabase(null, '500MB');
});
afterAll(() => db.close());

type Row = readonly [writer: string | null, seq: number | null];
type Island = readonly [writer: string, first: number, last: number];

/** Islands by sets and nothing else. */
function islandsOf(rows: readonly Row[]): Island[] {
  const numbers = new Map<string, Set<number>>();
  for (const [writer, seq] of rows) {
    if (writer === null || seq === null) continue;
    numbers.set(writer, (numbers.get(writer) ?? new Set()).add(seq));
  }
  return [...numbers]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([writer, seqs]) =>
      [...seqs]
        .filter((seq) => !seqs.has(seq - 1))
        .sort((a, b) => a - b)
        .map((first): Island => {
          let last = first;
          while (seqs.has(last + 1)) last++;
          return [writer, first, last];
        }),
    );
}

/** A table of calls as far as their numbers are concerned, one a line. */
async function makeCalls(name: string, rows: readonly Row[]): Promise<void> {
  await db.run(`CREATE OR REPLACE TABLE ${name} (batch BIGINT, line BIGINT, writer_id VARCHAR, seq BIGINT)`);
  if (rows.length === 0) return;
  const text = (value: string | number | null) => (typeof value === 'string' ? `'${value}'` : String(value));
  const values = rows.map(([writer, seq], i) => `(0, ${i + 1}, ${text(writer)}, ${text(seq)})`);
  await db.run(`INSERT INTO ${name} VALUES ${values.join(', ')}`);
}

async function emptySeqs(): Promise<void> {
  const columns = BASE_TABLES.seqs.map(({ name, type }) => `${name} ${type}`).join(', ');
  await db.run(`CREATE OR REPLACE TABLE main.base_seqs (${columns})`);
}

const seqs = async () =>
  (await db.rows('SELECT writer_id, first_seq, last_seq, rowid FROM main.base_seqs ORDER BY ALL')).cells;
const islands = async () => (await seqs()).map((row) => row.slice(0, 3));

const MOST = 2 ** 53 - 1;
/** Around the ends of blocks, the first and the last number that there are. */
const anySeq = fc.oneof(
  { weight: 6, arbitrary: fc.integer({ min: 1, max: 40 }) },
  { weight: 3, arbitrary: fc.integer({ min: 55, max: 65 }) },
  fc.integer({ min: 115, max: 125 }),
  fc.integer({ min: MOST - 3, max: MOST }),
);
const anyRow: fc.Arbitrary<Row> = fc.tuple(
  fc.oneof({ weight: 9, arbitrary: fc.constantFrom('a', 'b', '') }, fc.constant(null)),
  fc.oneof({ weight: 9, arbitrary: anySeq }, fc.constant(null)),
);
const anyRun = fc
  .tuple(fc.constantFrom('a', 'c'), anySeq, fc.integer({ min: 1, max: 200 }))
  .map(([writer, first, length]) =>
    Array.from({ length }, (_, i): Row => [writer, first + i]).filter(([, seq]) => seq! <= MOST),
  );
const anyRows = fc
  .tuple(fc.array(anyRow, { maxLength: 40 }), fc.array(anyRun, { maxLength: 3 }))
  .chain(([rows, runs]) => fc.shuffledSubarray([...rows, ...runs.flat()]));

test('the islands of any rows are those that sets have', async () => {
  await fc.assert(
    fc.asyncProperty(anyRows, async (rows) => {
      await makeCalls('main.base_calls', rows);
      await fillSeqs(db);
      expect(await islands()).toEqual(islandsOf(rows));
    }),
    { numRuns: nightly ? 60 : 20 },
  );
});

test('merged batch by batch they are those of all rows at once, and a batch once more changes nothing', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(anyRows, { minLength: 1, maxLength: 5 }), async (batches) => {
      await emptySeqs();
      for (const rows of batches) {
        await makeCalls('main.fresh_calls', rows);
        await mergeSeqs(db, 'main.fresh_calls');
        const once = await seqs();
        await mergeSeqs(db, 'main.fresh_calls');
        // Not even written anew: rows keep their places.
        expect(await seqs()).toEqual(once);
      }
      expect(await islands()).toEqual(islandsOf(batches.flat()));
    }),
    { numRuns: nightly ? 40 : 14 },
  );
});

test('a merge leaves the islands of other writers, and those that stay as they are, where they stand', async () => {
  await emptySeqs();
  await makeCalls('main.fresh_calls', [
    ['a', 1],
    ['a', 5],
    ['b', 2],
  ]);
  await mergeSeqs(db, 'main.fresh_calls');
  const places = new Map((await seqs()).map(([writer, first, , rowid]) => [`${writer}${first}`, rowid]));
  await makeCalls('main.fresh_calls', [['a', 6]]);
  await mergeSeqs(db, 'main.fresh_calls');
  const after = await seqs();
  expect(after.map((row) => row.slice(0, 3))).toEqual([
    ['a', 1, 1],
    ['a', 5, 6],
    ['b', 2, 2],
  ]);
  expect(after[0]![3]).toBe(places.get('a1'));
  expect(after[2]![3]).toBe(places.get('b2'));
});

test('the rows of another catalog are merged within one transaction', async () => {
  await emptySeqs();
  await db.run("ATTACH ':memory:' AS stage");
  await makeCalls('stage.main.base_calls', [
    ['a', 2],
    ['a', 1],
  ]);
  await db.run('BEGIN');
  await mergeSeqs(db, 'stage.main.base_calls');
  await db.run('COMMIT');
  expect(await islands()).toEqual([['a', 1, 2]]);
  await db.run('DETACH stage');
});

test('holes and gaps are what lies between islands, with the record behind them', async () => {
  await db.run(`CREATE OR REPLACE TABLE main.base_batches AS SELECT 0 AS batch, 'sessions.jsonl' AS file`);
  await fc.assert(
    fc.asyncProperty(anyRows, async (rows) => {
      await makeCalls('main.base_calls', rows);
      await fillSeqs(db);
      const all = islandsOf(rows);
      const holes = all.flatMap(([writer, , last], i) => {
        const [next, first] = all[i + 1] ?? [];
        if (next !== writer || first === undefined) return [];
        const line = rows.findIndex((row) => row[0] === writer && row[1] === first) + 1;
        return [{ writer_id: writer, from_seq: last + 1, to_seq: first - 1, file: 'sessions.jsonl', line }];
      });
      expect(await holesIn(db)).toEqual(holes);
      expect(await missesNumbers(db)).toBe(holes.length > 0);
      const writers = [...new Set(holes.map(({ writer_id }) => writer_id))];
      const gaps = writers.map((writer_id) => {
        const own = holes.filter((hole) => hole.writer_id === writer_id);
        return {
          writer_id,
          missing: own.reduce((sum, { from_seq, to_seq }) => sum + (to_seq - from_seq + 1), 0),
          ranges: own.slice(0, 3).map(({ from_seq: from, to_seq: to }) => ({ from, to })),
          more: Math.max(own.length - 3, 0),
          last: own.at(-1)!.to_seq,
          where: `sessions.jsonl:${own[0]!.line}`,
        };
      });
      const found = await gapsOf(db);
      expect(found).toHaveLength(gaps.length);
      expect(found).toEqual(expect.arrayContaining(gaps));
      expect(found.map(({ missing }) => missing)).toEqual(
        found.map(({ missing }) => missing).sort((a, b) => b - a),
      );
    }),
    { numRuns: nightly ? 40 : 14 },
  );
});
