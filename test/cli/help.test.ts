import { execFile } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { Readable } from 'node:stream';
import { describe, expect, test } from 'vitest';
import { COMMANDS } from '../../src/commands/commands.js';
import { run } from '../../src/main.js';
import { errorEnvelope } from '../../src/schema/envelope.js';
import { version } from '../../src/version.js';
import { ownGate, violation } from '../support/acks.js';
import {
  byDay,
  call,
  command,
  newFolder,
  nightly,
  replayRun,
  root,
  unwrapped,
  writeLines,
} from '../support/cli.js';
import { lakelog } from '../support/program.js';
import { needsShell, wordsOf } from '../support/terminal.js';

const QUESTIONS = [
  'alarm',
  'corpus',
  'first-shot',
  'first-shot-rate',
  'rejections',
  'retries',
  'triple-rejections',
];
const ALL: readonly (readonly string[])[] = [
  ...QUESTIONS.map((name) => [name]),
  ...COMMANDS.flatMap(({ name, subcommands = [] }) => [
    [name],
    ...subcommands.map((sub) => [name, sub.name]),
  ]),
];

/** The program on a terminal of some width. */
async function onTerminal(columns: number, args: readonly string[], cwd = newFolder()) {
  const out: string[] = [];
  const err: string[] = [];
  const stream = (into: string[]) => ({
    isTTY: true,
    columns,
    write: async (text: string) => {
      into.push(text);
    },
  });
  const io = {
    stdin: Readable.from([]),
    stdout: stream(out),
    stderr: stream(err),
    env: { PATH: process.env.PATH, NO_COLOR: '1' },
    cwd,
    now: () => new Date(),
  };
  const code = await run(args, root, io);
  return { code, stdout: out.join(''), stderr: err.join('') };
}

const examplesIn = (help: string) =>
  /\nExamples:\n((?: {2}.*\n)+)/
    .exec(help)?.[1]
    ?.trimEnd()
    .split('\n')
    .map((line) => line.trim()) ?? [];

/** What lies outside the working folder on the machine of an example lies in it here. */
const inHere = (example: string) =>
  example.replaceAll('/mnt/lake/', 'mnt/lake/').replaceAll('/var/log/validator/', '');

