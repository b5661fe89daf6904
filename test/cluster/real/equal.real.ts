/** All questions give the same rows in the same order, whatever answers: the logs in memory, a lake file, the folder, and Trino over it. */
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { type Filters, NO_FILTERS } from '../../../src/lake/lake.js';
import { ALL_QUESTIONS } from '../../dialect/cases.js';
import { everything, type Logs, TABLES, written } from '../../folder/everything.js';
import { lakeUse } from '../../folder/folder-lake.js';
import { scenarioFolders } from '../../oracle/make-expected.mjs';
import { tempFolder } from '../../support/lake.js';
import { expectAlike, fractionsMayDiffer } from '../alike.js';
import { drawn } from '../asked.js';
import { publishFleet } from '../fleet.js';
import { cluster, declare, fill, folderOf, trinoOf, untilActive } from './world.js';

fractionsMayDiffer();
beforeAll(untilActive);

interface Published {
  readonly name: string;
  readonly paths: readonly string[];
}

async function published(name: string, logs: readonly Logs[]): Promise<Published> {
  const all = written(logs);
  await fill(name, Object.fromEntries(all.map(({ host, files }) => [host, files])));
  return { name, paths: all.flatMap(({ files }) => files) };
}

async function expectEqual(
  { name, paths }: Published,
  filters: Filters,
  gatedKinds: readonly string[],
  tables: readonly string[],
) {
  const over = (lake: string | null, given: readonly string[]) => {
    const options = lake === null ? { filters } : { filters, lake: lakeUse(lake) };
    return everything({ options, paths: given }, gatedKinds, ALL_QUESTIONS, tables);
  };
  const there = await over(trinoOf(name), []);
  expect(there).toEqual(await over(folderOf(name), []));
  expect(there).toEqual(await over(null, paths));
  expect(there).toEqual(await over(path.join(tempFolder(), 'lake.duckdb'), paths));
}

const ASKED: readonly (readonly [string, Filters, readonly string[]])[] = [
  ['no filters', NO_FILTERS, ['fill']],
  [
    'time zone, window, models, gated kinds',
    {
      ...{ tz: 'America/St_Johns', since: '2026-08-30', until: '2026-11-30T12:00:00.123456Z' },
      model: ["o'neill\\", 'gpt-4.1', 'gpt-4.1-mini', 'claude-sonnet-4-5', '模型'],
      ...{ kind: [], daemon: [], environment: [] },
    },
    ["e'mail\\", 'email', 'fill'],
  ],
  [
    'kinds, daemons, weeks of Kathmandu',
    { ...NO_FILTERS, tz: 'Asia/Kathmandu', kind: ['fill', 'email'] },
    [],
  ],
];

const logsIn = (folder: string): Logs[] =>
  ['sessions.jsonl', 'replay_runs.jsonl']
    .map((name) => [name, path.join(folder, name)] as const)
    .filter(([, file]) => existsSync(file))
    .map(([name, file]) => ({ [name]: readFileSync(file) }));

describe('all fixtures, as the logs of many hosts', () => {
  let all: Published;
  beforeAll(async () => {
    all = await published('all', scenarioFolders().flatMap(logsIn));
  });
  test.each(cluster.isFull ? ASKED : ASKED.slice(0, 1))('%s', (_, filters, gatedKinds) =>
    expectEqual(all, filters, gatedKinds, cluster.isFull ? TABLES : []),
  );
});

describe.runIf(cluster.isFull)('each fixture by itself', () => {
  const folders = scenarioFolders().filter((folder) =>
    logsIn(folder).some((one) => Object.values(one).some(({ length }) => length > 0)),
  );
  test.each(folders.map((folder, i) => [path.basename(folder), folder, ASKED[i % ASKED.length]!] as const))(
    '%s',
    async (name, folder, [, filters, gatedKinds]) => {
      const one = await published(`only_${name.replaceAll(/\W/g, '_')}`, logsIn(folder));
      await expectEqual(one, filters, gatedKinds, []);
    },
  );
});

const seed = Number(process.env.LAKELOG_SEED ?? Date.now() % 2 ** 31);

describe.runIf(cluster.isFull)(`random logs of several hosts (LAKELOG_SEED=${seed})`, () => {
  test.each(drawn(50, seed).map((one, i) => [i, one] as const))('%i', async (i, asked) => {
    const name = `random${i}`;
    const paths = await publishFleet(folderOf(name), asked.fleet);
    await untilActive();
    await declare(name);
    await expectAlike(asked, { paths, folder: folderOf(name), engine: trinoOf(name) });
  });
});
