import { cpSync, existsSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { call, envelope, exceptByDay, newFolder, nightly, replayRun } from '../support/cli.js';
import { lakelog } from '../support/program.js';
import { filesIn, NOW, publish, receiptsIn, saidBy, writeHostLogs } from './folder-lake.js';

const lines = (...all: string[]) => Buffer.from(all.map((line) => `${line}\n`).join(''));
const yesterday = new Date('2026-09-30T12:00:00Z');

const attempts = [
  { verdict: 'rejected', reasons: ['worker 17 is not in the roster'] },
  { verdict: 'accepted', reasons: [] },
];

/** Six batches of two hosts over three days, with lines that both hosts have, rejects, runs and numbers of writers. */
async function fill(lake: string): Promise<void> {
  const logs = newFolder();
  let n = 0;
  const make = (day: number) => {
    n++;
    const timestamp = `2026-09-${10 + day}T0${n % 10}:00:00Z`;
    const own = { writer_id: 'w', seq: n, iterations: 2, attempts };
    return call({ timestamp, call_id: `c${n}`, ...own });
  };
  const shared = make(1);
  for (const host of ['web1', 'web2']) {
    let content: string[] = [];
    for (const day of [1, 2, 3]) {
      const run = replayRun({
        timestamp: `2026-09-${10 + day}T09:00:00Z`,
        documents: [{ id: `d${n}`, score: 0.5 }],
      });
      content = [...content, make(day), ...(day === 1 ? [shared] : []), run, `no json ${host} ${day}`];
      const files = writeHostLogs(logs, host, { 'sessions.jsonl': lines(...content) });
      await publish(lake, host, files, { now: yesterday });
    }
  }
}

let lake: string;
beforeAll(async () => {
  lake = path.join(newFolder(), 'lake/');
  await fill(lake);
});

function copyOf(from: string): string {
  const copy = path.join(newFolder(), 'lake/');
  cpSync(from, copy, { recursive: true, preserveTimestamps: true });
  return copy;
}

const compact = (name: string, ...flags: string[]) =>
  lakelog(['lake', 'compact', '--lake', name, '--grace', '0', '--json', ...flags], { now: () => NOW });

const dataFiles = (name: string) => filesIn(name).filter((file) => file.endsWith('.parquet'));

describe('compaction', () => {
  test('leaves one file a day and table, and every answer as it was', async () => {
    const copy = copyOf(lake);
    const before = await saidBy(copy);
    const receipts = receiptsIn(copy);
    const ran = await compact(copy);
    expect(ran.code, ran.stderr).toBe(0);
    const done = JSON.parse(ran.stdout) as { files: number; into: number; removed: number };
    expect(done.removed).toBe(done.files);
    expect(await saidBy(copy)).toEqual(before);
    expect(receiptsIn(copy)).toEqual(receipts);
    const folders = dataFiles(copy).map((file) => path.dirname(file));
    expect(new Set(folders).size).toBe(folders.length);
    const verified = await lakelog(['lake', 'verify', '--lake', copy, '--json'], { now: () => NOW });
    expect(JSON.parse(verified.stdout)).toMatchObject({ problems: [], same: true });
    expect(JSON.parse((await compact(copy)).stdout)).toMatchObject({ files: 0, removed: 0 });
  });

  test('leaves days alone that are not over, and merges what was merged with what came late', async () => {
    const copy = copyOf(lake);
    await compact(copy);
    const late = call({ timestamp: '2026-09-11T23:00:00Z', call_id: 'late' });
    const today = call({ timestamp: '2026-10-01T01:00:00Z', call_id: 'today' });
    const again = call({ timestamp: '2026-10-01T02:00:00Z', call_id: 'again' });
    const logs = newFolder();
    await publish(copy, 'web3', writeHostLogs(logs, 'web3', { 'sessions.jsonl': lines(late, today) }));
    await publish(copy, 'web4', writeHostLogs(logs, 'web4', { 'sessions.jsonl': lines(again) }));
    const before = await saidBy(copy);
    expect((await compact(copy)).code).toBe(0);
    expect(await saidBy(copy)).toEqual(before);
    const calls = dataFiles(copy).filter((file) => file.startsWith('base_calls/'));
    expect(calls.filter((file) => file.includes('day=2026-09-11'))).toHaveLength(1);
    expect(calls.filter((file) => file.includes('day=2026-10-01'))).toHaveLength(2);
  });

  test.skipIf(!nightly)('who reads while old files stand there too reads each row once', async () => {
    const copy = copyOf(lake);
    const kept = copyOf(copy);
    await compact(copy);
    // What was removed is there again, as before the end of the grace.
    cpSync(kept, copy, { recursive: true });
    expect(await saidBy(copy)).toEqual(await saidBy(kept));
    const removed = JSON.parse((await compact(copy)).stdout) as { removed: number };
    expect(removed.removed).toBeGreaterThan(0);
    expect(await saidBy(copy)).toEqual(await saidBy(kept));
  });

  test('what it left behind when it was killed before its commit is told, and taken away', async () => {
    const copy = copyOf(lake);
    const before = await saidBy(copy);
    await compact(copy);
    const kept = copyOf(lake);
    for (const file of dataFiles(copy).filter((one) => path.basename(one).startsWith('c-')))
      cpSync(path.join(copy, file), path.join(kept, file));
    const ran = await lakelog(['alarm', '--lake', kept, '--json'], { now: () => NOW });
    expect(ran.code).toBe(3);
    expect(envelope(ran).verdict!.cannot_vouch).toContainEqual(
      expect.objectContaining({ code: 'damaged_lake', next: 'lakelog lake compact' }),
    );
    expect((await compact(kept)).code).toBe(0);
    expect(await saidBy(kept)).toEqual(before);
  });

  test('a damaged lake is not merged', async () => {
    const copy = copyOf(lake);
    const [file] = dataFiles(copy).filter((one) => one.startsWith('base_attempts/'));
    truncateSync(path.join(copy, file!), 100);
    const before = filesIn(copy);
    const ran = await compact(copy);
    expect(ran.code).toBe(3);
    expect(ran.stderr).toContain(path.basename(file!));
    expect(filesIn(copy)).toEqual(before);
  });

  const DAMAGES: [string, (name: string, commit: string) => void][] = [
    ['its commit is gone', (_, commit) => rmSync(commit)],
    [
      'its commit was edited',
      (_, commit) => writeFileSync(commit, readFileSync(commit, 'utf8').replace('"rows":', '"rows":1')),
    ],
    ['a merged file is cut', (name) => truncateSync(path.join(name, merged(name)), 50)],
    ['a merged file is gone', (name) => rmSync(path.join(name, merged(name)))],
    [
      'a receipt of what was merged is gone',
      (name) => rmSync(path.join(name, 'batches', readdirSync(path.join(name, 'batches'))[0]!)),
    ],
  ];

  test.each(exceptByDay(DAMAGES, ['its commit was edited', 'a merged file is gone']))(
    'damage: %s: never clear',
    async (_, damage) => {
      const copy = copyOf(lake);
      await compact(copy);
      const folder = path.join(copy, 'compactions');
      const commits = readdirSync(folder).map((name) => path.join(folder, name));
      // That of merged receipts stands for nothing that these do not say themselves.
      damage(copy, commits.find((name) => readFileSync(name, 'utf8').includes('"base_calls"'))!);
      const { code, stdout, stderr } = await lakelog(
        ['alarm', '--lake', copy, '--max-rejects', '99', '--json'],
        { now: () => NOW },
      );
      expect([2, 3], stderr).toContain(code);
      if (stdout !== '')
        expect(
          envelope({ code, stdout, stderr, signal: null, leftovers: [] }).verdict!.cannot_vouch.map(
            (one) => one.code,
          ),
        ).toContain('damaged_lake');
    },
  );
});

const merged = (name: string) =>
  dataFiles(name).find((file) => file.startsWith('base_calls/') && path.basename(file).startsWith('c-'))!;

test('a lake says what it holds of whom', async () => {
  const ran = await lakelog(['lake', 'info', '--lake', lake, '--json'], { now: () => NOW });
  const info = JSON.parse(ran.stdout) as { hosts: object[] };
  expect(info).toMatchObject({ batches: 6, calls: 8, replay_runs: 6, rejects: 6, problems: [] });
  expect(info.hosts).toMatchObject([
    { host: 'web1', batches: 3, logs: 1, lines: 10 },
    { host: 'web2', batches: 3, logs: 1, lines: 10 },
  ]);
  const text = await lakelog(['lake', 'info', '--lake', lake], { now: () => NOW });
  expect(text.stdout).toMatch(/6 batches of 2 hosts/);
  expect(existsSync(path.join(lake, 'lakelog.json'))).toBe(true);
});