describe('the help', () => {
  test.each(byDay([[[]], ...ALL.map((words) => [words])], 4))(
    'of %j has two examples, and is wrapped at word ends',
    async (words) => {
      const whole = (await onTerminal(100, [...words, '--help'])).stdout;
      // By day one that is narrow, and one that is wider than the text becomes.
      for (const columns of byDay([60, 80, 160, 100], 2)) {
        const { code, stdout } = await onTerminal(columns, [...words, '--help']);
        expect(code).toBe(0);
        const examples = examplesIn(stdout);
        expect(examples).toHaveLength(2);
        for (const example of examples) {
          expect(example).toMatch(new RegExp(`^${['lakelog', ...words].join(' ')}( |$)`));
          expect(example.length).toBeLessThanOrEqual(78);
        }
        const lines = stdout.split('\n').filter((line) => !examples.includes(line.trim()));
        for (const line of lines) expect(line.length, line).toBeLessThanOrEqual(Math.min(columns, 100));
        // What was wrapped is whole: the same words as where there is room.
        expect(stdout.split(/\s+/).join(' ')).toBe(whole.split(/\s+/).join(' '));
      }
      expect((await lakelog([...words, '--help'])).stdout).toBe(whole);
    },
  );

  test('of a question of somebody has them too, and its columns', async () => {
    const cwd = newFolder();
    mkdirSync(path.join(cwd, 'q'));
    writeFileSync(path.join(cwd, 'q/slow.sql'), ownGate());
    const { stdout } = await lakelog(['slow', '--queries', 'q', '--help'], { cwd });
    expect(examplesIn(stdout)).toHaveLength(2);
    expect(stdout).toMatch(/\nColumns:\n {2}session_id {2}Trace of the call\.\n/);
  });

  test('its examples run as they stand', async () => {
    const cwd = newFolder();
    const id = '4bf92f3577b34da6a3ce929d0e0e4736';
    const lines = [call(), violation({ session_id: id }), replayRun({ session_id: id })];
    for (const file of ['sessions.jsonl', 'logs/a.jsonl']) writeLines(cwd, file, lines);
    for (const folder of ['queries', 'ops']) mkdirSync(path.join(cwd, folder));
    writeFileSync(path.join(cwd, 'ops/acks.jsonl'), '');
    // What `lake verify --receipt` reads, and the lake that it is of.
    await lakelog(['alarm', '--lake', 'lakelog.duckdb', '--output', 'alarm.json', 'logs'], { cwd });
    const bin = command([]).args[0]!;
    // `ack rm` needs some to take out, each of its own.
    const settle = `lakelog ack ${id} --reason r sessions.jsonl; sed 's/"line":2/"line":1207/' lakelog-acks.jsonl > all; cat all all lakelog-acks.jsonl > lakelog-acks.jsonl.new; mv lakelog-acks.jsonl.new lakelog-acks.jsonl; `;
    const env = { PATH: process.env.PATH ?? '', HOME: cwd };
    const inShell = (name: string, example: string) => {
      // Nobody ends `watch` here but a signal.
      const ends = name === 'watch' ? 'timeout --preserve-status --signal=INT 5 ' : '';
      const before = `lakelog() { ${ends}'${process.execPath}' '${bin}' "$@"; }; ${name === 'ack rm' ? settle : ''}`;
      return new Promise<{ code: number | null; stderr: string }>((resolve) => {
        const child = execFile('sh', ['-c', before + example], { cwd, env }, (_, __, stderr) =>
          resolve({ code: child.exitCode, stderr }),
        );
      });
    };
    const failed: string[] = [];
    const judge = (example: string, { code, stderr }: { code: number | null; stderr: string }) => {
      // The log holds a violation, and is too old.
      const fires = code === 1 && /^lakelog (alarm|check) /.test(example);
      // Two calls decide nothing.
      const cannotTell = code === 3 && /^lakelog (compare|drift) /.test(example);
      // Ended before it had begun, on a machine that is busy.
      const isEnded = code === 130 && /^lakelog watch /.test(example);
      if (code !== 0 && !fires && !cannotTell && !isEnded) failed.push(`${example}: ${code} ${stderr}`);
    };
    const watching: Promise<void>[] = [];
    for (const [i, words] of ALL.entries()) {
      const name = words.join(' ');
      const all = examplesIn((await lakelog([...words, '--help'])).stdout);
      // Of a lake that `sync` makes others speak too.
      const examples = name === 'watch' || name === 'sync' ? all : byDay(all, 2);
      // They take five seconds, which the others fill in.
      const watched = async (example: string) => judge(example, await inShell('watch', example));
      if (name === 'watch') watching.push(...examples.map(watched));
      for (const example of name === 'watch' ? [] : examples.map(inHere)) {
        // What needs its shell gets it, and of the rest some do.
        const isTyped = nightly || i % 24 === 0 || name === 'ack rm' || needsShell(example);
        const ran = isTyped
          ? await inShell(name, example)
          : await lakelog(wordsOf(example, cwd), { cwd, env });
        judge(example, ran);
      }
    }
    await Promise.all(watching);
    expect(watching).toHaveLength(2);
    expect(failed).toEqual([]);
  }, 120_000);

  const VERSIONS = [
    [['-v']],
    [['-V']],
    [['--version']],
    [['alarm', '-v']],
    [['query', '--version']],
    [['ack', 'list', '-V']],
  ];
  test.each(byDay(VERSIONS, 3))('%j is the version', async (args) => {
    expect(await lakelog(args)).toMatchObject({ code: 0, stdout: `${version}\n`, stderr: '' });
  });
});

describe('one word per thing', () => {
  const NO_LINES = [
    [['schema', '--json', 'session']],
    [['schema', '--json']],
    [['ack', 'x', '--reason', 'r', '--by', 'me']],
    [['ack', 'x', '--reason', 'r', '--until', '2999-01-01']],
    [['ack', 'list', '--since', '7d']],
    [['query', 'SELECT 1', '--max-rows', '1']],
    [['alarm', '--expires', '7d']],
    [['alarm', '--limit', '1']],
    [['first-shot', '--author', 'me']],
  ];
  test.each(byDay(NO_LINES, 4))('%j is no command line', async (args) => {
    const cwd = newFolder();
    writeLines(cwd, 'sessions.jsonl', [call()]);
    const { code, stdout, stderr } = await lakelog(args, { cwd });
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain('unknown option');
    expect(stderr).toMatch(/("next":"| {2}→ )lakelog [a-z -]*--help["\n]/);
  });

  test.each(byDay(['session', 'replay', 'result', 'story', 'ack', 'error'], 3))(
    'schema --json-schema %s',
    async (name) => {
      const ran = await lakelog(['schema', '--json-schema', name]);
      expect(ran.code).toBe(0);
      expect(JSON.parse(ran.stdout)).toHaveProperty('$schema');
    },
  );
});

