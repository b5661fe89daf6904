import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, describe, expect, test, vi } from 'vitest';
import { type Assertion, type ResolveOptions, resolveInputs } from '../../src/lake/input/index.js';
import { nightly } from '../support/cli.js';

const calls = vi.hoisted(() => ({ opens: 0, bytes: 0, opened: new Map<string, number>() }));
vi.mock('node:fs', async (importOriginal) => {
  const fs = await importOriginal<typeof import('node:fs')>();
  const openSync: typeof fs.openSync = (file, ...rest) => {
    calls.opens++;
    calls.opened.set(String(file), (calls.opened.get(String(file)) ?? 0) + 1);
    return fs.openSync(file, ...rest);
  };
  const readSync = (...args: Parameters<typeof fs.readSync>) => {
    const bytes = fs.readSync(...args);
    calls.bytes += bytes;
    return bytes;
  };
  return { ...fs, openSync, readSync };
});

const scratch = mkdtempSync(path.join(realpathSync(os.tmpdir()), 'lakelog-input-'));
chmodSync(scratch, 0o755);
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

const NOW = new Date('2026-11-20T12:00:00Z');
const RECORD = '{"schema":"session.iterate.v1","session_id":"a"}\n';
const RUN = '{"schema":"replay.run.v1","session_id":"a"}\n';
const ACK = '{"schema":"lakelog.ack.v1","session_id":"a"}\n';
const isRoot = process.getuid?.() === 0;

let folders = 0;
/** A folder with files, each as old as `hours` says, a day where it says nothing. */
function folderOf(files: Record<string, string | Buffer>, hours: Record<string, number> = {}): string {
  const folder = path.join(scratch, String(folders++));
  mkdirSync(folder);
  for (const [name, content] of Object.entries(files)) {
    const file = path.join(folder, name);
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, content);
    age(file, hours[name] ?? 24);
  }
  return folder;
}

function age(file: string, hours: number): void {
  const time = NOW.getTime() / 1000 - hours * 3600;
  utimesSync(file, time, time);
}

async function resolve(
  cwd: string,
  requests: readonly (string | [string, Assertion])[],
  options: Partial<ResolveOptions> = {},
) {
  const { files, problems, notices } = await resolveInputs(
    requests.map((one) =>
      typeof one === 'string' ? { path: one, as: 'any' } : { path: one[0], as: one[1] },
    ),
    { cwd, now: NOW, ...options },
  );
  return {
    files,
    names: files.map(({ name }) => name),
    as: files.map(({ as, name }) => `${as}:${name}`),
    problems: problems.map(({ path: name, problem, detail }) => `${problem} ${name}: ${detail}`),
    notices: [...notices],
  };
}

describe('a path leads where the kernel goes', () => {
  const cwd = () => {
    const folder = folderOf({
      'real/sub/keep.txt': '',
      'real/s.jsonl': RECORD,
      's.jsonl': RUN,
      'd/a.jsonl': RUN,
    });
    symlinkSync('real/sub', path.join(folder, 'link'));
    return folder;
  };

  test.each([
    ['a file', 'link/../s.jsonl', ['link/../s.jsonl']],
    ['a pattern', 'link/../*.jsonl', ['link/../s.jsonl']],
    ['a pattern behind more of it', 'd/../link/.././*.jsonl', ['d/../link/.././s.jsonl']],
    ['a folder', 'link/..', ['link/../s.jsonl']],
    ['a folder, with a slash', 'link/../', ['link/../s.jsonl']],
  ])('%s', async (_, given, names) => {
    const folder = cwd();
    const { files, problems } = await resolve(folder, [given]);
    expect(problems).toEqual([]);
    expect(files.map(({ name }) => name)).toEqual(names);
    expect(files.map((file) => realpathSync.native(file.path))).toEqual([path.join(folder, 'real/s.jsonl')]);
  });

  test('in a folder, content is read through the link too', async () => {
    const folder = cwd();
    writeFileSync(path.join(folder, 'real/part-0'), RECORD);
    expect((await resolve(folder, ['link/..'])).names).toEqual(['link/../part-0', 'link/../s.jsonl']);
  });

  test('absolute paths and the working folder', async () => {
    const folder = folderOf({ 'a.jsonl': RECORD, 'd/b.jsonl': RECORD });
    expect((await resolve('/', [`${folder}/a.jsonl`])).names).toEqual([`${folder}/a.jsonl`]);
    expect((await resolve(folder, ['.'])).names).toEqual(['a.jsonl', 'd/b.jsonl']);
    expect((await resolve(folder, ['./d'])).names).toEqual(['./d/b.jsonl']);
    expect((await resolve(path.join(folder, 'd'), ['../*.jsonl'])).names).toEqual(['../a.jsonl']);
  });

  test('a step up behind a wildcard is not followed by the text: nothing matches, and that is said', async () => {
    const folder = folderOf({ 'a.jsonl': RECORD, 'd/b.jsonl': RECORD });
    const { names, problems } = await resolve(folder, ['*/../a.jsonl']);
    expect(names).toEqual([]);
    expect(problems).toEqual(['missing */../a.jsonl: no file matches the pattern']);
  });
});

