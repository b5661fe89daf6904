/** What a lake file could not read when its logs were looked at last is told to who asks it without a look. */
import { appendFileSync, mkdirSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { byDay, call, envelope, newFolder, writeLines } from '../support/cli.js';
import { lakelog } from '../support/program.js';

const NOW = new Date('2026-10-01T12:00:00Z');
const HOURS_AGO = new Date('2026-10-01T09:00:00Z');
const good = () => call({ timestamp: '2026-09-01T08:00:00Z' });
const CLEAR = { code: 0, of: [] };

function lake() {
  const cwd = newFolder();
  const at = (name: string) => path.join(cwd, name);
  const run = (...args: string[]) => lakelog(args, { cwd, now: () => NOW });
  const asked = async (...args: string[]) => {
    const ran = await run(...args);
    const { cannot_vouch } = envelope(ran).verdict!;
    return { code: ran.code, of: cannot_vouch.map(({ where }) => where?.replace(`${cwd}/`, '')) };
  };
  return {
    at,
    run,
    sync: async (...logs: string[]) => (await run('sync', '--lake', 'F.duckdb', ...logs)).code,
    /** Of the lake as it is. */
    ask: () => asked('alarm', '--lake', 'F.duckdb', '--no-sync', '--max-age', '90d', '--json'),
    /** With a look at this log alone. */
    askOf: (log: string) => asked('alarm', '--lake', 'F.duckdb', log, '--json'),
    /** Of a folder that is published from it. */
    askFolder: async () => {
      const { code } = await run('sync', '--lake', 'L/', '--host', 'a', '--from', 'F.duckdb');
      return { sync: code, ...(await asked('alarm', '--lake', 'L/', '--json')) };
    },
    write: (name: string, lines = [good()]) => writeLines(cwd, name, lines),
    age: (name: string) => utimesSync(at(name), HOURS_AGO, HOURS_AGO),
  };
}

const archive = gzipSync(Array.from({ length: 500 }, good).join('\n'));

test('an archive that cannot be read, until it can', async () => {
  const { at, sync, ask, askOf, askFolder, write } = lake();
  write('u.jsonl');
  write('other.jsonl');
  writeFileSync(at('u.jsonl.1.gz'), archive.subarray(0, -10));
  expect(await sync('u.jsonl')).toBe(3);
  const said = { code: 3, of: ['u.jsonl.1.gz'] };
  expect(await ask()).toEqual(said);
  // Who looks at another log saw nothing of it.
  expect(await sync('other.jsonl')).toBe(3);
  expect(await askOf('other.jsonl')).toEqual({ code: 3, of: ['u.jsonl.1.gz', 'u.jsonl'] });
  expect(await askFolder()).toEqual({ sync: 3, code: 3, of: ['a:u.jsonl.1.gz'] });
  writeFileSync(at('u.jsonl.1.gz'), archive);
  expect(await sync()).toBe(0);
  expect(await ask()).toEqual(CLEAR);
  expect(await askFolder()).toEqual({ sync: 0, ...CLEAR });
});

const FOLDERS = ['logs/../logs', 'logs', 'link', './logs/'];
const OTHERS = ['logs/*.gz', './logs//b.jsonl.gz'];
test.each([...byDay(FOLDERS, 4), ...byDay(OTHERS, 2)])(
  'one that is gone by the next look at %s is told until it is back',
  async (request) => {
    const { at, sync, ask, write } = lake();
    mkdirSync(at('logs'));
    symlinkSync('logs', at('link'));
    write('a.jsonl');
    writeFileSync(at('logs/b.jsonl.gz'), archive.subarray(0, -10));
    writeFileSync(at('logs/c.jsonl.gz'), archive);
    expect(await sync('a.jsonl', request)).toBe(3);
    expect((await ask()).code).toBe(3);
    rmSync(at('logs/b.jsonl.gz'));
    expect(await sync('a.jsonl')).toBe(3);
    // Where it alone was named, it is missing.
    if (!request.endsWith('/b.jsonl.gz')) expect(await sync(request)).toBe(3);
    expect((await ask()).code).toBe(3);
    writeFileSync(at('logs/b.jsonl.gz'), archive);
    expect(await sync(request)).toBe(0);
    expect(await ask()).toEqual(CLEAR);
  },
);

test('a log that was named and is not there, until it is', async () => {
  const { sync, ask, write } = lake();
  write('u.jsonl');
  expect(await sync('u.jsonl', 'nowhere.jsonl')).toBe(3);
  expect(await ask()).toEqual({ code: 3, of: ['nowhere.jsonl'] });
  write('nowhere.jsonl');
  expect(await sync()).toBe(0);
  expect(await ask()).toEqual(CLEAR);
});

test('what is explained is settled, until something else is wrong', async () => {
  const { at, sync, ask, run, askFolder, write } = lake();
  write('u.jsonl');
  expect(await sync('u.jsonl', 'typo.jsonl')).toBe(3);
  const settle = async (what: string, ...over: string[]) =>
    (await run('ack', what, '--reason', 'never was', ...over)).code;
  expect(await settle(at('typo.jsonl'), '--lake', 'F.duckdb', '--no-sync')).toBe(0);
  expect(await ask()).toEqual(CLEAR);
  expect(await askFolder()).toMatchObject({ code: 3 });
  expect(await settle(`a:${at('typo.jsonl')}`, '--lake', 'L/')).toBe(0);
  expect(await askFolder()).toEqual({ sync: 0, ...CLEAR });
  writeFileSync(at('typo.jsonl.gz'), archive.subarray(0, -10));
  expect(await sync('typo.jsonl.gz')).toBe(3);
  expect(await ask()).toEqual({ code: 3, of: ['typo.jsonl.gz'] });
});

test('what is settled of a lost log is not settled of the next loss', async () => {
  const { at, sync, ask, run, write } = lake();
  const line = good();
  write('other.jsonl');
  write('u.jsonl', [line]);
  expect(await sync('u.jsonl', 'other.jsonl')).toBe(0);
  rmSync(at('u.jsonl'));
  expect(await sync()).toBe(3);
  expect((await run('ack', 'u.jsonl', '--reason', 'moved', '--lake', 'F.duckdb')).code).toBe(0);
  expect(await ask()).toEqual(CLEAR);
  expect(await sync()).toBe(0);
  write('u.jsonl', [line]);
  expect(await sync()).toBe(0);
  rmSync(at('u.jsonl'));
  const later = new Date(NOW.getTime() + 60_000);
  const again = { cwd: at(''), now: () => later };
  expect((await lakelog(['sync', '--lake', 'F.duckdb'], again)).code).toBe(3);
  expect(await ask()).toEqual({ code: 3, of: ['u.jsonl'] });
});

test('a last line that was long without its end when it was looked at, and not one that was being written', async () => {
  const { at, sync, ask, age, askFolder, write } = lake();
  write('u.jsonl');
  write('later.jsonl');
  const line = good();
  appendFileSync(at('u.jsonl'), line.slice(0, 40));
  utimesSync(at('u.jsonl'), NOW, NOW);
  expect(await sync('u.jsonl')).toBe(0);
  expect(await ask()).toEqual(CLEAR);
  age('u.jsonl');
  // Nobody looked at it since.
  expect(await sync('later.jsonl')).toBe(0);
  expect(await ask()).toEqual(CLEAR);
  await sync('u.jsonl');
  expect(await ask()).toEqual({ code: 3, of: ['u.jsonl'] });
  expect(await askFolder()).toEqual({ sync: 3, code: 3, of: ['a:u.jsonl'] });
  appendFileSync(at('u.jsonl'), `${line.slice(40)}\n`);
  expect(await askFolder()).toMatchObject({ code: 3 });
  expect(await sync()).toBe(0);
  expect(await ask()).toEqual(CLEAR);
  expect(await askFolder()).toEqual({ sync: 0, ...CLEAR });
});

test('what came through a pipe that was cut is lost, until somebody settles it', async () => {
  const cwd = newFolder();
  const log = writeLines(cwd, 'u.jsonl', [good()]);
  const stdin = archive.subarray(0, -10);
  const run = async (...args: string[]) => {
    const at = ['--lake', 'F.duckdb', '--no-sync'].slice(0, args[0] === 'sync' ? 2 : 3);
    return (await lakelog([...args, ...at], { cwd, stdin, now: () => NOW })).code;
  };
  expect(await run('sync', log, '-')).toBe(3);
  const alarm = () => run('alarm', '--max-age', '90d');
  expect(await alarm()).toBe(3);
  expect(await run('ack', '-', '--reason', 'sent again')).toBe(0);
  expect(await alarm()).toBe(0);
});