const DURATIONS: readonly (readonly [option: string, command: readonly string[]])[] = [
  ['--since', ['first-shot']],
  ['--until', ['first-shot']],
  ['--max-age', ['alarm']],
  ['--pending-grace', ['alarm']],
  ['--rotation-grace', ['validate']],
  ['--timeout', ['query', 'SELECT 1 AS a']],
  ['--expires', ['ack', 'bad', '--reason', 'r']],
];

describe.each(DURATIONS.map((one, turn) => [...one, turn] as const))(
  'a duration of %s',
  (option, words, turn) => {
    const ask = async (value: string) => {
      const cwd = newFolder();
      writeLines(cwd, 'sessions.jsonl', [call(), violation()]);
      return lakelog([...words, option, value], { cwd });
    };

    test.each(['90s', '15m', '23h', '1d'].filter((_, i) => nightly || i * 2 === turn))(
      'may be %s',
      async (value) => {
        const { code, stderr } = await ask(value);
        expect(code, stderr).not.toBe(2);
      },
    );

    const OTHERS = [
      ...[
        '90',
        '1.5h',
        '1 h',
        'h',
        '-1h',
        '1H',
        'P1D',
        '90sec',
        '1h30m',
        '3600000',
        '',
        '1mo',
        'NaN',
        '1e3s',
      ],
    ];
    // By day another one for each option.
    test.each(OTHERS.filter((_, i) => nightly || i % OTHERS.length === turn * 2))(
      'may not be %j, and the forms are told',
      async (value) => {
        const { code, stdout, stderr } = await ask(value);
        expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
        expect(stderr).toContain(option);
        expect(unwrapped(stderr)).toContain('90s, 15m, 26h, 7d or 2w');
      },
    );
  },
);

test.each(byDay([['0s'], ['2d'], ['24h1s']], 3))('a query is not stopped after %s', async (value) => {
  expect((await lakelog(['query', 'SELECT 1 AS a', '--timeout', value])).code).toBe(2);
});

describe('a failure where JSON was asked for', () => {
  const cases: readonly (readonly [args: readonly string[], error: RegExp, next: RegExp])[] = [
    [['alarm', '--json', '--jsno'], /unknown option '--jsno'/, /^lakelog alarm --help$/],
    [['alarm', '--format', 'json', '--min-judged', 'x'], /min-judged/, /^lakelog alarm --help$/],
    [['alarm', '--format=json', '--max-age', '5'], /--max-age/, /26h/],
    [['frob', '--json'], /unknown command 'frob'/, /^lakelog --help$/],
    [['--json'], /unknown option '--json'/, /^lakelog --help$/],
    [['show', '--json'], /missing required argument 'id'/, /^lakelog show --help$/],
    [['queries', 'show', '--json'], /.+/, /^lakelog queries show --help$/],
    [['first-shot', '--json', '--format', 'csv'], /cannot be used with/, /^lakelog first-shot --help$/],
    [['first-shot', '--json', '--since', 'soon'], /--since soon is not a time/, /26h/],
    [['query', '--json', 'SELECT frob FROM sessions', 'sessions.jsonl'], /frob/, /./],
    [['query', '--json', 'DROP TABLE sessions', 'sessions.jsonl'], /./, /./],
    [['ack', 'list', '--json', '--acks', 'gone.jsonl'], /gone\.jsonl|cannot be read/, /--acks/],
    [['queries', '--json', '--queries', 'gone'], /gone/, /./],
    [['alarm', '--json', '-o', 'x.exe'], /x\.exe/, /\.csv/],
    [['alarm', '--json', '--queries'], /--queries/, /./],
  ];

  test.each(byDay(cases, 3))(
    '%j is one object on stderr, and nothing on stdout',
    async (args, error, next) => {
      const cwd = newFolder();
      writeLines(cwd, 'sessions.jsonl', [call()]);
      const { code, stdout, stderr } = await lakelog(args, { cwd });
      expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
      expect(stderr).toMatch(/^\{.*\}\n$/);
      const made = errorEnvelope.parse(JSON.parse(stderr));
      expect(made.exit_code).toBe(2);
      expect(made.error).toMatch(error);
      expect(made.next).toMatch(next);
    },
  );

  test('it is text where it was not asked for, or stands for a path', async () => {
    for (const args of [
      ['alarm', '--jsno'],
      ['alarm', '--frob', '--', '--json'],
      ['show', '--format', 'csv'],
    ]) {
      const { code, stderr } = await lakelog(args);
      expect(code).toBe(2);
      expect(stderr).toMatch(/^error: /);
    }
  });

  test('what somebody typed stays text inside of it', async () => {
    const { stderr } = await lakelog(['alarm', '--json', '--x\u001b[2J\u202e"\n{}']);
    expect(stderr).toMatch(/^\{.*\}\n$/);
    expect(stderr).not.toMatch(/[\u001b\u202e]/);
    expect(errorEnvelope.parse(JSON.parse(stderr)).error).toContain('--x\u001b[2J');
  });
});

