import { cpSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { beforeAll, describe, expect, test } from 'vitest';
import { lakelog as binary, call, envelope, newFolder, nightly, replayRun, start } from '../support/cli.js';
import { lakelog } from '../support/program.js';
import { filesIn, NOW, publish, receiptsIn, saidBy, writeHostLogs } from './folder-lake.js';

/** Each of publishing and of compaction; 10 and 500 in all. */
const MOMENTS = Number(process.env.LAKELOG_KILLS ?? (nightly ? 250 : 5));
const TIMEOUT = MOMENTS > 5 ? 3_600_000 : 120_000;
const lines = (...all: string[]) => Buffer.from(all.map((line) => `${line}\n`).join(''));

function copyOf(from: string): string {
  const copy = path.join(newFolder(), 'lake/');
  cpSync(from, copy, { recursive: true, preserveTimestamps: true });
  return copy;
}

/** Files of the lake, what is being made among them. */
function countIn(lake: string): number {
  try {
    return readdirSync(lake, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
      .length;
  } catch {
    return 0;
  }
}

/** Runs it until so many files are there, and some microseconds more. @returns whether it was killed. */
async function killedAt(args: readonly string[], lake: string, files: number): Promise<boolean> {
  const child = start(args);
  let isOver = false;
  const ended = new Promise<void>((resolve) =>
    child.once('close', () => {
      isOver = true;
      resolve();
    }),
  );
  child.stdout!.resume();
  child.stderr!.resume();
  while (!isOver && countIn(lake) < files) await sleep(1);
  const wasRunning = !isOver;
  child.kill('SIGKILL');
  await ended;
  return wasRunning;
}

async function alarmed(lake: string) {
  const ran = await lakelog(['alarm', '--lake', lake, '--json'], { now: () => NOW });
  const { verdict, receipt } = envelope(ran);
  return {
    code: ran.code,
    says: verdict!.cannot_vouch.map(({ message }) => message),
    calls: receipt.calls_loaded,
  };
}

describe('publishing, killed at any moment', () => {
  let begun: string;
  let whole: string;
  let logs: string[];
  let most: number;
  const counts = [2, 3, 1, 2];

  beforeAll(async () => {
    const folder = newFolder();
    let n = 0;
    const some = (count: number, day: number) =>
      Array.from({ length: count }, () =>
        call({ timestamp: `2026-09-0${day}T08:00:00Z`, call_id: `c${++n}` }),
      );
    const contents = counts.map((count, i) => [
      ...some(count, 1 + (i % 3)),
      replayRun({ timestamp: '2026-09-05T08:00:00Z' }),
    ]);
    const paths = contents.map(
      (content, i) => writeHostLogs(folder, `l${i}`, { 'sessions.jsonl': lines(...content) })[0]!,
    );
    begun = path.join(newFolder(), 'lake/');
    await publish(begun, 'web1', [paths[0]!]);
    logs = paths;
    whole = copyOf(begun);
    const ran = await binary(['sync', '--lake', whole, '--host', 'web1', ...logs]);
    expect(ran.code, ran.stderr).toBe(0);
    most = countIn(whole) + 8;
  });

  test(
    'each batch is there whole or not at all, and the next run makes it what an undisturbed one makes',
    async () => {
      const expected = await saidBy(whole);
      const files = filesIn(whole);
      const least = countIn(begun);
      // All prefixes of the batches.
      const allowed = counts.map((_, i) => counts.slice(0, i + 1).reduce((sum, count) => sum + count, 0));
      let killed = 0;
      for (let i = 0; i < MOMENTS; i++) {
        const lake = copyOf(begun);
        const at =
          least + 1 + Math.floor(((most - least) * (i + (MOMENTS > 5 ? Math.random() : 0.5))) / MOMENTS);
        killed += (await killedAt(['sync', '--lake', lake, '--host', 'web1', ...logs], lake, at)) ? 1 : 0;
        const after = await alarmed(lake);
        expect({ at, ...after }).toMatchObject({ code: 0, says: [] });
        expect(allowed, `at ${at}`).toContain(after.calls);
        await publish(lake, 'web1', logs);
        expect(filesIn(lake), `at ${at}`).toEqual(files);
        expect(await saidBy(lake), `at ${at}`).toEqual(expected);
      }
      expect(killed).toBeGreaterThan(0);
    },
    TIMEOUT,
  );

  test(
    'two publishers of the same logs at once make what one makes, whether they are of one host or of two',
    async () => {
      const expected = await saidBy(whole);
      for (const hosts of [
        ['web1', 'web1'],
        ['web1', 'web2'],
      ]) {
        const lake = copyOf(begun);
        const ran = await Promise.all(
          hosts.map((host) => binary(['sync', '--lake', lake, '--host', host, ...logs])),
        );
        expect(
          ran.map(({ code }) => code),
          ran.map(({ stderr }) => stderr).join('\n'),
        ).toEqual([0, 0]);
        expect(filesIn(lake)).toEqual(filesIn(whole));
        // Rows stand in the order of their files, whose names begin with who published them: either host, batch by batch.
        const rows = (said: unknown) =>
          (said as { rows: readonly unknown[] }).rows
            .map((row) => JSON.stringify(row).replaceAll(/web\d:/g, ''))
            .sort();
        expect(rows(await saidBy(lake))).toEqual(rows(expected));
      }
    },
    TIMEOUT,
  );
});

describe('compaction, killed at any moment', () => {
  test(
    'rows are where they were or where they are now, and the next run comes to its end',
    async () => {
      const small = path.join(newFolder(), 'lake/');
      const folder = newFolder();
      let content: string[] = [];
      for (const n of [1, 2, 3]) {
        content = [
          ...content,
          call({ timestamp: `2026-09-0${n}T08:00:00Z`, call_id: `a${n}` }),
          call({ timestamp: '2026-09-05T08:00:00Z', call_id: `b${n}` }),
        ];
        const [log] = writeHostLogs(folder, 'web1', { 'sessions.jsonl': lines(...content) });
        await publish(small, 'web1', [log!], { now: new Date('2026-09-30T12:00:00Z') });
      }
      const before = await saidBy(small);
      const args = (lake: string) => ['lake', 'compact', '--lake', lake, '--grace', '0'];
      const whole = copyOf(small);
      expect((await lakelog(args(whole), { now: () => NOW })).code).toBe(0);
      const files = filesIn(whole);
      const least = countIn(small);
      for (let i = 0; i < MOMENTS; i++) {
        const lake = copyOf(small);
        const at = least + 1 + Math.floor((10 * (i + (MOMENTS > 5 ? Math.random() : 0.5))) / MOMENTS);
        await killedAt(args(lake), lake, at);
        const after = await alarmed(lake);
        expect({ at, ...after }).toMatchObject({ code: 0, says: [], calls: 6 });
        const between = await saidBy(lake);
        expect(between, `at ${at}`).toEqual(withoutNotices(before, between));
        const again = await lakelog(args(lake), { now: () => NOW });
        expect(again.code, again.stderr).toBe(0);
        expect(filesIn(lake).filter(isData), `at ${at}`).toEqual(files.filter(isData));
        expect(await saidBy(lake), `at ${at}`).toEqual(before);
        expect(receiptsIn(lake)).toEqual(receiptsIn(small));
      }
    },
    TIMEOUT,
  );
});

const isData = (file: string) => file.endsWith('.parquet');

/** While it is under way a notice says so. */
function withoutNotices(said: unknown, now: unknown): unknown {
  const { account, rows } = said as { account: object; rows: unknown };
  const { notices } = (now as { account: { notices: unknown } }).account;
  return { account: { ...account, notices }, rows };
}
