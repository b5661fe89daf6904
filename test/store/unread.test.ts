/** What could not be read is told until it is back, mended or settled, whatever stands under its name by then. */
import {
  copyFileSync,
  existsSync,
  readFileSync,
  renameSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { identityOf, statOf } from '../../src/lake/input/index.js';
import { keptAfter } from '../../src/lake/store/unread.js';
import { byDay, call, envelope, newFolder, writeLines } from '../support/cli.js';
import { lakelog } from '../support/program.js';

const NOW = new Date('2026-10-01T12:00:00Z');
const HOURS_AGO = new Date('2026-10-01T09:00:00Z');
const good = () => call({ timestamp: '2026-09-01T08:00:00Z' });
const archiveOf = () => gzipSync(Array.from({ length: 500 }, good).join('\n'));

function made(lake: 'L/' | 'F.duckdb') {
  const cwd = newFolder();
  const at = (name: string) => path.join(cwd, name);
  const run = (...args: string[]) => lakelog(args, { cwd, now: () => NOW });
  const host = lake === 'L/' ? ['--host', 'a'] : [];
  const asIs = lake === 'L/' ? [] : ['--no-sync', '--max-age', '90d'];
  const write = (name: string, bytes: Buffer) => {
    writeFileSync(at(name), bytes);
    utimesSync(at(name), HOURS_AGO, HOURS_AGO);
  };
  const asked = async () => {
    const ran = await run('alarm', '--lake', lake, ...asIs, '--json');
    const { cannot_vouch } = envelope(ran).verdict!;
    return { code: ran.code, of: cannot_vouch.map(({ where }) => where?.replace(/^a:/, '')) };
  };
  return {
    ...{ at, run, write },
    add: () => writeLines(cwd, 'u.jsonl', [good()]),
    /** What a look says, and who asks afterwards. */
    look: async (...logs: string[]) => {
      const { code } = await run('sync', '--lake', lake, ...host, ...logs);
      return { sync: code, ...(await asked()) };
    },
    settle: async (name: string) => {
      const place = `${lake === 'L/' ? 'a:' : ''}${at(name)}`;
      return (await run('ack', place, '--reason', 'known', '--lake', lake, ...asIs.slice(0, 1))).code;
    },
    /** As logrotate does: `rotate 2`, `compress`. */
    rotate: () => {
      rmSync(at('u.jsonl.2.gz'), { force: true });
      if (existsSync(at('u.jsonl.1.gz'))) renameSync(at('u.jsonl.1.gz'), at('u.jsonl.2.gz'));
      write('u.jsonl.1.gz', gzipSync(readFileSync(at('u.jsonl'))));
      rmSync(at('u.jsonl'));
      writeLines(cwd, 'u.jsonl', [good()]);
    },
  };
}

const CLEAR = { sync: 0, code: 0, of: [] };

describe.each(['L/', 'F.duckdb'] as const)('in %s', (lake) => {
  test.each(byDay(['at each rotation', 'between deletion and rotation'], 2))(
    'a torn archive that rotation deleted, looked at %s',
    async (when) => {
      const { at, add, look, write, rotate, settle } = made(lake);
      add();
      const whole = archiveOf();
      write('u.jsonl.1.gz', whole.subarray(0, -10));
      const said = (name: string) => ({ sync: 3, code: 3, of: [at(name)] });
      expect(await look('u.jsonl')).toEqual(said('u.jsonl.1.gz'));
      let name = 'u.jsonl.1.gz';
      if (when.startsWith('at')) {
        rotate();
        name = 'u.jsonl.2.gz';
        expect(await look()).toEqual(said(name));
      } else {
        rmSync(at(name));
        expect(await look()).toEqual(said(name));
      }
      rotate();
      for (const _again of [1, 2]) expect(await look()).toEqual(said(name));
      // Put back under whatever name; and gone again once it was read.
      write('u.jsonl.3.gz', whole);
      expect(await look()).toEqual(CLEAR);
      rmSync(at('u.jsonl.3.gz'));
      expect(await look()).toEqual(CLEAR);
      // What is settled of one stays so, whatever rotates to its name.
      write('u.jsonl.4.gz', archiveOf().subarray(0, -10));
      expect(await look()).toEqual(said('u.jsonl.4.gz'));
      expect(await settle('u.jsonl.4.gz')).toBe(0);
      rmSync(at('u.jsonl.4.gz'));
      expect(await look()).toEqual(CLEAR);
      write('u.jsonl.4.gz', archiveOf());
      expect(await look()).toEqual(CLEAR);
    },
  );

  test('a new file under its name, and under its number, is another', async () => {
    const { at, add, look, write } = made(lake);
    add();
    const whole = archiveOf();
    write('u.jsonl.1.gz', whole.subarray(0, -10));
    expect((await look('u.jsonl')).code).toBe(3);
    rmSync(at('u.jsonl.1.gz'));
    write('u.jsonl.1.gz', archiveOf());
    const said = { sync: 3, code: 3, of: [at('u.jsonl.1.gz')] };
    for (const _again of [1, 2]) expect(await look()).toEqual(said);
    write('u.jsonl.2.gz', whole);
    expect(await look()).toEqual(CLEAR);
  });

  test('one that is mended where it is, by what begins otherwise', async () => {
    const { add, look, write } = made(lake);
    add();
    const whole = archiveOf();
    write('u.jsonl.1.gz', whole.subarray(0, -10));
    expect((await look('u.jsonl')).code).toBe(3);
    write('u.jsonl.1.gz', gzipSync(gunzipSync(whole), { level: 1 }));
    expect(await look()).toEqual(CLEAR);
  });

  test('not by another one that was written over it', async () => {
    const { at, add, look, write, settle } = made(lake);
    add();
    write('u.jsonl.1.gz', archiveOf().subarray(0, -10));
    expect((await look('u.jsonl')).code).toBe(3);
    write('u.jsonl.1.gz', gzipSync(`${gunzipSync(archiveOf())}\n${good()}`));
    const said = { sync: 3, code: 3, of: [at('u.jsonl.1.gz')] };
    for (const _again of [1, 2]) expect(await look()).toEqual(said);
    expect(await settle('u.jsonl.1.gz')).toBe(0);
    expect(await look()).toEqual(CLEAR);
  });

  test('half of an archive beside what it may be made from, and gone with what it held more', async () => {
    const { at, add, look, write } = made(lake);
    const text = gunzipSync(archiveOf());
    write('u.jsonl.1', text.subarray(0, text.indexOf('\n', 9_000) + 1));
    write('u.jsonl.1.gz', gzipSync(text).subarray(0, -10));
    add();
    const said = { sync: 3, code: 3, of: [at('u.jsonl.1.gz')] };
    expect(await look('u.jsonl')).toEqual(said);
    rmSync(at('u.jsonl.1.gz'));
    for (const _again of [1, 2]) expect(await look()).toEqual(said);
  });

  test('a few bytes of text are what all logs begin with', async () => {
    const { at, add, look, write } = made(lake);
    add();
    write('u.jsonl.1.gz', archiveOf().subarray(0, 110));
    expect((await look('u.jsonl')).code).toBe(3);
    rmSync(at('u.jsonl.1.gz'));
    write('u.jsonl.1.gz', archiveOf());
    expect(await look()).toEqual({ sync: 3, code: 3, of: [at('u.jsonl.1.gz')] });
  });

  test('a torn archive under a name that a log had long before', async () => {
    const { at, add, look, write } = made(lake);
    write('u.jsonl.1', Buffer.from(`${good()}\n`));
    add();
    expect(await look('u.jsonl')).toEqual(CLEAR);
    rmSync(at('u.jsonl.1'));
    expect(await look()).toEqual(CLEAR);
    write('u.jsonl.1.gz', archiveOf().subarray(0, -10));
    const said = { sync: 3, code: 3, of: [at('u.jsonl.1.gz')] };
    expect(await look()).toEqual(said);
    rmSync(at('u.jsonl.1.gz'));
    for (const _again of [1, 2]) expect(await look()).toEqual(said);
  });
});

test('what a lake file could not read, and is gone when the host looks itself', async () => {
  const { at, add, run, look, write } = made('L/');
  add();
  const whole = archiveOf();
  write('u.jsonl.1.gz', whole.subarray(0, -10));
  expect((await run('sync', '--lake', 'F.duckdb', 'u.jsonl')).code).toBe(3);
  const from = ['--host', 'a', '--from', 'F.duckdb'];
  expect((await run('sync', '--lake', 'L/', ...from)).code).toBe(3);
  rmSync(at('u.jsonl.1.gz'));
  expect(await look('u.jsonl')).toMatchObject({ code: 3, of: [at('u.jsonl.1.gz')] });
  write('u.jsonl.1.gz', whole);
  expect(await look('u.jsonl')).toEqual(CLEAR);
});

describe('one whose bytes nobody may read', () => {
  const begun = () => {
    const cwd = newFolder();
    const at = (name: string) => path.join(cwd, name);
    writeLines(cwd, 'u.jsonl', [good(), good()]);
    utimesSync(at('u.jsonl'), HOURS_AGO, HOURS_AGO);
    const markOf = (name: string) => {
      const stats = statOf(at(name))!;
      return [stats.size, stats.mtimeNs, identityOf(stats), stats.birthtimeNs].join(' ');
    };
    const of = (name: string, mark = markOf(name)) => ({
      ...{ path: at(name), problem: 'unreadable' as const, detail: 'permission denied' },
      ...{ by: [at('u.jsonl')], mark },
    });
    const left = (before: readonly ReturnType<typeof of>[], ...names: string[]) =>
      keptAfter(
        before,
        {
          requests: [{ path: at('u.jsonl'), as: 'any' }],
          files: names.map((name) => ({ path: at(name), stats: statOf(at(name))! })),
          ...{ problems: [], known: [], logs: [], cwd, now: NOW },
        },
        [],
      ).map(({ path: file, by }) => [path.basename(file), by.length]);
    return { cwd, at, of, left };
  };
  const LOST = [['u.jsonl', 0]];

  test.each<[string, (made: ReturnType<typeof begun>) => readonly string[], unknown]>([
    ['it is readable by now', () => ['u.jsonl'], []],
    ['it is readable under another name', (made) => moved(made, renameSync), []],
    ['a copy with its times', (made) => moved(made, copied), []],
    ['an archive of it', (made) => moved(made, packed), []],
    ['a copy that is younger', (made) => moved(made, (from, to) => copied(from, to, NOW)), LOST],
    ['it was cut', (made) => replaced(made, () => {}), LOST],
    ['it is nowhere', (made) => moved(made, () => {}).slice(1), LOST],
    ['another one in its place', (made) => replaced(made, rmSync), LOST],
  ])('%s', (_, happens, kept) => {
    const it = begun();
    const before = [it.of('u.jsonl')];
    expect(it.left(before, ...happens(it))).toEqual(kept);
  });

  test('of two of one time, one that stays is not the one that went', () => {
    const { at, of, left } = begun();
    copied(at('u.jsonl'), at('u.jsonl.1'));
    const before = [of('u.jsonl'), of('u.jsonl.1')];
    rmSync(at('u.jsonl'));
    expect(left(before, 'u.jsonl.1')).toEqual(LOST);
  });

  test('of two of one second, one that is compressed is not the other', () => {
    const { at, of, left } = begun();
    copied(at('u.jsonl'), at('v.jsonl'));
    const before = [of('u.jsonl'), of('v.jsonl')];
    packed(at('v.jsonl'), at('v.jsonl.1.gz'));
    for (const name of ['u.jsonl', 'v.jsonl']) rmSync(at(name));
    expect(left(before, 'v.jsonl.1.gz')).toEqual(LOST);
  });

  test('as an earlier version knew it', () => {
    const { of, left } = begun();
    const { mark } = of('u.jsonl');
    const older = of('u.jsonl', mark.split(' ').slice(0, 3).join(' '));
    expect(left([older], 'u.jsonl')).toEqual([]);
  });
});

function moved({ at }: { at(name: string): string }, how: (from: string, to: string) => void): string[] {
  const to = how === packed ? 'u.jsonl.1.gz' : 'u.jsonl.1';
  how(at('u.jsonl'), at(to));
  rmSync(at('u.jsonl'), { force: true });
  return [to];
}

/** By less, or by as much in a new file. */
function replaced({ at }: { at(name: string): string }, how: (file: string) => void): string[] {
  how(at('u.jsonl'));
  const lines = existsSync(at('u.jsonl')) ? [good()] : [good(), good()];
  writeFileSync(at('u.jsonl'), `${lines.join('\n')}\n`);
  return ['u.jsonl'];
}

function copied(from: string, to: string, then = HOURS_AGO): void {
  copyFileSync(from, to);
  utimesSync(to, then, then);
}

function packed(from: string, to: string): void {
  writeFileSync(to, gzipSync(readFileSync(from)));
  utimesSync(to, HOURS_AGO, HOURS_AGO);
}
