/** Generated logs of eight hosts, of the given size and of a quarter of it: equal answers, and what they cost. */
import path from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { NO_FILTERS } from '../../../src/lake/lake.js';
import { ALL_QUESTIONS } from '../../dialect/cases.js';
import { everything } from '../../folder/everything.js';
import { lakeUse } from '../../folder/folder-lake.js';
import { tempFolder } from '../../support/lake.js';
import { writeLogs } from './logs.mjs';
import {
  askFolder,
  askTrino,
  cluster,
  fill,
  folderOf,
  queriesOf,
  toldBy,
  trinoOf,
  untilActive,
} from './world.js';

const HOSTS = 8;
const SIZES = { quarter: 0.25, whole: 1 } as const;
type Size = keyof typeof SIZES;

describe.runIf(cluster.megabytes > 0)(`${cluster.megabytes} MB of eight hosts`, () => {
  const calls = { quarter: 0, whole: 0 };
  const paths: Record<Size, string[]> = { quarter: [], whole: [] };
  beforeAll(async () => {
    await untilActive();
    for (const [size, share] of Object.entries(SIZES) as [Size, number][]) {
      const folder = tempFolder();
      const hosts = Array.from({ length: HOSTS }, (_, i) => `web${i}`);
      for (const [i, host] of hosts.entries())
        calls[size] += writeLogs(
          path.join(folder, host),
          host,
          i + 1,
          (cluster.megabytes * share * 2 ** 20) / HOSTS,
        );
      paths[size] = hosts.map((host) => path.join(folder, host));
      await fill(size, Object.fromEntries(hosts.map((host, i) => [host, [paths[size][i]!]])));
    }
  });

  test('all questions: rows equal in order in memory, of the folder, and of Trino', async () => {
    const over = (lake: string) =>
      everything(
        { options: { filters: NO_FILTERS, lake: lakeUse(lake) }, paths: [] },
        ['fill'],
        ALL_QUESTIONS,
        [],
      );
    const there = await over(trinoOf('whole'));
    expect(there).toEqual(await over(folderOf('whole')));
    const inMemory = { options: { filters: NO_FILTERS }, paths: paths.whole };
    expect(there).toEqual(await everything(inMemory, ['fill'], ALL_QUESTIONS, []));
  });

  test.each([['alarm'], ['rejections'], ['first-shot-rate', '--by', 'model,day'], ['corpus']])(
    '%s: wall and CPU',
    async (...question) => {
      const told: string[] = [];
      for (const size of ['quarter', 'whole', 'quarter', 'whole'] as const) {
        const before = new Set((await queriesOf('lakelog')).map(({ queryId }) => queryId));
        const began = performance.now();
        const ran = await askTrino(size, [...question, '--json']);
        const wall = performance.now() - began;
        const mine = (await queriesOf('lakelog')).filter(({ queryId }) => !before.has(queryId));
        const cpu = mine.reduce((sum, { queryStats }) => sum + secondsOf(queryStats.totalCpuTime), 0);
        const here = performance.now();
        expect(toldBy(ran).rows).toEqual(toldBy(await askFolder(size, [...question, '--json'])).rows);
        const folder = performance.now() - here;
        told.push(
          `${question[0]} over ${calls[size]} calls: ${(wall / 1000).toFixed(2)} s wall, ${mine.length} statements, ${cpu.toFixed(2)} s of Trino's CPU (the folder itself: ${(folder / 1000).toFixed(2)} s)`,
        );
      }
      process.stdout.write(`${told.join('\n')}\n`);
    },
  );
});

/** Of `1.23s`, `45.6ms`, `2.00m`. */
function secondsOf(text: string): number {
  const [, number, unit] = /^([\d.]+)(\w+)$/.exec(text)!;
  return Number(number) * { ns: 1e-9, us: 1e-6, ms: 1e-3, s: 1, m: 60, h: 3600 }[unit as 's'];
}
