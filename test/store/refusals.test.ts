import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import initSqlJs from 'sql.js';
import { describe, expect, test } from 'vitest';
import {
  lakelog as binary,
  byDay,
  call,
  exceptByDay,
  newFolder,
  nightly,
  type Ran,
  writeLines,
} from '../support/cli.js';
import { lakelog } from '../support/program.js';
import { otherDatabase, withDatabase } from './lake-file.js';

const logs = [call(), call({ call_id: 'c1' })];

/** A folder with a log and a lake of it. */
async function filled(): Promise<{ readonly cwd: string; readonly lake: string }> {
  const cwd = newFolder();
  writeLines(cwd, 'sessions.jsonl', logs);
  const lake = path.join(cwd, 'L.duckdb');
  const ran = await lakelog(['sync', '--lake', 'L.duckdb', 'sessions.jsonl'], { cwd });
  expect(ran.code, ran.stderr).toBe(0);
  return { cwd, lake };
}

/**
 * Every way to a lake refuses the file and leaves it, and all that lies beside it, byte for byte.
 * @param isThorough by day what one file is refused by all ways for, others are by three.
 */
async function refused(
  cwd: string,
  lake: string,
  code: number,
  words: RegExp,
  isThorough = nightly,
): Promise<void> {
  const before = picture(cwd);
  const ways = [
    ['alarm', '--lake', lake, 'sessions.jsonl'],
    ['sync', '--lake', lake, 'sessions.jsonl'],
    ['sync', '--rebuild', '--lake', lake, 'sessions.jsonl'],
    ['alarm', '--no-sync', '--lake', lake],
    ['lake', 'info', '--lake', lake],
    ['lake', 'verify', '--lake', lake],
    ['query', 'SELECT 1', '--lake', lake, 'sessions.jsonl'],
  ];
  for (const way of isThorough ? ways : [ways[0]!, ways[2]!, ways[5]!]) {
    const ran = await lakelog(way, { cwd });
    expect([ran.code, ran.stderr], way.join(' ')).toEqual([code, expect.stringMatching(words)]);
    expect(ran.stderr).not.toMatch(/internal error|defect| {4}at /);
    expect(ran.stderr, 'the next command').toMatch(/→ |-> /);
    expect(picture(cwd), way.join(' ')).toEqual(before);
  }
}

function picture(folder: string): Record<string, string> {
  return Object.fromEntries(
    readdirSync(folder).map((name) => {
      const stats = statSync(path.join(folder, name));
      const is = stats.isFile() ? readFileSync(path.join(folder, name)).toString('base64') : stats.mode;
      return [name, `${is} ${stats.ino} ${stats.mtimeMs}`];
    }),
  );
}

describe('what is no lake is refused and left as it is', () => {
  const made: Record<string, [(file: string) => unknown, number, RegExp]> = {
    'a log': [
      (file) => writeFileSync(file, `${logs.join('\n')}\n`),
      2,
      /no lake \(a log\?\), and is left as it is/,
    ],
    'a log of less than the head of a lake': [(file) => writeFileSync(file, '{}\n'), 2, /no lake/],
    'an empty file': [(file) => writeFileSync(file, ''), 2, /empty, no lake, and is left as it is/],
    'a file of zeros': [(file) => writeFileSync(file, Buffer.alloc(1 << 20)), 2, /no lake, and is left/],
    'another database': [otherDatabase, 2, /another database, no lake, and is left as it is/],
    'a SQLite file': [sqlite, 2, /no lake/],
    'a folder that holds other things': [
      (file) => {
        mkdirSync(file);
        writeFileSync(path.join(file, 'notes.txt'), 'hello');
      },
      2,
      /folder/,
    ],
    'a pipe': [(file) => spawnSync('mkfifo', [file]), 2, /no regular file, so no lake/],
  };

  test.each(
    exceptByDay(Object.entries(made), [
      'a log of less than the head of a lake',
      'a file of zeros',
      'a SQLite file',
    ]),
  )('%s', async (what, [make, code, words]) => {
    const cwd = newFolder();
    writeLines(cwd, 'sessions.jsonl', logs);
    await make(path.join(cwd, 'L'));
    await refused(cwd, 'L', code, words, nightly || what === 'a log');
  });

  async function sqlite(file: string) {
    const { Database } = await initSqlJs();
    const db = new Database();
    db.run('CREATE TABLE lake (format INTEGER); INSERT INTO lake VALUES (1)');
    writeFileSync(file, db.export());
  }

  test('the log itself, named twice', async () => {
    const cwd = newFolder();
    writeLines(cwd, 'sessions.jsonl', logs);
    await refused(cwd, 'sessions.jsonl', 2, /no lake \(a log\?\)/);
  });

  test('a path that ends with a slash is a folder, which is asked without logs', async () => {
    const cwd = newFolder();
    writeLines(cwd, 'sessions.jsonl', logs);
    const ran = await lakelog(['alarm', '--lake', 'lake/', 'sessions.jsonl'], { cwd });
    expect([ran.code, ran.stderr]).toEqual([2, expect.stringMatching(/a lake that is a folder/)]);
    expect(existsSync(path.join(cwd, 'lake'))).toBe(false);
  });

  test('a link that leads nowhere, and one in a circle', async () => {
    const cwd = newFolder();
    writeLines(cwd, 'sessions.jsonl', logs);
    symlinkSync('loop', path.join(cwd, 'loop'));
    symlinkSync('nowhere', path.join(cwd, 'dangling'));
    for (const [name, words] of [
      ['loop', /the lake cannot be opened/],
      ['dangling', /a link to a file that does not exist/],
    ] as const) {
      const ran = await lakelog(['alarm', '--lake', name, 'sessions.jsonl'], { cwd });
      expect([ran.code, ran.stderr]).toEqual([2, expect.stringMatching(words)]);
      expect(ran.stderr).not.toMatch(/internal error/);
    }
    expect(readdirSync(cwd).sort()).toEqual(['dangling', 'loop', 'sessions.jsonl']);
  });

  test.skipIf(!nightly)('a folder that is not there', async () => {
    const cwd = newFolder();
    writeLines(cwd, 'sessions.jsonl', logs);
    const ran = await lakelog(['alarm', '--lake', 'none/L.duckdb', 'sessions.jsonl'], { cwd });
    expect([ran.code, ran.stderr]).toEqual([
      2,
      expect.stringMatching(/no such file or folder\n {2}at none\/L\.duckdb/),
    ]);
    expect(ran.stderr).not.toMatch(/internal error/);
  });
});

