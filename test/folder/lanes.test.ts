import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Database, openDatabase } from '../../src/lake/duckdb/connection.js';
import { inLanes } from '../../src/lake/folder/lanes.js';

let db: Database;
beforeAll(async () => {
  db = await openDatabase(null, '200MB');
});
afterAll(() => db.close());

const count = async (own: Database, rows: number): Promise<number> => {
  const [row] = await own.objects<{ n: number }>(`SELECT count(*) AS n FROM range(${rows})`);
  return Number(row!.n);
};

test('results come in the order of the work, whichever ends first', async () => {
  const work = [3_000_000, 1, 20, 2_000_000, 0, 7];
  expect(await inLanes(db, work, count)).toEqual(work);
  expect(await inLanes(db, [], count)).toEqual([]);
});

test('tables of the first connection are seen by the others, which tell time in UTC too', async () => {
  await db.run('CREATE TABLE t AS SELECT 42 AS n');
  const zones = await inLanes(db, [1, 2, 3, 4], (own) =>
    own.objects<{ n: number; zone: string }>(
      `SELECT n, current_setting('TimeZone') AS zone FROM memory.main.t`,
    ),
  );
  expect(zones.flat()).toEqual(Array(4).fill({ n: 42, zone: 'UTC' }));
});

test('after a failure nothing more is begun, what was begun has ended, and the first reason is thrown', async () => {
  let going = 0;
  const begun: number[] = [];
  const work = Array.from({ length: 40 }, (_, i) => i);
  const each = async (own: Database, i: number) => {
    begun.push(i);
    going++;
    try {
      return await (i === 0 ? own.rows("SELECT error('the first')") : count(own, 200_000));
    } finally {
      going--;
    }
  };
  await expect(inLanes(db, work, each)).rejects.toThrow('the first');
  expect(going).toBe(0);
  expect(begun.length).toBeLessThan(work.length);
  expect(await count(db, 5)).toBe(5);
});

test('what a failure of the engine means, the others know too', async () => {
  const own = await openDatabase(null, '200MB');
  own.explainFailures(() => new Error('what it means'));
  const failing = inLanes(own, [1, 2, 3], (one) => one.rows('SELECT nothing'));
  await expect(failing).rejects.toThrow('what it means');
  own.close();
});
