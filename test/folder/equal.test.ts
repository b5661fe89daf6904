import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import type { RunOptions } from '../../src/query/run.js';
import { scenarioFolders } from '../oracle/make-expected.mjs';
import { randomFilters, randomGatedKinds } from '../oracle/random-logs.mjs';
import { nightly, replayRun } from '../support/cli.js';
import fc from '../support/fast-check.js';
import { filtersFrom, tempFolder } from '../support/lake.js';
import { everything, hosts, type Logs, written } from './everything.js';
import { lakeUse, newLake, publish } from './folder-lake.js';

const RUNS = nightly ? 50 : 1;

async function compareAll(
  logs: readonly Logs[],
  options: Partial<RunOptions> = {},
  gatedKinds: readonly string[] = ['fill'],
  inFileToo = nightly,
): Promise<void> {
  const published = written(logs);
  const lake = newLake();
  for (const { host, files } of published) await publish(lake, host, files);
  const paths = published.flatMap(({ files }) => files);
  const inMemory = await everything({ options, paths }, gatedKinds);
  const inFolder = await everything({ options: { ...options, lake: lakeUse(lake) }, paths: [] }, gatedKinds);
  expect(inFolder).toEqual(inMemory);
  if (!inFileToo) return;
  const file = path.join(tempFolder(), 'lake.duckdb');
  const inFile = await everything({ options: { ...options, lake: lakeUse(file) }, paths }, gatedKinds);
  expect(inFile).toEqual(inMemory);
}

/** What a healthy log has the two others have too. */
const scenarios = scenarioFolders().filter((folder) => nightly || path.basename(folder) !== 'healthy');

test.each(scenarios)('%s: a folder answers as memory and a lake file do', async (folder) => {
  const logs = ['sessions.jsonl', 'replay_runs.jsonl'].flatMap((name) => {
    try {
      return [{ [name]: readFileSync(path.join(folder, name)) }];
    } catch {
      return [];
    }
  });
  if (logs.every((one) => Object.values(one)[0]!.length === 0)) return;
  await compareAll(logs);
});

test(
  'random logs of several hosts: a folder answers as memory and a lake file do',
  async () => {
    await fc.assert(
      fc.asyncProperty(hosts, randomFilters(), randomGatedKinds(), async (logs, filters, gatedKinds) => {
        await compareAll(logs, { filters: filtersFrom(filters) }, gatedKinds, true);
      }),
      { numRuns: RUNS, endOnFailure: true },
    );
  },
  nightly ? 1_800_000 : 120_000,
);

test('replay runs alone: no trace is missed where there is no call at all', async () => {
  const run = replayRun({ timestamp: '2026-09-05T08:00:00Z' });
  await compareAll([{ 'replay_runs.jsonl': Buffer.from(`${run}\n`) }], {}, ['fill'], true);
});