describe('a lake of another version', () => {
  test('of a newer engine', async () => {
    const { cwd, lake } = await filled();
    const bytes = readFileSync(lake);
    for (const version of byDay([69n, 999n], 2)) {
      bytes.writeBigUInt64LE(version, 12);
      writeFileSync(lake, bytes);
      await refused(cwd, 'L.duckdb', 2, /made by a newer version, and is left as it is/);
    }
  });

  test('of a newer lakelog', async () => {
    const { cwd, lake } = await filled();
    await withDatabase(lake, 'READ_WRITE', (db) => db.run('UPDATE main.lake SET format = 1000'));
    await refused(cwd, 'L.duckdb', 2, /made by a newer version, and is left as it is/);
  });
});

test('a link to a lake is the lake', async () => {
  const { cwd } = await filled();
  mkdirSync(path.join(cwd, 'elsewhere'));
  symlinkSync('L.duckdb', path.join(cwd, 'link'));
  writeLines(cwd, 'sessions.jsonl', [...logs, call({ grounded_in_roster: false })]);
  const ran = await lakelog(['alarm', '--lake', 'link', 'sessions.jsonl'], { cwd });
  expect(ran.code, ran.stderr).toBe(1);
  const direct = await lakelog(['alarm', '--lake', 'L.duckdb', 'sessions.jsonl'], { cwd });
  expect(direct.code, direct.stderr).toBe(1);
  expect(readdirSync(cwd).sort()).toEqual([
    ...['L.duckdb', 'L.duckdb.seal', 'elsewhere', 'link', 'sessions.jsonl'],
  ]);
});

describe.skipIf(process.getuid?.() !== 0)('another user', () => {
  const nobody = (args: readonly string[], cwd: string): Promise<Ran> => binary(args, { cwd, uid: 65534 });

  test('may not read it', async () => {
    const { cwd, lake } = await filled();
    expect(statSync(lake).mode & 0o777, 'private by default').toBe(0o600);
    const before = picture(cwd);
    const ran = await nobody(['alarm', '--lake', 'L.duckdb', 'sessions.jsonl'], cwd);
    expect([ran.code, ran.stderr]).toEqual([
      2,
      expect.stringMatching(/the lake cannot be opened: .*permission/i),
    ]);
    expect(picture(cwd)).toEqual(before);
  });

  test('may read it and not write: answers where nothing is new, else says so', async () => {
    const { cwd, lake } = await filled();
    chmodSync(lake, 0o644);
    chmodSync(path.join(cwd, 'sessions.jsonl'), 0o644);
    const quiet = await nobody(['alarm', '--lake', 'L.duckdb', 'sessions.jsonl'], cwd);
    expect(quiet.code, quiet.stderr).toBe(0);
    writeLines(cwd, 'sessions.jsonl', [...logs, call()]);
    chmodSync(path.join(cwd, 'sessions.jsonl'), 0o644);
    const before = picture(cwd);
    const ran = await nobody(['alarm', '--lake', 'L.duckdb', 'sessions.jsonl'], cwd);
    expect(ran.code, ran.stderr).toBe(2);
    expect(ran.stderr).toMatch(/L\.duckdb/);
    expect(ran.stderr).toMatch(/permission|written/i);
    expect(ran.stderr).not.toMatch(/internal error/);
    expect(picture(cwd)).toEqual(before);
  });

  test.skipIf(!nightly)('may not make one in a folder of somebody else', async () => {
    const cwd = newFolder();
    writeLines(cwd, 'sessions.jsonl', logs);
    chmodSync(path.join(cwd, 'sessions.jsonl'), 0o644);
    const ran = await nobody(['alarm', '--lake', 'L.duckdb', 'sessions.jsonl'], cwd);
    expect(ran.code, ran.stderr).toBe(2);
    expect(ran.stderr).toMatch(/L\.duckdb/);
    expect(ran.stderr).toMatch(/permission/i);
    expect(ran.stderr).not.toMatch(/internal error/);
    expect(readdirSync(cwd)).toEqual(['sessions.jsonl']);
  });
});

