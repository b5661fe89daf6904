/** The printed SQL gives the rows of lakelog itself, over a folder of Parquet that the printed declarations declare. */
import path from 'node:path';
import { DuckDBInstance, DuckDBTimestampTZValue } from '@duckdb/node-api';
import { describe, expect, test } from 'vitest';
import { rfc3339 } from '../../src/instant.js';
import { declarations } from '../../src/lake/declare.js';
import { DIALECTS } from '../../src/lake/printed.js';
import { tempFolder } from '../support/lake.js';
import { alike, batchesOf, CASES, ownRows, printedFor, type Rows } from './cases.js';
import { copyLake } from './copied-lake.js';

const isNightly = process.env.LAKELOG_NIGHTLY === '1';

/** DuckDB as anybody has it: the clock of the session is not UTC. */
async function bareDuckDb(dir: string): Promise<(sql: string) => Promise<Rows>> {
  const db = await (await DuckDBInstance.create(':memory:', { threads: '1' })).connect();
  await db.run("SET TimeZone = 'Asia/Kathmandu'");
  for (const one of declarations('duckdb', dir, false).split(';')) {
    // A table that no batch has rows of has no file.
    await db.run(one).catch((error: Error) => expect(error.message).toMatch(/No files found/));
  }
  return async (sql) =>
    (await db.runAndReadAll(sql)).getRows().map((row) =>
      row.map((cell) => {
        if (typeof cell === 'bigint') return Number(cell);
        return cell instanceof DuckDBTimestampTZValue
          ? rfc3339(cell.micros)
          : (cell as string | number | boolean | null);
      }),
    );
}

/** Each case at least once, and more of the log that has everything. */
const BY_DAY: Readonly<Record<string, (i: number) => boolean>> = {
  healthy: (i) => i % 3 === 0,
  alarm: (i) => i % 3 === 1,
  messy: (i) => i % 3 === 2 || i % 6 === 0,
};

describe.each(['healthy', 'alarm', 'messy'])('fixtures/%s in a folder of Parquet', (scenario) => {
  test('DuckDB gives the rows of lakelog', async () => {
    const batches = batchesOf(scenario);
    const dir = path.join(tempFolder(), "it's a lake");
    await copyLake(dir, batches);
    const ask = await bareDuckDb(dir);
    const cases = isNightly ? CASES : CASES.filter((_, i) => BY_DAY[scenario]!(i));
    const wanted = await ownRows(batches, cases);
    for (const one of cases) {
      const rows = await ask(await printedFor(DIALECTS.duckdb, one));
      expect(alike(one, rows), one.name).toEqual(alike(one, wanted.get(one.name)!));
    }
    // Or nothing was compared.
    expect([...wanted.values()].flat().length).toBeGreaterThan(isNightly ? 100 : 30);
  }, 300_000);
});
