/** kill -9 at moments that are spread over all changes of files that a run makes, and two runs at once. */
import { spawn } from 'node:child_process';
import { cpSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { openFolderLake } from '../../src/lake/folder/making.js';
import { LocalPlace } from '../../src/lake/folder/place.js';
import { lookInto } from '../../src/lake/folder/state.js';
import type { BatchReceipt } from '../../src/schema/batch.js';
import {
  lakelog as binary,
  call,
  command,
  envelope,
  newFolder,
  nightly,
  replayRun,
  root,
} from '../support/cli.js';
import { lakelog } from '../support/program.js';
import { filesIn, publish, receiptsIn, saidBy, writeHostLogs } from './folder-lake.js';

/** Each of publishing and of compaction; 50 and 500 in all. */
const MOMENTS = Number(process.env.LAKELOG_KILLS ?? (nightly ? 250 : 25));
const TIMEOUT = 3_600_000;
/** Whatever the clock of this machine says, days of then are over. */
const THEN = new Date('2024-10-01T00:00:00Z');
const lines = (...all: string[]) => Buffer.from(all.map((line) => `${line}\n`).join(''));

function copyOf(from: string): string {
  const copy = path.join(newFolder(), 'lake/');
  cpSync(from, copy, { recursive: true, preserveTimestamps: true });
  return copy;
}

const PRELOAD = pathToFileURL(path.join(root, 'test/support/kill-at.mjs')).href;

/** @returns the signal that ended it. */
function run(args: readonly string[], env: Record<string, string>): Promise<NodeJS.Signals | null> {
  const { file, args: all, options } = command(args, { env });
  const child = spawn(file, ['--import', PRELOAD, ...all], { ...options, stdio: 'ignore' });
  return new Promise((resolve, reject) =>
    child.once('error', reject).once('close', (_, signal) => resolve(signal)),
  );
}

/** How many changes of files such a run makes in a lake. */
async function changesOf(args: (lake: string) => readonly string[], from: string): Promise<number> {
  const lake = copyOf(from);
  const told = path.join(newFolder(), 'count');
  expect(await run(args(lake), { LAKELOG_KILL_UNDER: lake, LAKELOG_KILL_COUNT: told })).toBeNull();
  return Number(readFileSync(told, 'utf8'));
}

/** So many moments of so many changes: each once and again, or every few. */
const spread = (changes: number): number[] =>
  Array.from({ length: MOMENTS }, (_, i) =>
    MOMENTS < changes ? 1 + Math.floor((i * changes) / MOMENTS) : 1 + (i % changes),
  );

/** What others see of a lake, and who is at work there. */
function seen(lake: string): string {
  const stages = readdirSync(path.join(lake, '.staging'), { recursive: true, encoding: 'utf8' });
  return JSON.stringify([
    filesIn(lake),
    stages
      .map((name) => path.basename(name))
      .filter(isOfBatch)
      .sort(),
  ]);
}
const isOfBatch = (name: string) => /^(c-)?[0-9a-f]{64}\.json$/.test(name);

/** What stands there is what receipts say, to the last byte. Beside that a gate counts; every few moments it does. */
function stands(lake: string) {
  const { problems, receipts } = lookInto(openFolderLake(lake, '/'), { env: {}, hashed: () => true });
  const calls = receipts.reduce((sum, { tables }) => sum + (tables.base_calls?.rows ?? 0), 0);
  return { code: 0, says: problems.map(({ detail }) => detail), calls };
}
const EVERY = nightly ? 1 : 5;

async function alarmed(lake: string) {
  const ran = await lakelog(['alarm', '--lake', lake, '--json'], { now: () => THEN });
  const { verdict, receipt } = envelope(ran);
  return {
    code: ran.code,
    says: verdict!.cannot_vouch.map(({ message }) => message),
    calls: receipt.calls_loaded,
  };
}

const isData = (file: string) => file.endsWith('.parquet');
/** All that is published, but for when and by whom. */
const published = (lake: string) => ({
  rows: filesIn(lake)
    .filter(isData)
    .map((name) => [
      name,
      name.startsWith('base_batches') ? '' : readFileSync(path.join(lake, name), 'latin1'),
    ]),
  receipts: receiptsIn(lake).map(withoutWho),
});
function withoutWho({ id, account, kinds, rejects, newest_record, tables, file }: BatchReceipt) {
  const { base_batches: _, ...others } = tables;
  return { id, account, kinds, rejects, newest_record, tables: others, before: file.before, head: file.head };
}

function draftsAreOld(): void {
  const { staged } = LocalPlace.prototype;
  vi.spyOn(LocalPlace.prototype, 'staged').mockImplementation(function (this: LocalPlace, now = Date.now()) {
    return staged.call(this, now + 120_000);
  });
}
afterEach(() => void vi.restoreAllMocks());

describe('publishing, killed at any moment', () => {
  let begun: string;
  let whole: string;
  let logs: string[];
  let changes: number;
  const counts = [2, 3, 1];
  const sync = (host: string) => (lake: string) => ['sync', '--lake', lake, '--host', host, ...logs];
  /** All prefixes of the batches. */
  const allowed = counts.map((_, i) => counts.slice(0, i + 1).reduce((sum, count) => sum + count, 0));

  beforeAll(async () => {
    const folder = newFolder();
    let n = 0;
    const some = (count: number, day: number) =>
      Array.from({ length: count }, () =>
        call({ timestamp: `2024-09-0${day}T08:00:00Z`, call_id: `c${++n}` }),
      );
    const contents = counts.map((count, i) => [
      ...some(count, 1 + (i % 3)),
      replayRun({ timestamp: '2024-09-05T08:00:00Z' }),
    ]);
    logs = contents.map(
      (content, i) => writeHostLogs(folder, `l${i}`, { 'sessions.jsonl': lines(...content) })[0]!,
    );
    begun = path.join(newFolder(), 'lake/');
    await publish(begun, 'web1', [logs[0]!], { now: THEN });
    whole = copyOf(begun);
    await publish(whole, 'web1', logs, { now: THEN });
    changes = await changesOf(sync('web1'), begun);
  });

  test(
    'each batch is there whole or not at all, and the next run makes it what an undisturbed one makes',
    async () => {
      const expected = published(whole);
      expect(changes).toBeGreaterThan(50);
      const [looked, ended] = [new Set<string>(), new Set<string>()];
      for (const [i, at] of spread(changes).entries()) {
        const lake = copyOf(begun);
        const where = { LAKELOG_KILL_UNDER: lake };
        expect(await run(sync('web1')(lake), { ...where, LAKELOG_KILL_AT: `${at}` }), `at ${at}`).toBe(
          'SIGKILL',
        );
        // And the one that was to end it, at another moment.
        if (i >= changes)
          await run(sync('web1')(lake), { ...where, LAKELOG_KILL_AT: `${1 + ((7 * i) % changes)}` });
        const now = seen(lake);
        if (!looked.has(now)) {
          const after = i % EVERY === 0 ? await alarmed(lake) : stands(lake);
          // Of logs that it had not looked at before, it says that it began to.
          const others = after.says.filter(
            (one) => !/^its first look there has not come to its end/.test(one),
          );
          expect({ at, others }).toEqual({ at, others: [] });
          expect(after.code, `at ${at}`).toBe(after.says.length > 0 ? 3 : 0);
          expect(allowed, `at ${at}`).toContain(after.calls);
        }
        looked.add(now);
        // Whoever comes next may be another one that has these logs.
        const next = i % 3 === 2 ? 'web2' : 'web1';
        if (ended.has(`${next} ${now}`)) continue;
        ended.add(`${next} ${now}`);
        // Another host would wait for a minute, for the first may be at work somewhere.
        if (next === 'web2') draftsAreOld();
        await publish(lake, next, logs, { now: THEN });
        vi.restoreAllMocks();
        expect(published(lake), `at ${at}, then ${next}`).toEqual(expected);
      }
      expect(looked.size).toBeGreaterThan(10);
    },
    TIMEOUT,
  );

  test(
    'two publishers of the same logs at once make what one makes, whether they are of one host or of two',
    async () => {
      for (const hosts of [
        ['web1', 'web1'],
        ['web1', 'web2'],
      ]) {
        const lake = copyOf(begun);
        const ran = await Promise.all(hosts.map((host) => binary(sync(host)(lake))));
        expect(
          ran.map(({ code }) => code),
          ran.map(({ stderr }) => stderr).join('\n'),
        ).toEqual([0, 0]);
        expect(published(lake)).toEqual(published(whole));
        expect(await alarmed(lake)).toMatchObject({ code: 0, says: [], calls: allowed.at(-1) });
      }
    },
    TIMEOUT,
  );

  test(
    'so do two of which one is killed',
    async () => {
      const times = nightly ? 50 : 1;
      for (let i = 1; i <= times; i++) {
        const lake = copyOf(begun);
        const at = `${Math.ceil((i * changes) / (times + 1))}`;
        const [signal, other] = await Promise.all([
          run(sync('web1')(lake), { LAKELOG_KILL_UNDER: lake, LAKELOG_KILL_AT: at }),
          binary(sync('web2')(lake)),
        ]);
        // It may have had less to do than alone, and then lived.
        expect([null, 'SIGKILL']).toContain(signal);
        // What the killed one has put and not committed may be of one that is at work: then somebody comes again.
        if (other.code !== 0) {
          expect([other.code, other.stderr]).toEqual([3, expect.stringContaining('another run publishes')]);
          await publish(lake, 'web1', logs, { now: THEN });
        }
        expect(published(lake), `at ${at}`).toEqual(published(whole));
      }
    },
    TIMEOUT,
  );
});

describe('compaction, killed at any moment', () => {
  let small: string;
  let expected: ReturnType<typeof merged>;
  const args = (lake: string) => ['lake', 'compact', '--lake', lake, '--grace', '0'];
  const later = { now: () => new Date('2024-10-02T00:00:00Z') };
  const merged = (lake: string) =>
    filesIn(lake)
      .filter((name) => !name.startsWith('compactions/'))
      .map((name) => [name, readFileSync(path.join(lake, name), 'latin1')]);

  beforeAll(async () => {
    small = path.join(newFolder(), 'lake/');
    const folder = newFolder();
    let content: string[] = [];
    for (const n of [1, 2, 3]) {
      content = [
        ...content,
        call({ timestamp: `2024-09-0${n}T08:00:00Z`, call_id: `a${n}` }),
        call({ timestamp: '2024-09-05T08:00:00Z', call_id: `b${n}` }),
      ];
      const [log] = writeHostLogs(folder, 'web1', { 'sessions.jsonl': lines(...content) });
      await publish(small, 'web1', [log!], { now: THEN });
    }
    const whole = copyOf(small);
    expect((await lakelog(args(whole), later)).code).toBe(0);
    expect(await saidBy(whole)).toEqual(await saidBy(small));
    expected = merged(whole);
  });

  test('two at once make what one makes', async () => {
    const lake = copyOf(small);
    const ran = await Promise.all([binary(args(lake)), binary(args(lake))]);
    expect(
      ran.map(({ code }) => code),
      ran.map(({ stderr }) => stderr).join('\n'),
    ).toEqual([0, 0]);
    expect(merged(lake)).toEqual(expected);
  });

  test(
    'rows and receipts are where they were or where they are now, and the next run comes to its end',
    async () => {
      const changes = await changesOf(args, small);
      expect(changes).toBeGreaterThan(40);
      const looked = new Set<string>();
      for (const [i, at] of spread(changes).entries()) {
        const lake = copyOf(small);
        const where = { LAKELOG_KILL_UNDER: lake };
        expect(await run(args(lake), { ...where, LAKELOG_KILL_AT: `${at}` }), `at ${at}`).toBe('SIGKILL');
        if (i >= changes) await run(args(lake), { ...where, LAKELOG_KILL_AT: `${1 + ((7 * i) % changes)}` });
        const now = seen(lake);
        if (looked.has(now)) continue;
        looked.add(now);
        const after = i % EVERY === 0 ? await alarmed(lake) : stands(lake);
        expect({ at, ...after }).toMatchObject({ code: 0, says: [], calls: 6 });
        const again = await lakelog(args(lake), later);
        expect(again.code, again.stderr).toBe(0);
        expect(merged(lake), `at ${at}`).toEqual(expected);
      }
      expect(looked.size).toBeGreaterThan(10);
    },
    TIMEOUT,
  );
});
