import { spawnSync } from 'node:child_process';
import { appendFileSync, existsSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { openLake } from '../../src/lake/lake.js';
import { byDay, call, lakelog, newFolder, nightly, start, writeLines } from '../support/cli.js';
import { runOptions } from '../support/lake.js';
import { bindings, hold } from '../support/lake-holder.js';
import { lakelog as inProcess } from '../support/program.js';

async function filled() {
  const cwd = newFolder();
  writeLines(cwd, 'sessions.jsonl', [call()]);
  const lake = path.join(cwd, 'L.duckdb');
  const ran = await inProcess(['sync', '--lake', 'L.duckdb', 'sessions.jsonl'], { cwd });
  expect(ran.code, ran.stderr).toBe(0);
  return { cwd, lake };
}

test('who waits in vain names the process that holds the lake, and nothing was checked', async () => {
  const { cwd, lake } = await filled();
  const holder = await hold(lake, 'write');
  const before = statSync(lake).mtimeMs;
  const waits = async (way: readonly string[]) => {
    const args = [...way, '--lake', 'L.duckdb', '--lock-timeout', '1s', 'sessions.jsonl'];
    const begun = Date.now();
    const ran = await lakelog(args, { cwd });
    expect(Date.now() - begun).toBeGreaterThan(1_000);
    expect([ran.code, ran.stderr]).toEqual([3, expect.stringContaining(`PID ${holder.pid}`)]);
    expect(ran.stderr).toContain('nothing was checked');
    expect(ran.stderr).toContain(`ps -fp ${holder.pid}`);
    expect(ran.stdout).toBe('');
  };
  await Promise.all(byDay([['alarm'], ['sync'], ['alarm', '--no-sync']], 2).map(waits));
  expect(statSync(lake).mtimeMs).toBe(before);
  await holder.release();
  expect((await inProcess(['alarm', '--lake', 'L.duckdb', 'sessions.jsonl'], { cwd })).code).toBe(0);
});

test.skipIf(!nightly)('who waits long enough is served', async () => {
  const { cwd, lake } = await filled();
  writeLines(cwd, 'sessions.jsonl', [call(), call(), call({ grounded_in_roster: false })]);
  const holder = await hold(lake, 'write');
  const run = lakelog(['alarm', '--lake', 'L.duckdb', 'sessions.jsonl'], { cwd });
  await sleep(1_000);
  await holder.release();
  const ran = await run;
  expect(ran.code, ran.stderr).toBe(1);
});

test('a lake that lies among the logs is held all the same', async () => {
  const { cwd, lake } = await filled();
  const reading = await openLake({
    ...runOptions({ cwd }),
    ...{ asks: ['SELECT 1'], gatedKinds: ['fill'], params: {} },
    lake: { name: lake, lockTimeoutS: 1, sync: true, keepContent: false, rebuild: false },
  });
  try {
    await reading.load([{ path: '.', as: 'any' }]);
    writeLines(cwd, 'sessions.jsonl', [call(), call()]);
    const ran = await lakelog(['sync', '--lake', 'L.duckdb', '--lock-timeout', '0', '.'], { cwd });
    expect([ran.code, ran.stderr]).toEqual([3, expect.stringContaining(`PID ${process.pid}`)]);
  } finally {
    reading.close();
  }
});

test('readers go on beside readers', async () => {
  const { cwd, lake } = await filled();
  const holder = await hold(lake, 'read');
  const ran = await inProcess(['alarm', '--lake', 'L.duckdb', '--lock-timeout', '1s', 'sessions.jsonl'], {
    cwd,
  });
  expect(ran.code, ran.stderr).toBe(0);
  await holder.release();
});

test('a writer that waits is let in between readers, and leaves no word behind', async () => {
  const { cwd, lake } = await filled();
  appendFileSync(path.join(cwd, 'sessions.jsonl'), `${call({ grounded_in_roster: false })}\n`);
  const holder = await hold(lake, 'read');
  const writer = lakelog(['sync', '--lake', 'L.duckdb', '--lock-timeout', '20s', 'sessions.jsonl'], { cwd });
  for (let waited = 0; !existsSync(`${lake}.want`) && waited < 200; waited++) await sleep(50);
  expect(existsSync(`${lake}.want`), 'the writer leaves word').toBe(true);

  const reader = lakelog(['alarm', '--lake', 'L.duckdb', '--no-sync', '--json'], { cwd });
  await sleep(1_500);
  await holder.release();
  const [wrote, read] = await Promise.all([writer, reader]);
  expect(wrote.code, wrote.stderr).toBe(0);
  // It came second, and so sees what the writer wrote.
  expect(read.code, read.stderr).toBe(1);
  expect(existsSync(`${lake}.want`)).toBe(false);
});

test('the word of a writer that was killed holds nobody up for long', async () => {
  const { cwd, lake } = await filled();
  writeFileSync(`${lake}.want`, '');
  const old = new Date(Date.now() - 11_000);
  utimesSync(`${lake}.want`, old, old);
  const ran = await inProcess(
    ['alarm', '--lake', 'L.duckdb', '--lock-timeout', '0', '--no-sync', '--max-age', '9999d'],
    {
      cwd,
    },
  );
  expect(ran.code, ran.stderr).toBe(0);
});

test('several at once all get their turn, and nothing is read twice', async () => {
  const cwd = newFolder();
  writeLines(
    cwd,
    'sessions.jsonl',
    Array.from({ length: 500 }, () => call()),
  );
  const all = await Promise.all(
    Array.from({ length: nightly ? 6 : 2 }, () =>
      lakelog(['sync', '--lake', 'L.duckdb', '--lock-timeout', '60s', '--json', 'sessions.jsonl'], { cwd }),
    ),
  );
  for (const ran of all) expect(ran.code, ran.stderr).toBe(0);
  const read = all.map(({ stdout }) => JSON.parse(stdout).receipt.lake.new_bytes as number);
  expect(read.filter((bytes) => bytes > 0)).toHaveLength(1);
  expect(JSON.parse(all[0]!.stdout).receipt.totals).toMatchObject({ lines: 500, loaded: 500, duplicates: 0 });
});

/** Writes ahead and is killed before that is put into the file. */
const KILLED = `
const duckdb = require(process.argv[1]);
(async () => {
  const db = await duckdb.open(process.argv[2]);
  const connection = await duckdb.connect(db);
  await duckdb.query(connection, "UPDATE main.lake SET last_sync = '2025-01-01T00:00:00Z'");
  process.kill(process.pid, 'SIGKILL');
})();`;

test('what a run wrote ahead that was killed is put into the lake by the next, though nothing is new', async () => {
  const { cwd, lake } = await filled();
  spawnSync(process.execPath, ['-e', KILLED, bindings, lake]);
  expect(existsSync(`${lake}.wal`)).toBe(true);
  const ran = await inProcess(['alarm', '--lake', 'L.duckdb', 'sessions.jsonl'], { cwd });
  expect(ran.code, ran.stderr).toBe(0);
  expect(existsSync(`${lake}.wal`)).toBe(false);
});

test('what was written ahead for a lake that somebody deleted is not put into a new one', async () => {
  const { cwd, lake } = await filled();
  spawnSync(process.execPath, ['-e', KILLED, bindings, lake]);
  rmSync(lake);
  const ran = await inProcess(['alarm', '--lake', 'L.duckdb', 'sessions.jsonl', '--json'], { cwd });
  expect(ran.code, ran.stderr).toBe(0);
  expect(JSON.parse(ran.stdout).receipt.lake).toMatchObject({ new_files: 1, earlier_files: 0 });
  expect(existsSync(`${lake}.wal`)).toBe(false);
});

test('a sync that is stopped by a signal lets go of the lake', async () => {
  const { cwd } = await filled();
  const lines = Array.from({ length: 8_000 }, () => call());
  appendFileSync(path.join(cwd, 'sessions.jsonl'), `${lines.join('\n')}\n`);
  const child = start(['sync', '--lake', 'L.duckdb', 'sessions.jsonl'], { cwd });
  const ended = new Promise((resolve) => child.once('close', resolve));
  await sleep(500);
  child.kill('SIGTERM');
  await ended;
  const ran = await inProcess(['alarm', '--lake', 'L.duckdb', 'sessions.jsonl', '--json'], { cwd });
  expect(ran.code, ran.stderr).toBe(0);
  expect(JSON.parse(ran.stdout).receipt.calls_loaded).toBe(8_000 + 1);
});
