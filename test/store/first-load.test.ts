import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  closeSync,
  copyFileSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { openLake } from '../../src/lake/lake.js';
import { call, lakelog, newFolder, nightly, replayRun, start, tries, writeLines } from '../support/cli.js';
import { runOptions } from '../support/lake.js';
import { lakelog as inProcess } from '../support/program.js';
import { contentOf } from './lake-file.js';

const KILLS = tries(10, 60);
/** More than one transaction takes. */
const MEGABYTES = nightly ? 300 : 71;
const LAKE = 'L.duckdb';
const LOGS = ['sessions.jsonl', 'replay_runs.jsonl'];

/** Mostly prompts, so that there are many bytes and few rows; with rejects, duplicates and conflicts. */
function writeLogs(cwd: string): void {
  const prompts = Array.from({ length: 50 }, (_, i) =>
    createHash('sha256')
      .update(String(i))
      .digest('hex')
      .repeat(nightly ? 60 : 600),
  );
  const write = (name: string, megabytes: number, lineOf: (n: number) => string) => {
    const fd = openSync(path.join(cwd, name), 'w');
    let bytes = 0;
    for (let n = 0; bytes < megabytes * 1e6; n += 100) {
      const lines = Array.from({ length: 100 }, (_, i) => `${lineOf(n + i)}\n`).join('');
      bytes += writeSync(fd, lines);
    }
    closeSync(fd);
  };
  write('sessions.jsonl', MEGABYTES - 2, (n) => {
    if (n % 211 === 7) return `not json ${n}`;
    const id = n % 101 === 3 ? n - 1 : n;
    return call({
      session_id: id.toString(16).padStart(32, '0'),
      call_id: `c${n % 307 === 5 ? n - 1 : id}`,
      prompt: prompts[id % 50],
      attempts: [{ verdict: 'rejected', reasons: [`no ${n % 9}`] }, { verdict: 'accepted' }],
      iterations: 2,
    });
  });
  write('replay_runs.jsonl', 2, (n) => replayRun({ session_id: (n + 1).toString(16).padStart(32, '0') }));
}

/** Of every log: whether its bytes are those of which the lake has the hashes. */
async function verified(cwd: string): Promise<string[]> {
  const ran = await inProcess(['lake', 'verify', '--lake', LAKE, '--json'], { cwd });
  return (JSON.parse(ran.stdout).logs as { status: string }[]).map(({ status }) => status);
}

const SYNC = ['sync', '--lake', LAKE, '--json', ...LOGS];

/** More than marks is written ahead: the first transaction of several is at its end. */
async function committed(lake: string, ended: Promise<unknown>): Promise<void> {
  let isOver = false;
  ended.then(() => {
    isOver = true;
  });
  const sizeOf = () => statSync(`${lake}.wal`, { throwIfNoEntry: false })?.size ?? 0;
  while (!isOver && sizeOf() < 100_000) await sleep(2);
}

const FORMS = nightly ? ['plain', 'compressed'] : ['plain'];

test.each(FORMS)(
  'a first load of %s logs that is killed at any moment resumes, and ends as if nothing had been',
  async (form) => {
    const cwd = newFolder();
    writeLogs(cwd);
    const { size: uncompressed } = statSync(path.join(cwd, 'sessions.jsonl'));
    // It keeps its name: what it holds tells what it is.
    if (form === 'compressed') {
      execFileSync('gzip', ['-1', 'sessions.jsonl'], { cwd });
      renameSync(path.join(cwd, 'sessions.jsonl.gz'), path.join(cwd, 'sessions.jsonl'));
    }
    const started = Date.now();
    const undisturbed = await lakelog(SYNC, { cwd });
    const length = Date.now() - started;
    expect(undisturbed.code, undisturbed.stderr).toBe(0);
    const lake = path.join(cwd, LAKE);
    const whole = await contentOf(lake);
    const size = statSync(lake).size;
    const { totals } = JSON.parse(undisturbed.stdout).receipt;
    expect(totals.bytes).toBe(uncompressed + statSync(path.join(cwd, 'replay_runs.jsonl')).size);
    expect(await verified(cwd)).toEqual(['same', 'same']);
    copyFileSync(lake, path.join(cwd, 'undisturbed'));

    let resumed = 0;
    for (let kills = 0; kills < KILLS; kills++) {
      rmSync(lake);
      // Some lakes are killed three times on their way.
      for (let times = kills % (nightly ? 5 : 10) === 0 ? 3 : 1; times > 0; times--) {
        const child = start(['sync', '--lake', LAKE, ...LOGS], { cwd });
        const ended = new Promise((resolve) => child.once('close', resolve));
        const moment = kills === 1 ? committed(lake, ended) : sleep(Math.random() * length);
        await Promise.race([moment, ended]);
        child.kill('SIGKILL');
        await ended;
      }
      const ran = await inProcess(SYNC, { cwd });
      expect(ran.code, ran.stderr).toBe(0);
      const { receipt } = JSON.parse(ran.stdout);
      expect(receipt.totals).toEqual(totals);
      expect(receipt.lake.loading).toBe(false);
      if (receipt.lake.earlier_bytes > 0) resumed++;
      expect(await contentOf(lake)).toEqual(whole);
      expect(statSync(lake).size).toBeLessThan(2 * size);
    }
    expect(resumed).toBeGreaterThan(0);
    // One that was killed before there was a lake leaves its draft, under a name of its own.
    expect(readdirSync(cwd).filter((name) => name === `${LAKE}.wal`)).toEqual([]);
  },
  nightly ? 7_200_000 : 300_000,
);

test('a batch that threads scan has the hash of all its bytes, whatever part they are given of others', async () => {
  const cwd = newFolder();
  writeLines(
    cwd,
    LOGS[0]!,
    Array.from({ length: 50 }, () => call()),
  );
  const lake = await openLake({
    ...runOptions({ cwd }),
    ...{ asks: ['SELECT 1'], gatedKinds: ['fill'], params: {}, threads: { count: 2, above: 0, part: 2_000 } },
    lake: { name: path.join(cwd, LAKE), lockTimeoutS: 1, sync: true, keepContent: false, rebuild: false },
  });
  await lake.load([{ path: LOGS[0]!, as: 'any' }]).finally(() => lake.close());
  expect(await verified(cwd)).toEqual(['same']);
});
