/** How many threads the engine has: one where there is little to do, all of them where there is much. */
import { writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { expect, test } from 'vitest';
import { openLake } from '../../src/lake/lake.js';
import { newFolder } from '../support/cli.js';
import { runOptions } from '../support/lake.js';

const LAKE = { name: 'lake.duckdb', lockTimeoutS: 1, sync: true, keepContent: false, rebuild: false };
const ALL = os.availableParallelism();

test.each([
  ['few lines', 30_000, 1, {}],
  ['many lines', 30_001, ALL, {}],
  ['a lake, whatever it holds', 1, ALL, { lake: LAKE }],
])('%s', async (_, lines, threads, given) => {
  const cwd = newFolder();
  writeFileSync(path.join(cwd, 'a.jsonl'), 'null\n'.repeat(lines));
  const asked = { asks: ['SELECT * FROM files'], gatedKinds: ['fill'], params: {} };
  const lake = await openLake({ ...runOptions({ cwd }), ...asked, ...given } as Parameters<
    typeof openLake
  >[0]);
  await lake.load([{ path: 'a.jsonl', as: 'any' }]);
  expect((await lake.query(`SELECT current_setting('threads')`)).cells).toEqual([[threads]]);
  lake.close();
});

test("somebody's own SQL", async () => {
  const cwd = newFolder();
  writeFileSync(path.join(cwd, 'a.jsonl'), 'null\n');
  const sql = 'SELECT COUNT(*) FROM sessions';
  const lake = await openLake({ ...runOptions({ cwd }), asks: [sql], gatedKinds: ['fill'], params: {} });
  const checked = await lake.check(sql, 'test');
  await lake.load([{ path: 'a.jsonl', as: 'any' }]);
  await lake.runBoxed(checked, { parquet: [], most: null });
  expect((await lake.query(`SELECT current_setting('threads')`)).cells).toEqual([[ALL]]);
  lake.close();
});
