/** A lake loads what is asked for and no more; what it says is what a lake says that loads all there is. */
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Lake, openLake } from '../../src/lake/lake.js';
import { publishedTables } from '../../src/lake/tables/published.js';
import { bindParams } from '../../src/query/params.js';
import type { Account, Reject } from '../../src/schema/account.js';
import { byDay, nightly } from '../support/cli.js';
import { catalogue, root, rowsOf, runOptions } from '../support/lake.js';

const PUBLISHED = publishedTables().filter(({ columns, name }) => columns.length > 0 && name !== 'params');
const EVERYTHING = PUBLISHED.map(({ name }) => `SELECT * FROM ${name}`);
const INPUTS = [
  { path: 'sessions.jsonl', as: 'any' as const },
  { path: 'replay_runs.jsonl', as: 'any' as const },
];

async function withAsked<T>(
  asks: readonly string[],
  options: { readonly everyReject?: boolean; readonly hashes?: boolean; readonly showContent?: boolean },
  use: (lake: Lake, account: Account) => Promise<T>,
): Promise<T> {
  const run = runOptions({ cwd: path.join(root, 'fixtures/messy'), showContent: true });
  const lake = await openLake({ ...run, ...options, asks, gatedKinds: ['fill'], params: {} });
  try {
    return await use(lake, await lake.load(INPUTS));
  } finally {
    lake.close();
  }
}

let all: Lake;
let account: Account;
let rejects: Reject[];
beforeAll(async () => {
  const run = runOptions({ cwd: path.join(root, 'fixtures/messy'), showContent: true });
  const options = { gatedKinds: ['fill'], params: {}, everyReject: true, hashes: true };
  all = await openLake({ ...run, ...options, asks: EVERYTHING });
  account = await all.load(INPUTS);
  rejects = await all.rejects();
});
afterAll(() => all.close());

test('the account is the same, however little is asked', async () => {
  expect(account.files.every(({ rejected, loaded }) => rejected > 0 && loaded > 0)).toBe(true);
  expect(account.conflicts).toBeGreaterThan(0);
  const asks = [
    [],
    ['SELECT 1 AS one'],
    ['SELECT count(*) FROM sessions'],
    ...catalogue.map(({ sql }) => [sql]),
  ];
  const ways = [{}, { hashes: true }, { everyReject: true }, { showContent: false }];
  for (const [i, ask] of asks.entries()) {
    for (const options of nightly ? ways : [ways[i % 4]!]) {
      await withAsked(ask, options, async (lake, narrow) => {
        expect(narrow).toEqual(account);
        if (options.everyReject) expect(await lake.rejects()).toEqual(rejects);
      });
    }
  }
});

/** Alone each night, twenty at a time else: opening a lake is what takes time. */
const TOGETHER = nightly ? 1 : 20;

test.each(PUBLISHED)('columns of $name, asked for alone', async ({ name, columns }) => {
  for (let i = 0; i < columns.length; i += TOGETHER) {
    const some = columns.slice(i, i + TOGETHER).map((column) => `"${column.name}"`);
    const sql = `SELECT ${some.join(', ')} FROM ${name} ORDER BY ALL`;
    const wanted = await rowsOf(all, sql);
    expect(wanted.length).toBeGreaterThan(0);
    await withAsked([sql], {}, async (lake, narrow) => {
      expect({ sql, rows: await rowsOf(lake, sql) }).toEqual({ sql, rows: wanted });
      expect(narrow).toEqual(account);
    });
  }
});

test.each(byDay(catalogue, 2))('the question $name', async (question) => {
  const { columns } = bindParams(question, {});
  const answers: object[] = [];
  for (const more of [[], EVERYTHING]) {
    await withAsked([question.sql, ...more], {}, async (lake) => {
      await lake.setParams(columns);
      answers.push(await rowsOf(lake, question.sql));
    });
  }
  expect(answers[0]).not.toEqual([]);
  expect(answers[0]).toEqual(answers[1]);
});
