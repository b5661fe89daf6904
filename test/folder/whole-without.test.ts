/** A compaction takes nothing away that the lake is not whole without, and what is lost can be had again as it is told. */
import { execFileSync } from 'node:child_process';
import {
  appendFileSync,
  cpSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { beforeAll, expect, test } from 'vitest';
import { byDay, call, envelope, exceptByDay, newFolder, nightly, writeLines } from '../support/cli.js';
import { lakelog } from '../support/program.js';
import { filesIn } from './folder-lake.js';

const YESTERDAY = new Date('2026-09-30T12:00:00Z');
const NOW = new Date('2026-10-01T12:00:00Z');
const good = (day = 1) => call({ timestamp: `2026-09-0${day}T08:00:00Z` });
const bad = (day = 1) => call({ timestamp: `2026-09-0${day}T09:00:00Z`, grounded_in_roster: false });

function lakeAt(cwd: string) {
  const at = (name: string) => path.join(cwd, name);
  const run = (args: string[], now = NOW) => lakelog(args, { cwd, now: () => now });
  const sync = async (host: string, ...logs: string[]) => {
    const ran = await run(['sync', '--lake', 'L/', '--host', host, ...logs], YESTERDAY);
    return ran.code;
  };
  const compact = () => run(['lake', 'compact', '--lake', 'L/', '--grace', '0']);
  const ask = async () => {
    const ran = await run(['alarm', '--lake', 'L/', '--json']);
    const found = envelope(ran).verdict!.cannot_vouch;
    const told = found.map(({ where, message, next }) => `${where}: ${message} → ${next}`);
    return { code: ran.code, told, next: found.map(({ next }) => next) };
  };
  const files = () => filesIn(at('L'));
  const remove = (is: (name: string) => boolean) => {
    for (const name of files().filter(is)) rmSync(at(`L/${name}`));
  };
  const commits = () => readdirSync(at('L/compactions')).map((name) => at(`L/compactions/${name}`));
  const ofRows = () => commits().filter((name) => !readFileSync(name, 'utf8').includes('"table":"batches"'));
  return { cwd, at, run, sync, compact, ask, files, remove, commits, ofRows };
}
type Lake = ReturnType<typeof lakeAt>;

const isMerged = (name: string) => path.basename(name).startsWith('c-');
const isCalls = (name: string) => name.startsWith('base_calls/') && isMerged(name);

/** Two batches of host a on a day, two of host b on another, all merged. */
let made: string;
/** The same before it was merged. */
let single: string;
beforeAll(async () => {
  const lake = lakeAt(newFolder());
  for (const line of [good(), bad()]) {
    appendFileSync(lake.at('u.jsonl'), `${line}\n`);
    expect(await lake.sync('a', 'u.jsonl')).toBe(0);
  }
  for (const _two of [1, 2]) {
    appendFileSync(lake.at('w.jsonl'), `${good(2)}\n`);
    expect(await lake.sync('b', 'w.jsonl')).toBe(0);
  }
  single = copyOf(lake.cwd).cwd;
  expect((await lake.compact()).code).toBe(0);
  expect((await lake.ask()).code).toBe(1);
  made = lake.cwd;
});

function copyOf(from: string): Lake {
  const cwd = newFolder();
  // Node sets times to the microsecond.
  execFileSync('cp', ['-a', `${from}/.`, cwd]);
  return lakeAt(cwd);
}

const flip = (file: string) => {
  const bytes = readFileSync(file);
  bytes[bytes.indexOf('"version"') + 12]! ^= 1;
  writeFileSync(file, bytes);
};

test.each(
  byDay<[string, (file: string) => void]>(
    [
      ['lost', rmSync],
      ['edited', flip],
    ],
    2,
  ),
)('the commits of compactions, %s: merged rows are nowhere else, and stay', async (_, damage) => {
  const lake = copyOf(made);
  const texts = lake.commits().map((name) => [name, readFileSync(name)] as const);
  const before = lake.files().filter((name) => !name.startsWith('compactions/'));
  for (const name of lake.commits()) damage(name);
  const { code, next } = await lake.ask();
  expect([1, 3]).toContain(code);
  expect(next.length).toBeGreaterThan(0);
  expect(next).not.toContain('lakelog lake compact');
  const ran = await lake.compact();
  expect([ran.code, ran.stderr]).toEqual([3, expect.stringContaining('put back')]);
  expect(lake.files().filter((name) => !name.startsWith('compactions/'))).toEqual(before);
  for (const [name, text] of texts) writeFileSync(name, text);
  expect(await lake.ask()).toMatchObject({ code: 1, told: [] });
  expect((await lake.compact()).code).toBe(0);
});

test('a merged file of batches of which nothing else is known stays', async () => {
  const other = copyOf(made);
  const calls = other.files().find((name) => isCalls(name) && name.includes('day=2026-09-01'))!;
  // All that host a published is gone, and the compaction too.
  const gone = lakeAt(newFolder());
  writeLines(gone.cwd, 'w.jsonl', [good(2)]);
  expect(await gone.sync('b', 'w.jsonl')).toBe(0);
  cpSync(other.at(`L/${calls}`), gone.at(`L/${calls}`));
  const ran = await gone.compact();
  expect([ran.code, ran.stderr]).toEqual([3, expect.stringMatching(/which has no receipt[\s\S]*put back/)]);
  expect(gone.files()).toContain(calls);
});

/** As who follows what the alarm says. @returns what the last alarm says, which follows a compaction and a check. */
async function mended(lake: Lake, ...hosts: readonly [string, string][]) {
  for (const [host, log] of hosts) expect(await lake.sync(host, log)).toBe(0);
  const asked = await lake.ask();
  const ran = await lake.compact();
  expect(ran.code, ran.stderr).toBe(0);
  expect((await lake.run(['lake', 'verify', '--lake', 'L/'])).code).toBe(0);
  expect((await lake.ask()).told).toEqual([]);
  return asked;
}
const removed = (name: string): void => rmSync(name);
const AGAIN = /let the hosts? publish .* again.*lakelog sync/;

test.each(
  exceptByDay<[string, (lake: Lake) => void, RegExp]>(
    [
      ['a merged file is lost', ({ remove }) => remove(isCalls), AGAIN],
      [
        'a merged file is cut, and removed as it is told',
        ({ remove, files, at }) => {
          for (const name of files().filter(isCalls)) truncateSync(at(`L/${name}`), 9);
          remove(isCalls);
        },
        AGAIN,
      ],
      ['all rows are lost', ({ remove }) => remove((name) => name.endsWith('.parquet')), AGAIN],
      ['the commit of what was merged is lost', ({ ofRows }) => ofRows().forEach(removed), AGAIN],
    ],
    // Of all rows it is told below, where a log was put back.
    ['a merged file is cut, and removed as it is told', 'all rows are lost'],
  ),
)('%s: hosts publish these rows again, and nothing is wrong any more', async (_, damage, told) => {
  const lake = copyOf(made);
  damage(lake);
  const { code, next } = await lake.ask();
  expect(code).toBe(3);
  expect(next[0]).toMatch(told);
  // The other host has lost nothing, or is the one that publishes last.
  const { code: then } = await mended(lake, ['a', 'u.jsonl'], ['b', 'w.jsonl']);
  expect([1, 3]).toContain(then);
  expect((await lake.ask()).code).toBe(1);
});

test('rows that are lost come back from a log that was put back, and from a lake file', async () => {
  const lake = copyOf(made);
  const other = readFileSync(lake.at('w.jsonl'));
  for (const to of [other.indexOf(10) + 1, other.length]) {
    writeFileSync(lake.at('w.jsonl'), other.subarray(0, to));
    await lake.run(['sync', '--lake', 'F.duckdb', 'w.jsonl']);
  }
  const log = readFileSync(lake.at('u.jsonl'));
  for (const name of ['u.jsonl', 'w.jsonl']) rmSync(lake.at(name));
  lake.remove((name) => name.endsWith('.parquet'));
  await lake.sync('a', 'u.jsonl');
  expect((await lake.ask()).code).toBe(3);
  writeFileSync(lake.at('u.jsonl'), log);
  expect(await lake.sync('a', 'u.jsonl')).toBe(0);
  expect((await lake.ask()).told.join()).toContain('day=2026-09-02');
  expect((await lake.run(['sync', '--lake', 'L/', '--host', 'b', '--from', 'F.duckdb'])).code).toBe(0);
  expect(await lake.ask()).toMatchObject({ code: 1, told: [] });
  await mended(lake);
});

test.skipIf(!nightly)(
  'receipts and files taken out, and the log published again, as one batch: no compaction is missed',
  async () => {
    const lake = copyOf(single);
    // Receipts of today are not merged, and so can be taken out.
    const ran = await lake.run(['lake', 'compact', '--lake', 'L/', '--grace', '0'], YESTERDAY);
    expect(ran.code).toBe(0);
    lake.remove((name) => name.endsWith('.parquet') || name.startsWith('batches/'));
    expect((await lake.ask()).code).toBe(3);
    expect(await lake.sync('a', 'u.jsonl')).toBe(0);
    expect(await lake.sync('b', 'w.jsonl')).toBe(0);
    expect(await lake.ask()).toMatchObject({ code: 1, told: [] });
    await mended(lake);
    expect(lake.commits().every((name) => !readFileSync(name, 'utf8').includes('"moves":[]'))).toBe(true);
  },
);

const idsIn = (lake: Lake) =>
  readdirSync(lake.at('L/batches'))
    .map((name) => name.replace('.json', ''))
    .sort();

/** One frame with one raw block (RFC 8878). */
function zstd(bytes: Buffer): Buffer {
  const head = Buffer.alloc(12);
  head.writeUInt32LE(0xfd2fb528, 0);
  head[4] = 0xa0;
  head.writeUInt32LE(bytes.length, 5);
  head.writeUIntLE((bytes.length << 3) | 1, 9, 3);
  return Buffer.concat([head, bytes]);
}

test.each(
  byDay<[string, (bytes: Buffer) => Buffer]>(
    [
      ['gz', gzipSync],
      ['zst', zstd],
    ],
    2,
  ),
)(
  'a batch between two others is published again from a log that was compressed since (.%s)',
  async (name, pack) => {
    const lake = lakeAt(newFolder());
    const ids: string[][] = [[]];
    for (const line of [good(), bad(), good(2)]) {
      appendFileSync(lake.at('u.jsonl'), `${line}\n`);
      expect(await lake.sync('a', 'u.jsonl')).toBe(0);
      ids.push(idsIn(lake));
    }
    const lost = ids[2]!.find((id) => !ids[1]!.includes(id))!;
    lake.remove((file) => file.includes(lost));
    writeFileSync(lake.at(`u.jsonl.1.${name}`), pack(readFileSync(lake.at('u.jsonl'))));
    writeLines(lake.cwd, 'u.jsonl', [good(3)]);
    expect((await lake.ask()).code).toBe(3);
    expect(await lake.sync('a', 'u.jsonl')).toBe(0);
    expect(await lake.ask()).toMatchObject({ code: 1, told: [] });
    expect(idsIn(lake)).toContain(lost);
    await mended(lake);
  },
);

test('a batch is the same again, whatever was published with it: its receipt is lost once its rows were merged', async () => {
  const lake = lakeAt(newFolder());
  const both = good();
  writeLines(lake.cwd, 'u.jsonl', [both, good()]);
  writeLines(lake.cwd, 'k.jsonl', [both, bad(), both]);
  expect(await lake.sync('a', 'u.jsonl', 'k.jsonl')).toBe(0);
  expect((await lake.run(['lake', 'compact', '--lake', 'L/', '--grace', '0'], YESTERDAY)).code).toBe(0);
  const ids = idsIn(lake);
  for (const id of ids) {
    const text = readFileSync(lake.at(`L/batches/${id}.json`));
    rmSync(lake.at(`L/batches/${id}.json`));
    // The violation is of one of the two.
    const { code, told } = await lake.ask();
    expect([1, 3]).toContain(code);
    expect(told).not.toEqual([]);
    expect(await lake.sync('a', 'u.jsonl', 'k.jsonl')).toBe(0);
    expect(await lake.ask()).toMatchObject({ code: 1, told: [] });
    expect(readFileSync(lake.at(`L/batches/${id}.json`), 'utf8')).toBe(text.toString());
  }
  await mended(lake);
});