describe('patterns', () => {
  const folder = () =>
    folderOf({
      'logs/a.jsonl': RECORD,
      'logs/b.json': RECORD,
      'logs/.hidden.jsonl': RECORD,
      'logs/sub/c.jsonl': RECORD,
      'logs/sub/notes.txt': 'x',
      'x[1].jsonl': RECORD,
      '!b.jsonl': RECORD,
      'c[d]/e.jsonl': RECORD,
    });

  test.each([
    ['logs/*.jsonl', ['logs/a.jsonl']],
    ['logs/*', ['logs/a.jsonl', 'logs/b.json', 'logs/sub/c.jsonl']],
    ['logs//*.json', ['logs/b.json']],
    ['logs/{a,b}.json*', ['logs/a.jsonl', 'logs/b.json']],
    ['logs/**/*.jsonl', ['logs/a.jsonl', 'logs/sub/c.jsonl']],
    ['l*/s*/*.jsonl', ['logs/sub/c.jsonl']],
    ['logs/.*.jsonl', ['logs/.hidden.jsonl']],
    ['x[1].jsonl', ['x[1].jsonl']],
    ['!b*.jsonl', ['!b.jsonl']],
    ['c\\[d\\]/*.jsonl', ['c[d]/e.jsonl']],
  ])('%s', async (given, names) => {
    const found = await resolve(folder(), [given]);
    expect(found.problems).toEqual([]);
    expect(found.names).toEqual(names);
  });

  test('what a pattern matches by name is read whatever it holds, but for acknowledgements', async () => {
    const cwd = folderOf({ 'a.jsonl': '{"a":1}\n', 'lakelog-acks.jsonl': ACK, 'b.txt': 'x' });
    const { names, notices } = await resolve(cwd, ['*']);
    expect(names).toEqual(['a.jsonl', 'b.txt']);
    expect(notices).toEqual(['lakelog-acks.jsonl holds acknowledgements and was not read as a log']);
  });

  test('a folder that does not match is none of its business, one on the way is', async () => {
    const cwd = folderOf({ 'a/s.jsonl': RECORD });
    symlinkSync('nowhere', path.join(cwd, 'a/gone.jsonl'));
    symlinkSync('nowhere', path.join(cwd, 'a/gone.txt'));
    symlinkSync('nowhere', path.join(cwd, 'b'));
    const { problems } = await resolve(cwd, ['a/*.jsonl', 'a/s*']);
    expect(problems).toEqual(['missing a/gone.jsonl: is a link to a file that does not exist']);
    expect((await resolve(cwd, ['*/s.jsonl'])).problems).toEqual([
      'missing b: is a link to a file that does not exist',
    ]);
  });
});