test('a lake is not made where nothing is said of logs and none is there', async () => {
  const cwd = newFolder();
  const ran = await lakelog(['alarm', '--no-sync', '--lake', 'L.duckdb'], { cwd });
  expect(ran.code).toBe(3);
  expect(readdirSync(cwd)).toEqual([]);
  rmSync(cwd, { recursive: true });
});

describe('an answer does not take the place of', () => {
  test.each([
    ['the lake', 'L.duckdb'],
    ['its seal', 'L.duckdb.seal'],
  ])('%s that it comes from, under a name of its own or a link', async (_, what) => {
    const { cwd, lake } = await filled();
    const names = ['page.html', 'page.md', 'rows.json', 'rows.csv'];
    for (const name of names) symlinkSync(what, path.join(cwd, name));
    const ways = [
      ['report', '-o', 'page.html'],
      ['alarm', '-o', 'rows.json'],
      ['report', '-o', 'page.md'],
      ['query', 'SELECT 1', '-o', 'rows.csv'],
    ];
    // By day the two of rows of the lake, and a page of its seal.
    for (const way of nightly ? ways : what === 'L.duckdb' ? [ways[1]!, ways[3]!] : [ways[2]!]) {
      const ran = await lakelog([...way, '--lake', 'L.duckdb'], { cwd });
      expect([ran.code, ran.stderr], way.join(' ')).toEqual([2, expect.stringContaining('that were read')]);
      expect(readFileSync(lake).toString('latin1', 8, 12)).toBe('DUCK');
      expect(readFileSync(`${lake}.seal`, 'utf8')).toMatch(/^lakelog\.seal/);
    }
  });

  test('a file of a folder lake', async () => {
    const cwd = newFolder();
    writeLines(cwd, 'sessions.jsonl', logs);
    await lakelog(['sync', '--lake', 'L/', '--host', 'h', 'sessions.jsonl'], { cwd });
    const receipt = `L/batches/${readdirSync(path.join(cwd, 'L/batches'))[0]}`;
    const before = readFileSync(path.join(cwd, receipt), 'utf8');
    const ran = await lakelog(['alarm', '-o', receipt, '--lake', 'L/'], { cwd });
    expect([ran.code, ran.stderr]).toEqual([2, expect.stringContaining('that were read')]);
    expect(readFileSync(path.join(cwd, receipt), 'utf8')).toBe(before);
  });
});

describe('beside the lake stands', () => {
  const ways = [
    ['alarm', '--lake', 'L.duckdb', 'sessions.jsonl'],
    ['alarm', '--no-sync', '--lake', 'L.duckdb'],
    ['lake', 'verify', '--lake', 'L.duckdb'],
  ];
  const others = {
    pipe: (at: string) => spawnSync('mkfifo', [at]),
    'link to a pipe': (at: string) => {
      spawnSync('mkfifo', [`${at}-pipe`]);
      symlinkSync(`${at}-pipe`, at);
    },
    device: (at: string) => symlinkSync('/dev/zero', at),
  };

  test.each(exceptByDay(Object.entries(others), ['link to a pipe']))(
    'no seal but a %s: nobody waits for it',
    async (what, put) => {
      const { cwd, lake } = await filled();
      rmSync(`${lake}.seal`);
      put(`${lake}.seal`);
      for (const way of nightly ? ways : [ways[what === 'pipe' ? 0 : 2]!]) {
        const ran = await binary(way, { cwd });
        expect(ran.code, `${way.join(' ')} ${ran.stderr}`).toBe(way.includes('--no-sync') ? 3 : 0);
      }
    },
  );

  test.skipIf(!nightly)(
    'a folder in the place of the seal: it is named, where the lake is written to',
    async () => {
      const { cwd, lake } = await filled();
      rmSync(`${lake}.seal`);
      mkdirSync(`${lake}.seal/mine`, { recursive: true });
      writeLines(cwd, 'sessions.jsonl', [...logs, call()]);
      const ran = await lakelog(ways[0]!, { cwd });
      expect([ran.code, ran.stderr]).toEqual([
        2,
        expect.stringMatching(/seal of the lake.*\n?.*L\.duckdb\.seal.*→ move it/s),
      ]);
      expect(existsSync(`${lake}.seal/mine`)).toBe(true);
    },
  );

  test('a pipe in the place of its log of changes: nobody waits for it', async () => {
    const { cwd, lake } = await filled();
    spawnSync('mkfifo', [`${lake}.wal`]);
    for (const way of byDay(ways, 3)) {
      const ran = await binary(way, { cwd });
      expect([ran.code, ran.stderr], way.join(' ')).toEqual([2, expect.stringContaining('L.duckdb.wal')]);
    }
  });
});