describe('--limit', () => {
  const COUNT = 5;
  const folder = (count = COUNT) => {
    const cwd = newFolder();
    writeLines(
      cwd,
      'sessions.jsonl',
      Array.from({ length: count }, () => call()),
    );
    return cwd;
  };

  test.each(byDay(['json', 'jsonl', 'csv', 'md', 'table'], 3))(
    'cuts %s for a pipe, says so and ends with 3',
    async (format) => {
      const cwd = folder();
      const whole = await lakelog(['first-shot', '--format', format], { cwd });
      expect({ code: whole.code, stderr: whole.stderr }).toEqual({ code: 0, stderr: '' });
      const enough = await lakelog(['first-shot', '--format', format, '--limit', String(COUNT)], { cwd });
      expect({ code: enough.code, stderr: enough.stderr }).toEqual({ code: 0, stderr: '' });
      const cut = await lakelog(['first-shot', '--format', format, '--limit', '2'], { cwd });
      expect(cut.code).toBe(3);
      expect(cut.stderr).toBe('only the first 2 rows are shown, there are more (--limit N shows more)\n');
      const rows = (text: string) =>
        format === 'json' ? JSON.parse(text).rows.length : text.trimEnd().split('\n').length;
      expect(rows(whole.stdout) - rows(cut.stdout)).toBe(COUNT - 2);
      if (format === 'json')
        expect([whole, cut].map(({ stdout }) => JSON.parse(stdout).truncated)).toEqual([false, true]);
    },
  );

  test('cuts a copy too, which ends with 3 even on a terminal', async () => {
    const cwd = folder();
    expect((await onTerminal(80, ['first-shot', '--limit', '2'], cwd)).code).toBe(0);
    const ran = await onTerminal(80, ['first-shot', '--limit', '2', '-o', 'r.csv'], cwd);
    expect(ran.code).toBe(3);
    expect(readFileSync(path.join(cwd, 'r.csv'), 'utf8').trimEnd().split('\n')).toHaveLength(3);
  });

  const CUT = ['first-shot', 'first-shot-rate', 'triple-rejections', 'corpus', 'rejections', 'query'];
  test.each(byDay(CUT, 3))('is an option of %s', async (name) => {
    expect((await lakelog([name, '--help'])).stdout).toContain('--limit <n>');
    for (const value of byDay(['0', '-1', 'x', '1.5', ''], 2)) {
      const sql = name === 'query' ? ['SELECT 1 AS a'] : [];
      expect((await lakelog([name, ...sql, '--limit', value], { cwd: folder() })).code, value).toBe(2);
    }
  });

  test('on a terminal is 10,000 by itself, in files and pipes nothing is cut', async () => {
    const cwd = folder(10_001);
    const screen = await onTerminal(80, ['first-shot', '--format', 'csv', '-o', 'r.csv'], cwd);
    expect(screen.code).toBe(0);
    expect(screen.stdout.trimEnd().split(/\r?\n/)).toHaveLength(10_001);
    expect(screen.stderr).toContain('only the first 10000 rows are shown');
    expect(readFileSync(path.join(cwd, 'r.csv'), 'utf8').trimEnd().split('\n')).toHaveLength(10_002);
    const piped = await lakelog(['first-shot', '--format', 'csv'], { cwd });
    expect(piped.stdout.trimEnd().split('\n')).toHaveLength(10_002);
  });
});