describe('one file is read once', () => {
  test('under its own name, a link, a hard link, another path, a folder and a pattern', async () => {
    const cwd = folderOf({ 'd/a.jsonl': RECORD });
    symlinkSync('d/a.jsonl', path.join(cwd, 'soft.jsonl'));
    linkSync(path.join(cwd, 'd/a.jsonl'), path.join(cwd, 'hard.jsonl'));
    const given = ['d/a.jsonl', './d/a.jsonl', 'soft.jsonl', 'hard.jsonl', 'd', 'd/*', 'd/../d/a.jsonl'];
    const { names, notices, problems } = await resolve(cwd, given);
    expect(names).toEqual(['d/a.jsonl']);
    expect(problems).toEqual([]);
    expect(notices).toHaveLength(given.length - 1);
    expect(notices.every((notice) => notice.endsWith('and is read once'))).toBe(true);
  });

  test('a pipe too, under two names', async () => {
    const cwd = folderOf({});
    execFileSync('mkfifo', [path.join(cwd, 'p')]);
    const { files, notices } = await resolve(cwd, ['p', './p', '-', '-']);
    expect(files.map(({ name, stats }) => [name, stats?.isFIFO()])).toEqual([
      ['p', true],
      ['-', undefined],
    ]);
    expect(notices).toEqual([
      './p is the same file as p and is read once',
      '- was named twice and is read once',
    ]);
  });

  test('what was said of it holds in the folder too, in any order', async () => {
    const cwd = folderOf({ 'd/a.jsonl': RECORD, 'd/b.jsonl': RUN });
    const said = ['d/a.jsonl', 'sessions'] as [string, Assertion];
    expect((await resolve(cwd, [said, 'd'])).as).toEqual(['sessions:d/a.jsonl', 'any:d/b.jsonl']);
    expect((await resolve(cwd, ['d', said])).as).toEqual(['sessions:d/a.jsonl', 'any:d/b.jsonl']);
  });

  test('two things said of it are an error, whatever the names', async () => {
    const cwd = folderOf({ 'a.jsonl': RECORD });
    for (const other of ['any', 'replay_runs'] as const) {
      await expect(
        resolve(cwd, [
          ['a.jsonl', 'sessions'],
          ['./a.jsonl', other],
        ]),
      ).rejects.toMatchObject({
        name: 'LakelogError',
        message: expect.stringMatching(/are one file/),
      });
    }
  });

  test('an empty path is an error', async () => {
    await expect(resolve('/', [''])).rejects.toThrow(/an empty path/);
  });
});

test('what is said of a folder says where to look: its files say themselves what they are', async () => {
  const cwd = folderOf({ 'd/a.jsonl': RECORD, 'd/r.jsonl': RUN, 'e.jsonl': RECORD });
  const found = await resolve(cwd, [
    ['d', 'sessions'],
    ['d', 'replay_runs'],
    ['*.jsonl', 'sessions'],
  ]);
  expect(found.as).toEqual(['any:d/a.jsonl', 'any:d/r.jsonl', 'sessions:e.jsonl']);
  expect(found.problems).toEqual([]);
});

