/** What is settled of a folder lake holds up neither `lake compact` nor `lake verify`, and stays told. */
import { cpSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { lakeChecks } from '../../src/schema/listings.js';
import { acksIn } from '../support/acks.js';
import { call, newFolder, writeLines } from '../support/cli.js';
import { lakelog } from '../support/program.js';

const LATER = () => new Date('2026-10-01T00:00:00Z');
const EARLIER = () => new Date('2026-09-30T12:00:00Z');
const over = ['--lake', 'lake/'] as const;

interface World {
  readonly cwd: string;
  /** Files of batches, the first batch first. */
  readonly files: readonly (readonly string[])[];
}

const filesIn = (cwd: string) =>
  (readdirSync(path.join(cwd, 'lake'), { recursive: true, encoding: 'utf8' }) as string[]).filter((name) =>
    /^(batches|base_).*\.(json|parquet)$/.test(name),
  );

/** Four batches of one log, without numbers of writers. */
async function fill(): Promise<World> {
  const cwd = newFolder();
  const lines: string[] = [];
  const files: string[][] = [];
  for (const n of [1, 2, 3, 4]) {
    const before = new Set(n === 1 ? [] : filesIn(cwd));
    lines.push(call({ call_id: `c${n}`, timestamp: `2026-09-20T0${n}:00:00Z` }));
    writeLines(cwd, 'a.jsonl', lines);
    const { code, stderr } = await lakelog(['sync', ...over, '--host', 'h', 'a.jsonl'], {
      cwd,
      now: EARLIER,
    });
    expect(code, stderr).toBe(0);
    files.push(filesIn(cwd).filter((name) => !before.has(name)));
  }
  return { cwd, files };
}

/** As the lake was before. */
function copyOf(cwd: string): string {
  const copy = newFolder();
  cpSync(path.join(cwd, 'lake'), path.join(copy, 'lake'), { recursive: true, preserveTimestamps: true });
  return copy;
}

const lose = ({ cwd, files }: World, ...batches: readonly number[]) => {
  for (const n of batches) for (const name of files[n - 1]!) rmSync(path.join(cwd, 'lake', name));
};

const run = (cwd: string, ...args: readonly string[]) => lakelog([...args, ...over], { cwd, now: LATER });
const compact = (cwd: string) => run(cwd, 'lake', 'compact', '--grace', '0');
const alarm = async (cwd: string) => (await run(cwd, 'alarm')).code;

/** Runs the command that a refusal ends with. */
async function settleAs(cwd: string, said: string): Promise<void> {
  const [, target] = /lakelog ack (\S+) --reason "…" --lake lake\//.exec(said)!;
  const { code, stderr } = await run(cwd, 'ack', target!, '--reason', 'the disk was lost');
  expect(code, stderr).toBe(0);
}

interface Verified {
  readonly problems: readonly { readonly detail: string }[];
  readonly settled: readonly { readonly detail: string }[];
  readonly logs: readonly { readonly status: string; readonly detail: string | null }[];
}

async function verify(cwd: string): Promise<Verified & { readonly code: number | null }> {
  const { code, stdout } = await run(cwd, 'lake', 'verify', '--host', 'h', '--json');
  return { ...(lakeChecks.parse(JSON.parse(stdout)) as unknown as Verified), code };
}

const same = { status: 'same', detail: null };

describe('a batch that is gone with its log', () => {
  test.each([
    ['one', [2]],
    ['two in a row', [2, 3]],
    ['the first', [1]],
  ] as const)('%s', async (_, lost) => {
    const world = await fill();
    const { cwd } = world;
    const copy = copyOf(cwd);
    lose(world, ...lost);
    rmSync(path.join(cwd, 'a.jsonl'));
    const refused = await compact(cwd);
    expect([refused.code, refused.stderr]).toEqual([3, expect.stringContaining('nothing was merged: bytes')]);
    const doubtful = await verify(cwd);
    expect([doubtful.code, doubtful.problems.length, doubtful.settled.length]).toEqual([3, 1, 0]);

    await settleAs(cwd, refused.stderr.replaceAll(/\s+/g, ' '));
    expect(await alarm(cwd)).toBe(0);
    expect(await compact(cwd)).toMatchObject({ code: 0, stdout: expect.stringContaining('merged ') });
    const settled = await verify(cwd);
    expect(settled).toMatchObject({
      code: 0,
      problems: [],
      settled: [{ detail: expect.stringContaining('not in the lake') }],
    });
    const { stdout } = await run(cwd, 'lake', 'verify', '--host', 'h');
    expect(stdout).toMatch(/^settled {3}bytes \d+ to /m);
    expect(await alarm(cwd)).toBe(0);
    expect((await lakelog(['alarm', ...over, '--acks', 'none.jsonl'], { cwd })).code).toBe(2);
    expect((await compact(cwd)).stdout).toContain('nothing to merge');

    // It comes back from a copy.
    for (const n of lost)
      for (const name of world.files[n - 1]!)
        cpSync(path.join(copy, 'lake', name), path.join(cwd, 'lake', name), {
          preserveTimestamps: true,
        });
    expect(await alarm(cwd)).toBe(0);
    expect((await compact(cwd)).code).toBe(0);
    expect(await verify(cwd)).toMatchObject({ code: 0, problems: [], settled: [] });
  });

  test('comes back with its log after the others were merged', async () => {
    const world = await fill();
    const { cwd } = world;
    const log = path.join(cwd, 'a.jsonl');
    lose(world, 2);
    const lost = (await compact(cwd)).stderr.replaceAll(/\s+/g, ' ');
    await settleAs(cwd, lost);
    renameSync(log, `${log}.away`);
    expect((await compact(cwd)).code).toBe(0);
    renameSync(`${log}.away`, log);
    const synced = await run(cwd, 'sync', '--host', 'h', log);
    expect(synced.code, synced.stderr).toBe(0);
    expect(await verify(cwd)).toMatchObject({ code: 0, settled: [], logs: [same] });
    expect(await alarm(cwd)).toBe(0);
  });

  test('settles nothing else: rows without a receipt stay, and hold up both', async () => {
    const world = await fill();
    const { cwd } = world;
    const copy = copyOf(cwd);
    lose(world, 2);
    await settleAs(cwd, (await compact(cwd)).stderr.replaceAll(/\s+/g, ' '));
    const rows = world.files[1]!.find((name) => name.startsWith('base_calls'))!;
    cpSync(path.join(copy, 'lake', rows), path.join(cwd, 'lake', rows));
    const before = filesIn(cwd);
    expect(await compact(cwd)).toMatchObject({ code: 3, stderr: expect.stringContaining('have no receipt') });
    expect((await verify(cwd)).code).toBe(3);
    expect(filesIn(cwd)).toEqual(before);
  });
});

describe('of a log that stands there', () => {
  test('what is before and behind missing receipts is compared by its own bytes', async () => {
    const world = await fill();
    lose(world, 3);
    const { code, logs } = await verify(world.cwd);
    expect([code, logs.map(({ status, detail }) => ({ status, detail }))]).toEqual([3, [same, same]]);
  });

  test.each([
    ['before', 0, 0],
    ['behind', -1, 1],
  ] as const)('what was changed %s them is told, whatever is settled', async (_, line, part) => {
    const world = await fill();
    const { cwd } = world;
    lose(world, 3);
    await settleAs(cwd, (await compact(cwd)).stderr.replaceAll(/\s+/g, ' '));
    expect((await verify(cwd)).code).toBe(0);
    const log = path.join(cwd, 'a.jsonl');
    const lines = readFileSync(log, 'utf8').trimEnd().split('\n');
    lines.splice(line, 1, lines.at(line)!.replace('"fill"', '"Fill"'));
    writeFileSync(log, `${lines.join('\n')}\n`);
    const { code, logs } = await verify(cwd);
    expect([code, logs.map(({ status }) => status)]).toEqual([
      3,
      part === 0 ? ['different', 'same'] : ['same', 'different'],
    ]);
    expect(logs[part]!.detail).toMatch(/^bytes \d+ to \d+ are not what was read$/);
  });
});

test('a log that was lost, and is settled, is told as that by verify', async () => {
  const { cwd } = await fill();
  writeLines(cwd, 'a.jsonl', [call({ call_id: 'anew', timestamp: '2026-09-21T00:00:00Z' })]);
  const synced = await run(cwd, 'sync', '--host', 'h', 'a.jsonl');
  expect(synced.code).toBe(3);
  expect((await verify(cwd)).code).toBe(3);
  await settleAs(cwd, synced.stderr.replaceAll(/\s+/g, ' '));
  expect(acksIn(cwd)).toHaveLength(1);
  const { code, logs } = await verify(cwd);
  expect([code, logs.map(({ status }) => status).sort()]).toEqual([0, ['same', 'settled']]);
});

test('a file that is none of the lake has no rows: it is to be taken away', async () => {
  const { cwd, files } = await fill();
  const day = path.dirname(files[0]!.find((name) => name.startsWith('base_calls'))!);
  const text = path.join(cwd, 'lake', day, 'readme.txt');
  writeFileSync(text, 'x\n');
  const refused = await compact(cwd);
  expect(refused.code).toBe(3);
  expect(refused.stderr).toContain('this is no file of the lake');
  expect(refused.stderr).toContain('→ take it out of the folder');
  rmSync(text);
  expect(await alarm(cwd)).toBe(0);
});

describe('what a host published it remembers, whatever went before the end of it', () => {
  const sync = (cwd: string) =>
    lakelog(['sync', ...over, '--host', 'h', 'b.jsonl'], {
      cwd,
      now: () => new Date('2026-09-30T13:00:00Z'),
    });

  test.each<[string, readonly number[], readonly number[]]>([
    ['all of it went, from its midst on', [2, 3], [4]],
    ['and what was in its midst is back', [2], []],
    ['from its first batch on', [1], [2, 3, 4]],
  ])('%s', async (_, first, then) => {
    const world = await fill();
    const { cwd } = world;
    const copy = copyOf(cwd);
    writeLines(cwd, 'b.jsonl', [call({ call_id: 'b', timestamp: '2026-09-20T05:00:00Z' })]);
    expect((await sync(cwd)).code).toBe(0);
    lose(world, ...first);
    expect((await sync(cwd)).code).toBe(3);
    if (then.length === 0)
      cpSync(path.join(copy, 'lake'), path.join(cwd, 'lake'), { recursive: true, force: false });
    lose(world, ...(then.length === 0 ? [4] : then));
    rmSync(path.join(cwd, 'a.jsonl'));
    for (const _again of [1, 2]) {
      const ran = await run(cwd, 'alarm');
      expect(ran.code, ran.stderr).toBe(3);
      expect(ran.stderr).toContain('not all of the log is in the lake');
      expect((await sync(cwd)).code).toBe(3);
    }
    cpSync(path.join(copy, 'lake'), path.join(cwd, 'lake'), { recursive: true, force: false });
    expect((await sync(cwd)).code).toBe(0);
    expect((await run(cwd, 'alarm')).code).toBe(0);
  });

  const b = [call({ call_id: 'b', timestamp: '2026-09-20T05:00:00Z' })];
  /** Settles all that a gate tells. */
  const settleAll = async (cwd: string) => {
    const said = (await run(cwd, 'alarm')).stderr.replaceAll(/\s+/g, ' ');
    for (const [step] of said.matchAll(/lakelog ack \S+ --reason "…" --lake lake\//g))
      await settleAs(cwd, step);
    expect(await alarm(cwd)).toBe(0);
  };

  test('what stands behind a gap, whatever was settled of what went before and behind it', async () => {
    const world = await fill();
    const { cwd } = world;
    writeLines(cwd, 'b.jsonl', b);
    expect((await sync(cwd)).code).toBe(0);
    lose(world, 2);
    expect((await sync(cwd)).code).toBe(3);
    lose(world, 4);
    expect((await sync(cwd)).code).toBe(3);
    await settleAll(cwd);
    lose(world, 3);
    expect(await alarm(cwd)).toBe(3);
  });

  test('and what is settled of its end is not settled of the next loss of it', async () => {
    const world = await fill();
    const { cwd } = world;
    const copy = copyOf(cwd);
    writeLines(cwd, 'b.jsonl', b);
    lose(world, 2, 4);
    expect((await sync(cwd)).code).toBe(3);
    await settleAll(cwd);
    for (const name of world.files[3]!) cpSync(path.join(copy, 'lake', name), path.join(cwd, 'lake', name));
    const later = () => new Date('2026-09-30T14:00:00Z');
    expect((await lakelog(['sync', ...over, '--host', 'h', 'b.jsonl'], { cwd, now: later })).code).toBe(0);
    lose(world, 4);
    expect(await alarm(cwd)).toBe(3);
  });

  test('by receipts, where its memory is gone', async () => {
    const world = await fill();
    const { cwd } = world;
    writeLines(cwd, 'b.jsonl', b);
    lose(world, 2);
    for (const name of readdirSync(path.join(cwd, 'lake/hosts'))) rmSync(path.join(cwd, 'lake/hosts', name));
    expect((await sync(cwd)).code).toBe(3);
    await settleAll(cwd);
    lose(world, 3, 4);
    expect(await alarm(cwd)).toBe(3);
  });
});

describe('a lake file that a host publishes', () => {
  const from = ['sync', ...over, '--host', 'h', '--from', 'F.duckdb'];
  const made = (cwd: string) => lakelog(['sync', '--lake', 'F.duckdb', 'a.jsonl'], { cwd, now: LATER });
  const lines = [1, 2].map((n) => call({ call_id: `c${n}`, timestamp: `2026-09-20T0${n}:00:00Z` }));
  const looks = (cwd: string, log: string, hour: number) =>
    lakelog(['sync', ...over, '--host', 'h', log], { cwd, now: () => new Date(Date.UTC(2026, 8, 30, hour)) });

  test('makes nothing good that its host missed', async () => {
    const { cwd } = await fill();
    const log = path.join(cwd, 'a.jsonl');
    const whole = readFileSync(log);
    writeFileSync(log, whole.subarray(0, whole.indexOf('\n') + 1));
    expect((await looks(cwd, 'a.jsonl', 13)).code).toBe(3);
    writeFileSync(log, whole);
    expect((await made(cwd)).code).toBe(0);
    await lakelog(from, { cwd, now: LATER });
    const ran = await run(cwd, 'alarm');
    expect([ran.code, ran.stderr]).toEqual([
      3,
      expect.stringContaining('was changed where it had been read'),
    ]);
  });

  test('is remembered for all that it held, whenever its host looked', async () => {
    const cwd = newFolder();
    writeLines(cwd, 'a.jsonl', lines.slice(0, 1));
    writeLines(cwd, 'b.jsonl', [call({ call_id: 'b', timestamp: '2026-09-20T05:00:00Z' })]);
    for (const log of ['a.jsonl', 'b.jsonl']) expect((await looks(cwd, log, 12)).code).toBe(0);
    expect((await made(cwd)).code).toBe(0);
    writeLines(cwd, 'a.jsonl', lines);
    expect((await made(cwd)).code).toBe(0);
    expect((await looks(cwd, 'b.jsonl', 36)).code).toBe(0);
    const before = new Set(filesIn(cwd));
    expect((await lakelog(from, { cwd, now: LATER })).code).toBe(0);
    const news = filesIn(cwd).filter((name) => !before.has(name));
    expect(news.length).toBeGreaterThan(1);
    for (const name of news) rmSync(path.join(cwd, 'lake', name));
    const ran = await run(cwd, 'alarm');
    expect([ran.code, ran.stderr]).toEqual([3, expect.stringContaining('not all of the log is in the lake')]);
  });
});
