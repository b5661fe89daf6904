import { execFileSync } from 'node:child_process';
import {
  appendFileSync,
  chmodSync,
  closeSync,
  constants,
  cpSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { violation } from '../support/acks.js';
import {
  atNight,
  byDay,
  call,
  copyPackage,
  newFolder,
  nightly,
  replayRun,
  root,
  start,
  unwrapped,
  writeLines,
} from '../support/cli.js';
import { inShell } from '../support/terminal.js';

const built = copyPackage();

/** An installation of its own, to be damaged. */
function installation(): string {
  const folder = newFolder();
  cpSync(built, folder, { recursive: true, verbatimSymlinks: true });
  return folder;
}

const write = (name: string, text: string) => (folder: string) =>
  writeFileSync(path.join(folder, name), text);
const remove = (name: string) => (folder: string) => rmSync(path.join(folder, name), { recursive: true });
const both = (damage: (folder: string, name: string) => void) => (folder: string) => {
  for (const name of ['lakelog', 'validatord']) damage(folder, name);
};
/** What bin/bundle.js runs. */
const program = (text: string) => whole(`(function (module) { ${text} })`);
const whole = (text: string) => both((folder, name) => write(`dist/${name}.cjs`, text)(folder));

/** Exit 1 means that a gate fired, so neither command may end with it here: what, and the next step. */
function expectRefused(line: string, packageRoot: string, says: RegExp): void {
  const cwd = newFolder();
  writeLines(cwd, 'sessions.jsonl', [call(), violation()]);
  const ran = inShell(line, { cwd, packageRoot });
  expect(ran.code, ran.text).toBe(2);
  expect(ran.stdout).toBe('');
  expect(unwrapped(ran.stderr)).toMatch(says);
  expect(ran.stderr).toMatch(/^ *→ /m);
  expect(ran.stderr).not.toMatch(/defect of|^ +at .*:\d+:\d+|node:internal/m);
}

describe('a damaged installation ends with 2, and says so', () => {
  const damages: readonly [string, (folder: string) => void, RegExp][] = [
    ['no dist', remove('dist'), /cannot start: .*dist.*\n→ next: reinstall lakelog/],
    ['no program', both((folder, name) => remove(`dist/${name}.cjs`)(folder)), /next: reinstall lakelog/],
    ['a program that cannot be parsed', whole('import ((;'), /next: reinstall lakelog/],
    ['a program that is cut', whole(''), /cannot start/],
    ['a program that throws', program('throw new Error("broken");'), /cannot start: broken/],
    ['a program that throws no error', program('throw undefined;'), /cannot start: undefined/],
    ['a program without main', program('module.exports.other = 1;'), /main is not a function/],
    ['a main that throws', program('module.exports.main = () => { throw new Error("broken"); };'), /broken/],
    [
      'a main that rejects',
      program('module.exports.main = async () => { throw new Error("broken"); };'),
      /broken/,
    ],
    [
      'a main that says nothing',
      program('module.exports.main = async () => {};'),
      /undefined instead of an exit/,
    ],
    [
      'a main without an end',
      program('module.exports.main = () => new Promise(() => {});'),
      /no answer came/,
    ],
    [
      'a timer that throws',
      program(
        'module.exports.main = () => new Promise(() => setTimeout(() => { throw new Error("broken"); }));',
      ),
      /broken/,
    ],
    [
      'a rejection that nobody handles',
      program('Promise.reject(new Error("broken")); module.exports.main = () => new Promise(() => {});'),
      /broken/,
    ],
    ['a package.json that is no JSON', write('package.json', '{'), /package.*\n→ next: reinstall lakelog/i],
    [
      'no bin/start.js',
      remove('bin/start.js'),
      /cannot start: .*start\.js[\s\S]*\n→ next: reinstall lakelog/,
    ],
    [
      'a bin/start.js that throws',
      write('bin/start.js', 'throw new Error("broken")'),
      /broken\n→ next: reinstall/,
    ],
    ['a bin/start.js that is cut', write('bin/start.js', ''), /cannot start: .*\n→ next: reinstall lakelog/],
  ];
  test.each(byDay(damages, 3))('%s', (name, damage, says) => {
    const folder = installation();
    damage(folder);
    // Both begin in bin/start.js, and by day one of them is seen to.
    const lines = ['lakelog alarm', 'validatord --check --config x.toml'];
    const by = damages.findIndex(([one]) => one === name) % lines.length;
    for (const line of nightly ? lines : [lines[by]!]) expectRefused(line, folder, says);
  });

  test('a part that is missing or damaged', () => {
    const folder = installation();
    // Most runs never load it.
    const part = path.join(folder, 'dist/toml.cjs');
    const line = 'echo "sessions = []" >lakelog.toml; lakelog alarm';
    writeFileSync(part, 'import ((;');
    expectRefused(line, folder, /missing or damaged: .*\n {2}→ reinstall lakelog/);
    unlinkSync(part);
    expectRefused(line, folder, /missing or damaged: .*\n {2}→ reinstall lakelog/);
    rmSync(path.join(folder, 'queries'), { recursive: true });
    expectRefused('lakelog alarm', folder, /queries/);
  });

  test.skipIf(process.getuid?.() !== 0)('one that may not be read', () => {
    const folder = installation();
    chmodSync(path.join(folder, 'dist/lakelog.cjs'), 0);
    const ran = inShell('lakelog alarm', { packageRoot: folder, uid: 65_534 });
    expect(ran.code, ran.text).toBe(2);
    expect(ran.stderr).toMatch(/permission denied.*\n→ next: .*rights/);
  });

  test('without package.json it works, or says that it does not', () => {
    const folder = installation();
    rmSync(path.join(folder, 'package.json'));
    const cwd = newFolder();
    writeLines(cwd, 'sessions.jsonl', [call()]);
    for (const line of byDay(['lakelog alarm', 'lakelog --version', 'validatord --version'], 3)) {
      const { code, text } = inShell(line, { cwd, packageRoot: folder });
      // Some versions of Node.js find out by themselves that these are modules.
      if (code !== 0) expect({ code, text }).toEqual({ code: 2, text: expect.stringMatching(/→ /) });
    }
  });

  test('the help is known without dist/help.txt', () => {
    const folder = installation();
    const help = () => inShell('lakelog --help', { packageRoot: folder });
    const before = help();
    rmSync(path.join(folder, 'dist/help.txt'));
    expect(help()).toEqual(before);
  });
});

describe('the native binding', () => {
  const PLATFORM = `node-bindings-${process.platform}-${process.arch}`;
  const own = (folder: string) => path.join(folder, 'node_modules/@duckdb', PLATFORM);
  const theirs = path.join(root, 'node_modules/@duckdb');

  /** An installation whose own platform's binding is not there. */
  function without(): string {
    const folder = installation();
    unlinkSync(path.join(folder, 'node_modules'));
    mkdirSync(own(folder), { recursive: true });
    cpSync(path.join(theirs, 'node-bindings'), path.join(folder, 'node_modules/@duckdb/node-bindings'), {
      recursive: true,
    });
    return folder;
  }

  const DAMAGES: readonly (readonly [string, (folder: string) => unknown])[] = [
    ['is not there: no optional dependencies', (folder) => rmSync(own(folder), { recursive: true })],
    ['is not there: a package without it', () => {}],
    ['is not there at all', (folder) => rmSync(path.join(folder, 'node_modules'), { recursive: true })],
    ['is empty', (folder) => writeFileSync(path.join(own(folder), 'duckdb.node'), '')],
    ['is no library', (folder) => writeFileSync(path.join(own(folder), 'duckdb.node'), 'x'.repeat(10_000))],
    [
      'has no DuckDB beside it',
      (folder) => cpSync(path.join(theirs, PLATFORM, 'duckdb.node'), path.join(own(folder), 'duckdb.node')),
    ],
  ];

  test.each(byDay(DAMAGES, 4))('%s', (_, damage) => {
    const folder = without();
    damage(folder);
    for (const line of nightly
      ? ['lakelog alarm', 'lakelog validate', 'lakelog show bad']
      : ['lakelog alarm']) {
      expectRefused(line, folder, /the DuckDB binding cannot be loaded: .*\n {2}→ npm install .*optional/);
    }
    expect(inShell('lakelog queries', { packageRoot: folder }).code).toBe(0);
  });
});

describe('Node.js', () => {
  const preload = (text: string) => {
    const file = path.join(newFolder(), 'preload.cjs');
    writeFileSync(file, text);
    return `export NODE_OPTIONS=--require=${file}`;
  };
  const versions = (node: string) =>
    preload(
      `Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '${node}' } })`,
    );

  test.each(byDay(['18.20.8', '0.10.48'], 2))('%s is too old', (node) => {
    const lines = ['lakelog alarm', 'validatord --help', ...(nightly ? ['lakelog --version'] : [])];
    for (const line of lines) {
      expectRefused(
        `${versions(node)}; ${line}`,
        built,
        /Node\.js .* is too old\n→ next: use Node\.js 20 or newer/,
      );
    }
  });

  test.each([
    ['fired', 1],
    ['clear', 2],
  ])('what goes wrong behind a gate: %s ends with %i', (kind, code) => {
    const cwd = newFolder();
    writeLines(cwd, 'sessions.jsonl', kind === 'fired' ? [call(), violation()] : [call()]);
    for (const event of nightly ? ['beforeExit', 'exit'] : ['exit']) {
      const thrown = preload(`process.once('${event}', () => { throw new Error('broken'); })`);
      const ran = inShell(`${thrown}; lakelog alarm`, { cwd });
      expect(ran.code, ran.text).toBe(code);
    }
  });
});

describe('what was compiled is kept beside the bundle', () => {
  /** A package of its own, and what it keeps. */
  function keeping() {
    const packageRoot = installation();
    const folder = path.join(packageRoot, 'dist/.compile-cache');
    rmSync(folder, { force: true });
    const cwd = newFolder();
    writeLines(cwd, 'sessions.jsonl', [call(), violation()]);
    const kept = () => readdirSync(folder).map((name) => path.join(folder, name));
    const alarm = () => {
      const ran = inShell('lakelog alarm sessions.jsonl', { packageRoot, cwd });
      expect(ran).toMatchObject({ code: 1, stderr: expect.stringContaining('FIRED') });
      return kept();
    };
    return { packageRoot, folder, kept, alarm };
  }

  test('by command, once, and for no command that is not known', () => {
    const { packageRoot, kept, alarm } = keeping();
    const [file] = alarm();
    const { ino } = statSync(file!);
    expect(alarm()).toEqual([file]);
    expect(statSync(file!).ino).toBe(ino);
    inShell('lakelog frob', { packageRoot });
    expect(kept()).toEqual([file]);
    inShell('lakelog schema', { packageRoot });
    expect(kept()).toHaveLength(2);
  });

  test.each(
    byDay<[string, (file: string) => void]>(
      [
        ['cut', (file) => truncateSync(file, 1_000)],
        ['empty', (file) => truncateSync(file, 0)],
        ['one bit of it', (file) => flip(file, statSync(file).size >> 1)],
        ['of another program', (file) => flip(file, 0)],
      ],
      2,
    ),
  )('nothing that is damaged is believed: %s', (_, damage) => {
    const { alarm } = keeping();
    const [file] = alarm();
    damage(file!);
    const damaged = readFileSync(file!);
    expect(alarm()).toEqual([file]);
    expect(readFileSync(file!)).not.toEqual(damaged);
    const { ino } = statSync(file!);
    alarm();
    expect(statSync(file!).ino).toBe(ino);
  });

  test('nowhere, if it cannot be written', () => {
    const { folder, packageRoot } = keeping();
    writeFileSync(folder, '');
    expect(inShell('lakelog queries', { packageRoot })).toMatchObject({ code: 0, stderr: '' });
    expect(readFileSync(folder, 'utf8')).toBe('');
  });
});

function flip(file: string, at: number): void {
  const bytes = readFileSync(file);
  bytes[at]! ^= 1;
  writeFileSync(file, bytes);
}

describe('limits of the system', () => {
  // With fewer, Node.js itself does not start; how many are enough depends on its version.
  test.each(nightly ? [21, 22, 24] : [21, 24])(
    '%i open files: enough, or told that they are not',
    (files) => {
      const cwd = newFolder();
      writeLines(cwd, 'sessions.jsonl', [call(), violation()]);
      // A program that holds some: what it starts has that many fewer.
      for (const taken of nightly ? [0, 2] : [files === 21 ? 0 : 2]) {
        const holds = Array.from({ length: taken }, (_, i) => `exec ${i + 3}</dev/null`).join('; ');
        const ran = inShell(`${holds || ':'}; ulimit -n ${files}; lakelog alarm`, { cwd });
        if (ran.code === 1 && /FIRED/.test(ran.stderr)) continue;
        // Node.js opens the first file of the program before any of it runs.
        if (/EMFILE[^\n]*bin\/lakelog\.js/.test(ran.stderr) || ran.stderr === '') continue;
        expect(ran.code, ran.text).toBe(2);
        expect(unwrapped(ran.stderr)).toMatch(/too many open files[\s\S]*→ .*ulimit -n/i);
      }
    },
  );

  test('hardly any address space', () => {
    const cwd = newFolder();
    writeLines(cwd, 'sessions.jsonl', [call(), violation()]);
    for (const kilobytes of nightly ? [700_000, 800_000, 900_000, 1_000_000] : [1_000_000]) {
      const ran = inShell(`ulimit -v ${kilobytes}; lakelog alarm`, { cwd });
      // Below some limit Node aborts by itself: that is a signal, and no exit code of ours.
      if (ran.code === 2)
        expect(ran.stderr).toMatch(/not enough (memory|address space):\s[\s\S]*→ .*ulimit -v/);
      else expect(ran.code, ran.text).toBeGreaterThan(128);
    }
  });

  const gone = 'mkdir gone && cd gone && rmdir ../gone';
  const inGone: readonly (readonly [line: string, code: number])[] = [
    ['lakelog alarm "$OLDPWD/sessions.jsonl"', 2],
    ['lakelog query "SELECT 1"', 2],
    ['validatord --config x.toml', 2],
    ['lakelog --help', 0],
    ...(nightly
      ? ([
          ['lakelog alarm', 2],
          ['lakelog', 2],
          ['lakelog frob', 2],
          ['lakelog --version', 0],
          ['validatord --help', 0],
        ] as const)
      : []),
  ];
  test.each(inGone)('in a folder that was deleted, %s ends with %i', (line, code) => {
    const cwd = newFolder();
    writeLines(cwd, 'sessions.jsonl', [call(), violation()]);
    const ran = inShell(`${gone}; ${line}`, { cwd });
    expect(ran.code, ran.text).toBe(code);
    expect(ran.stderr).not.toMatch(/defect|uv_cwd|node:internal/);
    if (line.startsWith('lakelog') && code === 2) {
      expect(ran.stderr).toMatch(/the working folder no longer exists\n {2}→ cd to a folder that exists/);
    }
  });
});

const WAITS: readonly [string, string[]][] = [
  ['the SQL', ['query', '-f', 'pipe', 'sessions.jsonl']],
  ['a log', ['alarm', 'pipe']],
  ['a log that a query reads', ['query', 'SELECT 1', 'pipe']],
];

test.each(byDay(WAITS, 2))('a signal ends it while it waits for %s', async (_, args) => {
  const cwd = newFolder();
  writeLines(cwd, 'sessions.jsonl', [call()]);
  execFileSync('mkfifo', ['pipe'], { cwd });
  const child = start(args, { cwd });
  const ended = new Promise((resolve) => child.once('exit', (...how) => resolve(how)));
  let writer: number | undefined;
  while (writer === undefined && child.exitCode === null) {
    try {
      writer = openSync(path.join(cwd, 'pipe'), constants.O_WRONLY | constants.O_NONBLOCK);
    } catch {
      // Nobody waits for it yet.
      await sleep(20);
    }
  }
  child.kill('SIGTERM');
  expect(await ended).toEqual([null, 'SIGTERM']);
  closeSync(writer!);
});

test('nothing that runs often loads what reads types that no column of ours has', () => {
  const packageRoot = installation();
  rmSync(path.join(packageRoot, 'dist/any-result.cjs'));
  const cwd = newFolder();
  const numbered = (seq: number) => call({ writer_id: 'w', seq, call_id: `c${seq}`, session_id: `${seq}` });
  // A hole, a conflict, a reject, an unfinished line, and a run of a trace that nobody knows.
  const lines = [numbered(1), numbered(5), call({ call_id: 'c5' }), 'no JSON', violation()];
  writeLines(cwd, 'sessions.jsonl', lines);
  writeLines(cwd, 'replay_runs.jsonl', [replayRun({ session_id: 'nobody' })]);
  appendFileSync(path.join(cwd, 'sessions.jsonl'), '{"schema":');
  const logs = 'sessions.jsonl replay_runs.jsonl';
  const often = [
    `sync --lake L.duckdb ${logs}`,
    `alarm ${logs}`,
    'alarm --on-change --lake L.duckdb',
    'first-shot-rate --lake L.duckdb',
    'alarm --lake L.duckdb',
  ];
  for (const line of byDay(often, 2)) {
    const ran = inShell(`lakelog ${line}`, { cwd, packageRoot });
    expect(ran.stderr, line).not.toContain('any-result');
    expect(ran.code, ran.text).toBe(line.startsWith('alarm') ? 1 : 0);
  }
});

atNight('its own folder for code that is neither module nor script', () => {
  expect(
    execFileSync('npm', ['pack', '--dry-run', '--ignore-scripts', '--json'], { cwd: root, encoding: 'utf8' }),
  ).toContain('"bin/package.json"');
});