describe('in a folder the content decides', () => {
  const READ: Record<string, string | Buffer> = {
    'part-00000.json': RECORD,
    'no-extension': RUN,
    'backup.txt': `torn: {"schema":"session.it\n${RECORD}`,
    'archive.bin': gzipSync(RECORD),
    'a.jsonl': RECORD,
    'torn.jsonl': `{"schema":"session.it\n${RECORD}`,
    'empty.jsonl': '',
    'empty.jsonl.gz': '',
    'rubbish.jsonl.1': 'not json\n',
    'rubbish.ndjson-20260901': '[1]\n',
    'damaged.jsonl.gz': Buffer.concat([gzipSync('').subarray(0, 10), Buffer.from('damaged!')]),
    '.hidden.jsonl': RECORD,
    'deep/er/.and/x': RECORD,
    'lakelog-acks.jsonl': `${ACK}${RECORD}`,
  };
  const NOT: Record<string, string | Buffer> = {
    'README.md': '# Logs\n',
    'notes.txt': '',
    'report.jsonl': '{"kind":"fill","calls":3}\n{"kind":"email","calls":1}\n',
    'other.jsonl.gz': gzipSync('{"a":1}\n'),
    'pretty.json': JSON.stringify({ schema: 'session.iterate.v1' }, null, 2),
    'list.json': `[${RECORD.trim()}]\n`,
    'quote.json': `${JSON.stringify({ text: RECORD })}\n`,
  };

  test('logs are read, all else is one notice with three examples, and one for what is called like a log', async () => {
    const cwd = folderOf({ ...READ, ...NOT });
    const { names, problems, notices } = await resolve(cwd, ['.']);
    expect(names).toEqual(Object.keys(READ).sort());
    expect(problems).toEqual([]);
    expect(notices).toEqual([
      '5 files in folders were not read: no log by name or by content (README.md, list.json, notes.txt, …); name what is to be read',
      '2 files in folders were not read: other JSON objects, whatever the name (other.jsonl.gz, report.jsonl); name what is to be read',
    ]);
  });

  test('but a file that is named is read, whatever it holds', async () => {
    const cwd = folderOf(NOT);
    const { names, notices } = await resolve(cwd, Object.keys(NOT));
    expect(names).toEqual(Object.keys(NOT));
    expect(notices).toEqual([]);
  });

  test('acknowledgements are none, by name or by content', async () => {
    const cwd = folderOf({
      'd/a.jsonl': RECORD,
      'd/acks-2025.jsonl': ACK,
      'd/acks-2025.txt': ACK,
      'd/lakelog-acks.jsonl': '',
      'd/own.jsonl': 'whatever was given as --acks\n',
    });
    const { names, notices } = await resolve(cwd, ['d'], {
      acks: path.join(cwd, 'd/own.jsonl'),
    });
    expect(names).toEqual(['d/a.jsonl']);
    expect(notices).toEqual(
      ['acks-2025.jsonl', 'acks-2025.txt', 'lakelog-acks.jsonl', 'own.jsonl'].map((name) => {
        const said = `d/${name} holds acknowledgements and was not read as a log`;
        return name === 'own.jsonl' ? said : `${said}; gates apply it with --acks d/${name}, or LAKELOG_ACKS`;
      }),
    );
  });

  test('acknowledgements of the working folder are applied unless others are, wherever they stand', async () => {
    const cwd = folderOf({ 'a.jsonl': RECORD, 'lakelog-acks.jsonl': ACK, "it's.jsonl": ACK });
    const said = 'lakelog-acks.jsonl holds acknowledgements and was not read as a log';
    expect((await resolve(cwd, ['.'])).notices.find((notice) => notice.includes('lakelog-acks'))).toBe(said);
    const { notices } = await resolve(cwd, ['.'], { acks: "it's.jsonl" });
    expect(notices).toContain(`${said}; gates apply it with --acks lakelog-acks.jsonl, or LAKELOG_ACKS`);
    expect(notices).toContain("it's.jsonl holds acknowledgements and was not read as a log");
  });

  test('records are a log even where somebody applies the file', async () => {
    const cwd = folderOf({ 'd/a.jsonl': RECORD });
    expect((await resolve(cwd, ['d'], { acks: 'd/a.jsonl' })).names).toEqual(['d/a.jsonl']);
  });

  test.each([
    ['nothing', {}],
    ['other files', { 'd/notes.txt': 'x', 'd/report.jsonl': '{"a":1}\n' }],
    ['acknowledgements', { 'd/lakelog-acks.jsonl': ACK }],
  ])('a folder that holds %s cannot vouch', async (_, files) => {
    const cwd = folderOf(files);
    mkdirSync(path.join(cwd, 'd'), { recursive: true });
    const { problems } = await resolve(cwd, ['d']);
    expect(problems).toEqual([
      'no_logs d: the folder holds no log: no .jsonl or .ndjson file, and no record',
    ]);
  });

  test('a folder that is named twice holds logs both times', async () => {
    const cwd = folderOf({ 'd/a.jsonl': RECORD });
    expect((await resolve(cwd, ['d', 'd'])).problems).toEqual([]);
  });

  test('links up and in a ring end', async () => {
    const cwd = folderOf({ 'd/a.jsonl': RECORD, 'd/e/b.jsonl': RECORD });
    symlinkSync('..', path.join(cwd, 'd/e/up'));
    symlinkSync('../d', path.join(cwd, 'd/ring'));
    symlinkSync('e', path.join(cwd, 'd/f'));
    expect((await resolve(cwd, ['d'])).names).toEqual(['d/a.jsonl', 'd/e/b.jsonl']);
  });

  test('pipes, sockets and devices are never opened', async () => {
    const cwd = folderOf({ 'd/a.jsonl': RECORD });
    const names = ['p.jsonl', 'q', 's.jsonl', 't'].map((name) => path.join(cwd, 'd', name));
    for (const name of names.slice(0, 2)) execFileSync('mkfifo', [name]);
    symlinkSync('/dev/zero', path.join(cwd, 'd/zero'));
    const servers = names.slice(2).map((name) => net.createServer().listen(name));
    await Promise.all(servers.map((server) => new Promise((resolve) => server.once('listening', resolve))));
    calls.opened.clear();
    const found = await resolve(cwd, ['d']);
    for (const server of servers) server.close();
    expect(found.names).toEqual(['d/a.jsonl']);
    expect([...calls.opened.keys()]).toEqual([path.join(cwd, 'd/a.jsonl')]);
    expect(found.problems).toEqual([
      'unreadable d/p.jsonl: is a pipe',
      'unreadable d/s.jsonl: is neither a file, a folder nor a pipe',
    ]);
    expect(found.notices).toEqual([
      '3 files in folders were not opened: a pipe, socket or device (d/q, d/t, d/zero); name what is to be read',
    ]);
  });

  test.skipIf(!isRoot)('what may not be read cannot vouch where it has the name of a log', async () => {
    const cwd = folderOf({ 'd/a.jsonl': RECORD, 'd/b.jsonl.gz': RECORD, 'd/key.pem': RECORD });
    for (const name of ['b.jsonl.gz', 'key.pem']) chmodSync(path.join(cwd, 'd', name), 0o600);
    process.seteuid!(65534);
    const found = await resolve(cwd, ['d']).finally(() => process.seteuid!(0));
    expect(found.names).toEqual(['d/a.jsonl']);
    expect(found.problems).toEqual(['unreadable d/b.jsonl.gz: permission denied']);
    expect(found.notices).toEqual([
      '1 file in a folder was not readable, and no log by name (d/key.pem); name what is to be read',
    ]);
  });

  test('many small files and a large one: each opened once, and no more than its first lines and its last are read', async () => {
    const many = nightly ? 20_000 : 4_000;
    const cwd = folderOf({});
    for (let i = 0; i < many; i++) writeFileSync(path.join(cwd, `${i}.json`), RECORD);
    const large = Buffer.alloc(2 << 20, 'x').fill('\n', (64 << 10) - 1, 64 << 10);
    writeFileSync(path.join(cwd, 'large.jsonl'), large);
    calls.opens = 0;
    calls.bytes = 0;
    calls.opened.clear();
    const { names } = await resolve(cwd, ['.']);
    expect(names).toHaveLength(many + 1);
    expect(calls.opens).toBe(many + 1);
    expect(Math.max(...calls.opened.values())).toBe(1);
    expect(calls.bytes).toBe(many * RECORD.length + (128 << 10));
  }, 60_000);
});

