/** docs/SCALE.md: its tables are those that bench/scale.mjs computes from the slopes that the page names. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { root } from '../support/lake.js';

const page = readFileSync(path.join(root, 'docs/SCALE.md'), 'utf8');
/** JavaScript without declarations: what it exports is `any`. */
const scale = () => import(path.join(root, 'bench/scale.mjs'));

test('the tables are those of bench/scale.mjs', async () => {
  const { withTables } = await scale();
  expect(withTables(page)).toBe(page);
});

test('ten times the calls are ten times the bytes, receipts and CPU', async () => {
  const { scaleOf } = await scale();
  const [one, ten] = [scaleOf(1e9), scaleOf(1e10)];
  for (const name of ['hosts', 'logBytes', 'parquet', 'filesHourly', 'syncHours', 'alarmS', 'storageUsd'])
    expect(ten[name] / one[name], name).toBeCloseTo(10);
  expect(one.batches).toEqual({ nightly: 73_000, hourly: 876_000, minutely: 52_560_000 });
  expect([one.receiptsS(1e6), one.mergedS(1e6)]).toEqual([44, 37]);
  expect(one.receiptFiles(1e6)).toBe(55);
});
