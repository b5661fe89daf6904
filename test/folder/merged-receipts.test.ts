/** Receipts that `lake compact` merged: read as before, damaged, and published again by who did not know. */
import {
  copyFileSync,
  cpSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { LocalPlace } from '../../src/lake/folder/place.js';
import { sha256 } from '../../src/lake/store/fingerprint.js';
import { byDay, call, envelope, exceptByDay, newFolder, nightly } from '../support/cli.js';
import { lakelog } from '../support/program.js';
import { NOW, publish, receiptsIn, saidBy, writeHostLogs } from './folder-lake.js';

const lines = (...all: string[]) => Buffer.from(all.map((line) => `${line}\n`).join(''));
const yesterday = new Date('2026-09-30T12:00:00Z');
const all = Array.from({ length: 10 }, (_, n) =>
  call({ timestamp: `2026-09-0${1 + (n % 5)}T08:00:00Z`, call_id: `c${n}` }),
);
const at = (n: number) => all[n]!;

let lake: string;
let logs: string;
/** Three batches of web1, and one of web2 that has a reject. */
beforeAll(async () => {
  lake = path.join(newFolder(), 'lake/');
  logs = newFolder();
  for (const n of [1, 2, 3])
    await put(
      lake,
      'web1',
      Array.from({ length: n }, (_, i) => at(i)),
    );
  await put(lake, 'web2', ['no json', at(6)]);
});

const put = (name: string, host: string, content: readonly string[], now = yesterday) =>
  publish(name, host, writeHostLogs(logs, host, { 'sessions.jsonl': lines(...content) }), { now });

function copyOf(from: string): string {
  const copy = path.join(newFolder(), 'lake/');
  cpSync(from, copy, { recursive: true, preserveTimestamps: true });
  return copy;
}

const compact = async (name: string, now = NOW) => {
  const ran = await lakelog(['lake', 'compact', '--lake', name, '--grace', '0', '--json'], {
    now: () => now,
  });
  expect(ran.code, ran.stderr).toBe(0);
  return JSON.parse(ran.stdout) as { files: number; into: number; removed: number };
};
const receiptFiles = (name: string) => readdirSync(path.join(name, 'batches')).sort();
const merged = (name: string) =>
  path.join(name, 'batches', receiptFiles(name).find((file) => file.startsWith('c-'))!);

async function alarmed(name: string) {
  const ran = await lakelog(['alarm', '--lake', name, '--max-rejects', '9', '--json'], { now: () => NOW });
  const { verdict, receipt } = envelope(ran);
  const problems = verdict!.cannot_vouch.filter(({ code }) => code === 'damaged_lake');
  return { code: ran.code, problems, calls: receipt.calls_loaded };
}

async function isVerified(name: string): Promise<boolean> {
  const ran = await lakelog(['lake', 'verify', '--lake', name, '--json'], { now: () => NOW });
  const { problems } = JSON.parse(ran.stdout) as { problems: unknown[] };
  expect(problems).toEqual([]);
  return ran.code === 0;
}

describe('merged receipts', () => {
  test('are lines as they were published, in one file, and say what they said', async () => {
    const copy = copyOf(lake);
    const texts = receiptFiles(copy).map((name) => readFileSync(path.join(copy, 'batches', name), 'utf8'));
    const before = await saidBy(copy);
    await compact(copy);
    expect(receiptFiles(copy)).toHaveLength(1);
    expect(receiptFiles(copy)[0]).toBe(`c-${sha256(readFileSync(merged(copy)))}.jsonl`);
    expect(readFileSync(merged(copy), 'utf8')).toBe(texts.sort().join(''));
    expect(await saidBy(copy)).toEqual(before);
    expect(await isVerified(copy)).toBe(true);
    expect(await compact(copy)).toMatchObject({ files: 0, removed: 0 });
  });

  test('are all there for an engine that has the declared tables', async () => {
    const copy = copyOf(lake);
    await compact(copy);
    const declared = await lakelog(['schema', '--dialect', 'duckdb', '--lake', copy]);
    const engine = await (await DuckDBInstance.create()).connect();
    // This engine declares nothing over tables of which there is no file.
    await engine.run(declared.stdout.split(/;\n/).find((one) => one.includes('batch_receipts'))!);
    const { length } = (await engine.runAndReadAll('FROM batch_receipts')).getRows();
    expect(length).toBe(receiptsIn(copy).length);
    engine.closeSync();
    const { stdout } = await lakelog(['schema', '--dialect', 'clickhouse', '--lake', copy]);
    expect(stdout).toContain('/batches/*.json*');
  });

  test('are merged again with those that came since, but for those of today', async () => {
    const copy = copyOf(lake);
    await compact(copy);
    await put(copy, 'web3', [at(7)]);
    await put(copy, 'web4', [at(8)], NOW);
    const before = await saidBy(copy);
    await compact(copy);
    expect(receiptFiles(copy)).toHaveLength(2);
    expect(await saidBy(copy)).toEqual(before);
    const tomorrow = new Date('2026-10-02T00:00:00Z');
    await compact(copy, tomorrow);
    expect(receiptFiles(copy)).toHaveLength(1);
    expect(receiptsIn(copy)).toHaveLength(6);
    expect(await saidBy(copy)).toEqual(before);
  });

  test('stand beside those that they were made of until the grace is over', async () => {
    const copy = copyOf(lake);
    await compact(copy);
    const file = merged(copy);
    cpSync(path.join(lake, 'batches'), path.join(copy, 'batches'), { recursive: true });
    expect(receiptFiles(copy)).toHaveLength(5);
    expect(await alarmed(copy)).toMatchObject({ code: 0, calls: 4 });
    expect(await saidBy(copy)).toEqual(await saidBy(lake));
    expect(await isVerified(copy)).toBe(true);
    expect((await compact(copy)).removed).toBe(4);
    expect(receiptFiles(copy)).toEqual([path.basename(file)]);
  });

  test('a log goes on behind them, and what a host publishes again is there already', async () => {
    const copy = copyOf(lake);
    await compact(copy);
    rmSync(path.join(copy, 'hosts'), { recursive: true });
    await put(copy, 'web1', [0, 1, 2].map(at));
    expect(receiptFiles(copy)).toHaveLength(1);
    await put(copy, 'web2', ['no json', at(6)]);
    await put(copy, 'web9', [0, 1, 2].map(at));
    expect(receiptFiles(copy)).toHaveLength(1);
    const account = await put(copy, 'web1', [0, 1, 2, 3].map(at));
    expect(account.problems).toEqual([]);
    expect(receiptFiles(copy)).toHaveLength(2);
    // What the hosts knew of logs that they lost is gone with their folder.
    const problems = ['web1', 'web2'].map((host) => ({ where: `${host}:hosts/${host}.json` }));
    expect(await alarmed(copy)).toMatchObject({ code: 3, problems, calls: 5 });
  });

  test('a lake file publishes what they lack, and no more', async () => {
    const copy = copyOf(lake);
    await compact(copy);
    const local = path.join(newFolder(), 'own.duckdb');
    const [own] = writeHostLogs(newFolder(), 'web1', { 'sessions.jsonl': lines(at(0)) });
    const sync = async () => {
      const ran = await lakelog(['sync', '--lake', local, own!], { now: () => NOW });
      expect(ran.code, ran.stderr).toBe(0);
    };
    await sync();
    writeFileSync(own!, lines(...[0, 1, 2, 3].map(at)));
    await sync();
    const ran = await lakelog(['sync', '--lake', copy, '--from', local, '--host', 'web7'], {
      now: () => NOW,
    });
    expect(ran.code, ran.stderr).toBe(0);
    // The first batch is one of web1's, who named the log; the other has lines that web1 has in two.
    const added = receiptsIn(copy).find(({ host }) => host === 'web7')!;
    const first = receiptsIn(copy).find(({ id }) => id === added.file.root)!;
    expect(added.file).toMatchObject({ name: first.file.name, path: first.file.path });
    expect(first.host).toBe('web1');
    expect(receiptFiles(copy)).toHaveLength(2);
    expect(await alarmed(copy)).toMatchObject({ code: 0, problems: [], calls: 5 });
  });
});

describe('damage to merged receipts is named, and never clear', () => {
  const cases: [string, (file: string, name: string) => void, RegExp][] = [
    ['cut within a line', (file) => truncateSync(file, readFileSync(file).length - 100), /cut, or edited/],
    [
      'cut behind a line',
      (file) => truncateSync(file, readFileSync(file).lastIndexOf('\n', -2) + 1),
      /cut, or edited/,
    ],
    ['missing', (file) => rmSync(file), /missing, and holds receipts/],
    [
      'a line was edited',
      (file) => writeFileSync(file, readFileSync(file, 'utf8').replace('"lines":1', '"lines":2')),
      /its checksum is another/,
    ],
    [
      'a line was edited, and the file named after what it holds now',
      (file, name) => {
        const bytes = Buffer.from(readFileSync(file, 'utf8').replace('"lines":1', '"lines":2'));
        rmSync(file);
        writeFileSync(path.join(name, 'batches', `c-${sha256(bytes)}.jsonl`), bytes);
      },
      /its checksum is another/,
    ],
    [
      'a line was taken out, and the file named after what it holds now',
      (file, name) => {
        const bytes = Buffer.from(readFileSync(file, 'utf8').split('\n').slice(1).join('\n'));
        rmSync(file);
        writeFileSync(path.join(name, 'batches', `c-${sha256(bytes)}.jsonl`), bytes);
      },
      /missing, and holds receipts/,
    ],
    [
      'another text of the same batch beside it',
      (file, name) => {
        const [text] = readFileSync(file, 'utf8').split('\n') as [string];
        const { checksum: _, ...receipt } = JSON.parse(text) as Record<string, unknown>;
        const other = JSON.stringify({ ...receipt, host: 'web8' }).slice(0, -1);
        writeFileSync(
          path.join(name, 'batches', `${receipt.id}.json`),
          `${other},"checksum":"${sha256(Buffer.from(other))}"}\n`,
        );
      },
      /stands there twice, and not alike/,
    ],
  ];
  test.each(exceptByDay(cases, ['cut within a line', 'a line was edited']))('%s', async (_, damage, told) => {
    const copy = copyOf(lake);
    await compact(copy);
    damage(merged(copy), copy);
    const { code, problems } = await alarmed(copy);
    expect(code).toBe(3);
    expect(problems.map(({ message }) => message).join('\n')).toMatch(told);
    const ran = await lakelog(['lake', 'verify', '--lake', copy], { now: () => NOW });
    expect(ran.code).toBe(3);
  });

  test('one that is missing is what is told first, and no host is said to make it again', async () => {
    const copy = copyOf(lake);
    await compact(copy);
    rmSync(merged(copy));
    const { problems } = await alarmed(copy);
    expect(problems[0]).toMatchObject({
      message: expect.stringContaining('missing, and holds receipts'),
      next: expect.stringContaining('into a new folder'),
    });
    const moved = problems.filter(({ message }) => message.includes('which no receipt names'));
    for (const { next } of moved) expect(next).not.toContain('let its host publish');
    const ran = await lakelog(['lake', 'compact', '--lake', copy], { now: () => NOW });
    expect([ran.code, ran.stderr]).toEqual([3, expect.stringContaining('missing, and holds receipts')]);
  });

  test.skipIf(!nightly)('a folder of them that is no file, and a file that cannot be read', async () => {
    const copy = copyOf(lake);
    await compact(copy);
    const file = merged(copy);
    rmSync(file);
    mkdirSync(file);
    expect(await alarmed(copy)).toMatchObject({ code: 3 });
  });
});

describe('compaction of receipts that comes to no end', () => {
  test.skipIf(!nightly)('before its commit: the next one begins anew', async () => {
    const copy = copyOf(lake);
    const done = copyOf(lake);
    await compact(done);
    copyFileSync(merged(done), path.join(copy, 'batches', path.basename(merged(done))));
    expect(await alarmed(copy)).toMatchObject({ code: 0, calls: 4 });
    await compact(copy);
    expect(await saidBy(copy)).toEqual(await saidBy(lake));
    expect(receiptFiles(copy)).toEqual(receiptFiles(done));
  });

  test('its commit lost: what it merged stays, and is merged again', async () => {
    const copy = copyOf(lake);
    await compact(copy);
    const folder = path.join(copy, 'compactions');
    for (const name of readdirSync(folder))
      if (readFileSync(path.join(folder, name), 'utf8').includes('"table":"batches"'))
        rmSync(path.join(folder, name));
    expect(await alarmed(copy)).toMatchObject({ code: 0, calls: 4 });
    await put(copy, 'web5', [at(9)]);
    await compact(copy);
    expect(receiptFiles(copy)).toHaveLength(1);
    expect(await alarmed(copy)).toMatchObject({ code: 0, calls: 5 });
  });
});

/** Another host publishes the very same bytes, and its receipt is merged, while one is at some point of its own run. */
describe('published again while its receipt was merged', () => {
  /** The lake when the other has done all of it. */
  let other: string;
  const isOwn = (name: string) => name.startsWith('.') || name === 'hosts/web9.json';
  const namesIn = (name: string) =>
    (readdirSync(name, { recursive: true, encoding: 'utf8' }) as string[]).filter(
      (one) => !isOwn(one) && statSync(path.join(name, one)).isFile(),
    );

  beforeAll(async () => {
    other = copyOf(lake);
    await put(other, 'web8', [at(7), at(8)]);
    await compact(other);
  });
  afterEach(() => void vi.restoreAllMocks());

  /** What the other did happens at once, in front of the first file that is put under such a name. */
  function meanwhile(name: string, begins: string, isKilled: boolean): void {
    const { put: original } = LocalPlace.prototype;
    const gone = namesIn(lake).filter((one) => !namesIn(other).includes(one));
    let isDone = false;
    vi.spyOn(LocalPlace.prototype, 'put').mockImplementation(function (this: LocalPlace, file, content) {
      const isNow = !isDone && file.startsWith(begins);
      if (isNow) {
        isDone = true;
        for (const one of gone) rmSync(path.join(name, one));
        for (const one of namesIn(other)) cpSync(path.join(other, one), path.join(name, one));
      }
      const wasPut = original.call(this, file, content);
      if (isNow && isKilled) throw new Error('killed');
      return wasPut;
    });
  }

  const BEFORE = [
    ['before its rows are there', 'base_'],
    ['before its receipt is there', 'batches/'],
  ] as const;

  // With its receipt there, one is killed below.
  test.each(byDay(BEFORE, 2))('%s: it is there once', async (_, begins) => {
    const copy = copyOf(lake);
    meanwhile(copy, begins, false);
    await put(copy, 'web9', [at(7), at(8)]);
    vi.restoreAllMocks();
    expect(receiptsIn(copy)).toEqual(receiptsIn(other));
    expect(await alarmed(copy)).toMatchObject({ code: 0, problems: [], calls: 6 });
    expect(await isVerified(copy)).toBe(true);
    // Rows that were put where others had been merged.
    await compact(copy);
    expect(namesIn(copy).sort()).toEqual(namesIn(other).sort());
    expect(await alarmed(copy)).toMatchObject({ code: 0, problems: [], calls: 6 });
  });

  test('killed when its receipt was there: nobody vouches until the next compaction', async () => {
    const copy = copyOf(lake);
    meanwhile(copy, 'batches/', true);
    await expect(put(copy, 'web9', [at(7), at(8)])).rejects.toThrow('killed');
    vi.restoreAllMocks();
    expect(receiptFiles(copy)).toHaveLength(2);
    const { code, problems } = await alarmed(copy);
    expect({ code, next: problems.map(({ next }) => next) }).toEqual({
      code: 3,
      next: ['lakelog lake compact', expect.stringMatching(/^let it: lakelog sync --host web9 /)],
    });
    await compact(copy);
    expect(namesIn(copy).sort()).toEqual(namesIn(other).sort());
    expect(await alarmed(copy)).toMatchObject({
      code: 3,
      problems: [{ where: expect.stringMatching(/^web9:/) }],
      calls: 6,
    });
    // And its host comes to its end.
    await put(copy, 'web9', [at(7), at(8)]);
    expect(namesIn(copy).sort()).toEqual(namesIn(other).sort());
    expect(await alarmed(copy)).toMatchObject({ code: 0, problems: [], calls: 6 });
  });
});

test('publishing, merging and asking in loops beside one another', async () => {
  const copy = copyOf(lake);
  const rounds = nightly ? 60 : 3;
  let isOver = false;
  const line = (host: string, n: number) =>
    call({ timestamp: `2026-09-0${1 + (n % 5)}T08:00:00Z`, call_id: `${host} ${n}` });
  const publishing = ['web5', 'web6'].map(async (host) => {
    const content: string[] = [];
    for (let n = 0; n < rounds; n++) {
      content.push(line(host, n));
      expect((await put(copy, host, content)).problems).toEqual([]);
    }
  });
  const merging = async () => {
    while (!isOver) {
      const ran = await lakelog(['lake', 'compact', '--lake', copy, '--grace', '0'], { now: () => NOW });
      expect(ran.code, ran.stderr).toBe(0);
    }
  };
  const asking = async () => {
    while (!isOver) {
      const ran = await lakelog(['alarm', '--lake', copy, '--max-rejects', '9', '--json'], {
        now: () => NOW,
      });
      // What was removed while it was read is to be read again.
      if (ran.code !== 0)
        expect([ran.code, ran.stderr + ran.stdout]).toEqual([
          3,
          expect.stringMatching(/run the same command again/),
        ]);
      else expect(envelope(ran).receipt.calls_loaded).toBeGreaterThanOrEqual(4);
    }
  };
  const beside = [merging(), asking()];
  await Promise.all(publishing).finally(() => {
    isOver = true;
  });
  await Promise.all(beside);
  await compact(copy);
  expect(receiptFiles(copy)).toHaveLength(1);
  expect(receiptsIn(copy)).toHaveLength(4 + 2 * rounds);
  expect(await alarmed(copy)).toMatchObject({ code: 0, problems: [], calls: 4 + 2 * rounds });
  expect(await isVerified(copy)).toBe(true);
}, 600_000);