describe('logrotate at work', () => {
  const half = gzipSync(RECORD).subarray(0, 30);
  const files = { 'd/s.jsonl': RECORD, 'd/s.jsonl.1': RECORD, 'd/s.jsonl.1.gz': half };

  test.each([
    ['in a folder', ['d']],
    ['in a pattern', ['d/s.jsonl*']],
    ['named, with what it is made from', ['d/s.jsonl.1.gz', 'd/s.jsonl', 'd/s.jsonl.1']],
  ])('a young copy beside what it is made from may be half written: %s', async (_, given) => {
    const { files: found, problems } = await resolve(folderOf(files, { 'd/s.jsonl.1.gz': 0.5 }), given);
    expect(problems).toEqual([]);
    const madeFrom = Object.fromEntries(found.map((file) => [file.name, file.madeFrom]));
    expect(madeFrom).toEqual({
      'd/s.jsonl': null,
      'd/s.jsonl.1': null,
      'd/s.jsonl.1.gz': 'd/s.jsonl.1',
    });
  });

  test.each<
    [string, Record<string, string | Buffer>, Record<string, number>, string[], Partial<ResolveOptions>]
  >([
    ['it is named alone', files, { 'd/s.jsonl.1.gz': 0.5 }, ['d/s.jsonl.1.gz'], {}],
    ['a pattern leaves its source out', files, { 'd/s.jsonl.1.gz': 0.5 }, ['d/*.gz'], {}],
    ['it is old', files, { 'd/s.jsonl.1.gz': 1.1 }, ['d'], {}],
    ['it is older than the grace', files, { 'd/s.jsonl.1.gz': 0.5 }, ['d'], { rotationGraceS: 60 }],
    ['its source was written since', files, { 'd/s.jsonl.1.gz': 0.5, 'd/s.jsonl.1': 0.2 }, ['d'], {}],
    ['its source is empty', { ...files, 'd/s.jsonl.1': '' }, { 'd/s.jsonl.1.gz': 0.5 }, ['d'], {}],
    [
      'its source is a folder',
      { 'd/s.jsonl.1/a.jsonl': RECORD, 'd/s.jsonl.1.gz': half },
      { 'd/s.jsonl.1.gz': 0.5 },
      ['d'],
      {},
    ],
    ['there is none', { 'd/s.jsonl.1.gz': half }, { 'd/s.jsonl.1.gz': 0.5 }, ['d'], {}],
  ])('it must be whole where %s', async (_, given, hours, paths, options) => {
    const { files: found } = await resolve(folderOf(given, hours), paths, options);
    expect(found.find(({ name }) => name === 'd/s.jsonl.1.gz')!.madeFrom).toBeNull();
  });

  test('.zst alike', async () => {
    const { files: found } = await resolve(
      folderOf({ 'd/s.jsonl.1': RECORD, 'd/s.jsonl.1.zst': '(\xb5' }, { 'd/s.jsonl.1.zst': 0 }),
      ['d'],
    );
    expect(found.map(({ madeFrom }) => madeFrom)).toEqual([null, 'd/s.jsonl.1']);
  });
});

test('a folder of more files than anybody meant is refused', async () => {
  const cwd = folderOf({ 'd/s.jsonl': RECORD });
  mkdirSync(path.join(cwd, 'd/many'));
  // Links up again and again make 120 times 1,800 names of one folder.
  for (let i = 0; i < 1_800; i++) writeFileSync(path.join(cwd, `d/many/${i}`), '');
  mkdirSync(path.join(cwd, 'e'));
  for (let i = 0; i < 120; i++) symlinkSync(path.join(cwd, 'd/many'), path.join(cwd, `e/${i}`));
  await expect(resolve(cwd, ['e'])).rejects.toMatchObject({
    message: 'more than 200000 files lie below the folder',
    where: 'e',
    exitCode: 2,
  });
  expect((await resolve(cwd, ['d'])).names).toEqual(['d/s.jsonl']);
}, 60_000);

describe('what may be empty', () => {
  const empty = async (files: readonly string[], hours: Record<string, number> = {}) => {
    const cwd = folderOf(Object.fromEntries(files.map((name) => [name, ''])), hours);
    const { files: found } = await resolve(cwd, ['d'], {});
    return found.filter(({ maybeEmpty }) => maybeEmpty).map(({ name }) => name);
  };

  test.each([
    ['an old file alone', ['d/s.jsonl'], {}, []],
    ['a young one', ['d/s.jsonl', 'd/t.jsonl'], { 'd/t.jsonl': 0.9 }, ['d/t.jsonl']],
    ['one of the near future', ['d/s.jsonl'], { 'd/s.jsonl': -0.5 }, ['d/s.jsonl']],
    ['a young archive', ['d/s.jsonl.gz', 'd/s.jsonl.1.zst'], { 'd/s.jsonl.gz': 0, 'd/s.jsonl.1.zst': 0 }, []],
    ['one that was rotated itself', ['d/s.jsonl', 'd/s.jsonl.1'], {}, ['d/s.jsonl']],
    ['a predecessor of another name', ['d/s.jsonl', 'd/t.jsonl.1'], {}, []],
    ['a predecessor in another folder', ['d/s.jsonl', 'd/e/s.jsonl.1'], {}, []],
    ['a name that merely begins alike', ['d/s.jsonl', 'd/s.jsonl.bak', 'd/s-2.jsonl', 'd/s2.jsonl'], {}, []],
    ...[
      's.jsonl.1',
      's.jsonl.12.gz',
      's.jsonl-20260901',
      's.jsonl-2026090112',
      's.jsonl-20260901.gz',
      's.jsonl.2026-09-01',
      's.jsonl-2026-09-01T10:00:00Z',
      's-20260901.jsonl',
      's.2026-09-01.jsonl.zst',
      's.1.jsonl',
    ].map((name) => [name, ['d/s.jsonl', `d/${name}`], {}, ['d/s.jsonl']] as const),
  ] as const)('%s', async (_, files, hours, expected) => {
    expect(await empty(files, hours)).toEqual(expected);
  });

  test('the predecessor counts where it is read, however its folder was named', async () => {
    const cwd = folderOf({ 'd/s.jsonl': '', 'd/s.jsonl.1': RECORD });
    symlinkSync('d', path.join(cwd, 'e'));
    const together = await resolve(cwd, ['d/s.jsonl', `${cwd}/e/s.jsonl.1`]);
    expect(together.files[0]!.maybeEmpty).toBe(true);
    expect((await resolve(cwd, ['d/s.jsonl'])).files[0]!.maybeEmpty).toBe(false);
  });

  test('no stream', async () => {
    const cwd = folderOf({});
    execFileSync('mkfifo', [path.join(cwd, 's.jsonl')]);
    expect((await resolve(cwd, ['-', 's.jsonl'])).files.map(({ maybeEmpty }) => maybeEmpty)).toEqual([
      false,
      false,
    ]);
  });
});

test('of folders and files whose names differ in bytes that are no UTF-8, none is taken for another', async () => {
  const folder = folderOf({});
  const at = (name: string) => Buffer.from(`${folder}/${name}`, 'latin1');
  for (const name of ['P\xff', 'P\xfe']) {
    mkdirSync(at(name));
    writeFileSync(at(`${name}/sessions.jsonl`), RECORD);
  }
  writeFileSync(at('P\xff/t\xff.jsonl'), RECORD);
  writeFileSync(at('P\xff/t\xfe.jsonl'), RECORD);
  symlinkSync(Buffer.from('P\xff', 'latin1'), at('in'));
  symlinkSync(Buffer.from('../P\xfe', 'latin1'), at('P\xff/sub'));
  for (const request of ['in', '.']) {
    const { problems } = await resolve(folder, [request]);
    expect([request, String(problems)]).toEqual([request, expect.stringContaining('not UTF-8')]);
  }
  // By other names both can be read.
  const { files, names, problems } = await resolve(folder, ['in/sub', 'in/sessions.jsonl']);
  expect([names, problems]).toEqual([['in/sub/sessions.jsonl', 'in/sessions.jsonl'], []]);
  expect(files.map(({ stats }) => stats!.ino)).toEqual(
    ['P\xfe', 'P\xff'].map((name) => statSync(at(`${name}/sessions.jsonl`), { bigint: true }).ino),
  );
});

describe('an archive that cannot be read is one of the log that it is called after', () => {
  const packed = gzipSync(RECORD.repeat(9));
  const damaged = Buffer.from(packed);
  damaged.fill(0xff, 20, 40);
  const archives: Record<string, [string, Buffer]> = {
    'damaged where it begins': ['s.log.1.gz', damaged],
    'of no byte': ['s.log.1.gz', Buffer.alloc(0)],
    'cut in its header': ['s.log.2.gz', packed.subarray(0, 12)],
    'compressed twice': ['s.log.1.gz', gzipSync(packed)],
    'cut in front of its first block': ['s.log.1.zst', Buffer.from('28b52ffd04580100', 'hex')],
    'of another program': ['s.log-20261118.xz', Buffer.from('fd377a585a000004e6d6b446', 'hex')],
    'stamped in its midst': ['s.1.log.gz', damaged],
  };
  test.each(Object.entries(archives))('%s', async (_, [name, bytes]) => {
    const beside = await resolve(folderOf({ 's.log': RECORD, [name]: bytes }), ['.']);
    expect(beside.names).toEqual(['s.log', name]);
    // Whichever comes first.
    const before = await resolve(folderOf({ [`a/${name}`]: bytes, 'a/s.log': RECORD, 'b/s.log': RECORD }), [
      'b',
      'a',
    ]);
    expect(before.names.toSorted()).toEqual([`a/${name}`, 'a/s.log', 'b/s.log'].toSorted());
    const moved = await resolve(folderOf({ [`old/${name}`]: bytes, 's.log': RECORD }), ['.']);
    expect(moved.names.toSorted()).toEqual([`old/${name}`, 's.log']);
    for (const others of [{ 't.log': RECORD }, { 's.log': 'text\n' }]) {
      const { names, notices } = await resolve(folderOf({ ...others, [name]: bytes, 'x.jsonl': RECORD }), [
        '.',
      ]);
      expect(names).not.toContain(name);
      expect(String(notices)).toContain(name);
    }
  });

  test('what can be read, and is none, is none', async () => {
    const { names } = await resolve(
      folderOf({ 's.log': RECORD, 's.log.1.gz': gzipSync('text\n'), 's.log.2': 'text\n' }),
      ['.'],
    );
    expect(names).toEqual(['s.log']);
  });
});

test('what another run is writing beside the logs is none of them, and no word is said of it', async () => {
  const cwd = folderOf({
    's.jsonl': RECORD,
    '.lakelog-1841-mwymzlhb0.tmp': 'half',
    '.lakelog-x.tmp': 'another',
  });
  const { names, notices, problems } = await resolve(cwd, ['.']);
  expect([names, problems]).toEqual([['s.jsonl'], []]);
  expect(notices).toEqual([expect.stringContaining('.lakelog-x.tmp')]);
  expect(String(notices)).not.toContain('1841');
});

test('acknowledgements that gates apply are no log where the shell named them, and another file of such is read', async () => {
  const cwd = folderOf({ 's.jsonl': RECORD, 'lakelog-acks.jsonl': ACK, 'other.jsonl': ACK });
  const { names, notices, problems } = await resolve(cwd, ['lakelog-acks.jsonl', 'other.jsonl', 's.jsonl']);
  expect([names, problems]).toEqual([['other.jsonl', 's.jsonl'], []]);
  expect(notices).toEqual(['lakelog-acks.jsonl holds acknowledgements and was not read as a log']);
  const named = await resolve(cwd, ['lakelog-acks.jsonl', 'other.jsonl'], { acks: 'other.jsonl' });
  expect(named.names).toEqual(['lakelog-acks.jsonl']);
});
