import { execFileSync } from 'node:child_process';
import { closeSync, copyFileSync, openSync, readdirSync, writeFileSync, writeSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import {
  byDay,
  call,
  envelope,
  lakelog,
  newFolder,
  nightly,
  root,
  start,
  unwrapped,
  writeLines,
} from '../support/cli.js';
import { lakelog as inThisProcess } from '../support/program.js';

/** What is not about streams of their own is asked of the binary at night. */
const binaryAtNight = nightly ? lakelog : inThisProcess;

const TORN = '{"schema":"session.iterate.v1","session_id":"';
const good = () => call();
const bad = () => call({ session_id: 'bad', grounded_in_roster: false });
const unjudged = () => call({ grounded_in_roster: null });
const sessions = (folder: string, ...lines: string[]) => writeLines(folder, 'sessions.jsonl', lines);
const fixture = (scenario: string) => path.join(root, 'fixtures', scenario);

function textFolder(): string {
  const folder = newFolder();
  writeFileSync(path.join(folder, 'README.txt'), 'This is no log.\nNor is this.\n');
  return folder;
}

describe('the human form', () => {
  test('0: the receipt goes to stderr, stdout stays empty', async () => {
    const ran = await lakelog(['alarm', 'sessions.jsonl'], { cwd: fixture('healthy') });
    expect(ran.code).toBe(0);
    expect(ran.stdout).toBe('');
    expect(ran.stderr).toMatch(/^CLEAR {2}alarm/);
    expect(ran.stderr).toContain('400 lines = 400 loaded + 0 rejected + 0 duplicates + 0 blank + 0 pending');
    expect(ran.stderr.split('\n').length).toBeLessThanOrEqual(24);
  });

  test('1: the rows go to stdout, the verdict and the next step to stderr', async () => {
    const ran = await binaryAtNight(['alarm', 'sessions.jsonl'], { cwd: fixture('alarm') });
    expect(ran.code).toBe(1);
    expect(ran.stdout.split('\n').filter((line) => /ungrounded/.test(line))).toHaveLength(3);
    expect(ran.stderr).toMatch(/^FIRED {2}alarm/);
    expect(ran.stderr).toContain('→');
  });

  test('3: every reason has a next step', async () => {
    const ran = await binaryAtNight(['alarm', 'sessions.jsonl', '--pending-grace', '0'], {
      cwd: fixture('messy'),
    });
    expect(ran.code).toBe(3);
    expect(ran.stderr).toMatch(/^CANNOT VOUCH {2}alarm/);
    const lines = unwrapped(ran.stderr).split('\n');
    for (const [i, line] of lines.entries()) {
      if (line.startsWith('cannot vouch:')) expect(lines[i + 1]).toMatch(/^ {2}→ /);
    }
  });

  test('a torn line before a violation: both are printed', async () => {
    const folder = newFolder();
    sessions(folder, good(), TORN, bad());
    const ran = await binaryAtNight(['alarm', 'sessions.jsonl'], { cwd: folder });
    expect(ran.code).toBe(1);
    expect(ran.stdout).toMatch(/bad .*ungrounded .*sessions\.jsonl:3/);
    expect(unwrapped(ran.stderr)).toMatch(/fired: .*sessions\.jsonl:3/);
    expect(unwrapped(ran.stderr)).toMatch(/cannot vouch: .*sessions\.jsonl:2/);
    expect(ran.stderr).toMatch(/1 × bad_json, first sessions\.jsonl:2/);
  });

  test('the next step for a violation can be pasted into a shell, whatever the file is called', async () => {
    const folder = newFolder();
    const name = `it's "a" $HOME;x.jsonl`;
    writeLines(folder, name, [good(), bad()]);
    const ran = await binaryAtNight(['alarm', name], { cwd: folder });
    const [, step] = /→ lakelog (show .*)/.exec(ran.stderr) ?? [];
    const words = execFileSync('sh', ['-c', `printf '%s\\n' ${step}`], { cwd: folder, encoding: 'utf8' });
    const shown = await binaryAtNight(words.trimEnd().split('\n'), { cwd: folder });
    expect(shown.code).toBe(0);
    expect(shown.stdout).toContain('NOT grounded');
    expect(shown.stdout).toContain(`${name}:2`);
  });

  test('the next step for a reject can be pasted into a shell and lists it', async () => {
    const folder = newFolder();
    writeLines(folder, `it's "a" $HOME;x.jsonl`, [good(), TORN]);
    const ran = await binaryAtNight(['alarm', `it's "a" $HOME;x.jsonl`], { cwd: folder });
    const [, step] = /→ lakelog (validate .*)/.exec(ran.stderr) ?? [];
    const words = execFileSync('sh', ['-c', `printf '%s\\n' ${step}`], { cwd: folder, encoding: 'utf8' });
    const validated = await binaryAtNight(words.trimEnd().split('\n'), { cwd: folder });
    expect(validated.code).toBe(3);
    expect(validated.stdout).toContain('bad_json');
  });

  test('an option of a group may be given to help, and help is no failure', async () => {
    const ran = await binaryAtNight(['alarm', '--help', '--frob']);
    expect(ran.code).toBe(0);
    expect(ran.stderr).toBe('');
  });
});

describe('-q', () => {
  const CLEAR: [string, string, string[]][] = [
    ['clear', 'healthy', []],
    ['clear, json', 'healthy', ['--json']],
    ['clear, csv', 'healthy', ['--format', 'csv']],
  ];
  test.each(byDay(CLEAR, 2))('%s: nothing at all', async (_, scenario, args) => {
    const ask = args.length === 0 ? lakelog : binaryAtNight;
    const ran = await ask(['alarm', '-q', 'sessions.jsonl', ...args], { cwd: fixture(scenario) });
    expect(ran).toEqual({ code: 0, signal: null, stdout: '', stderr: '', leftovers: [] });
  });

  test('clear with notices: nothing at all', async () => {
    const folder = newFolder();
    writeFileSync(sessions(folder, good(), unjudged()), TORN, { flag: 'a' });
    const ran = await binaryAtNight(['alarm', '-q', '--allow-unjudged', 'sessions.jsonl'], { cwd: folder });
    expect(ran).toEqual({ code: 0, signal: null, stdout: '', stderr: '', leftovers: [] });
  });

  const HEARD = [
    ['fired', 'alarm', 1, []],
    ['fired, json', 'alarm', 1, ['--json']],
    ['fired, csv', 'alarm', 1, ['--format', 'csv']],
    ['cannot vouch', 'empty', 3, []],
    ['cannot vouch, json', 'empty', 3, ['--json']],
    ['cannot vouch, jsonl', 'empty', 3, ['--format', 'jsonl']],
    ['bad usage', 'healthy', 2, ['--since', 'x']],
  ] as const;
  test.each(byDay(HEARD, 3))('%s: at least a line on stderr', async (_, scenario, code, args) => {
    const ask = args.length === 0 ? lakelog : binaryAtNight;
    const ran = await ask(['alarm', '-q', 'sessions.jsonl', ...args], { cwd: fixture(scenario) });
    expect(ran.code).toBe(code);
    expect(ran.stderr).toMatch(/\S.*\n/);
    expect(ran.stderr).toContain('→');
  });
});

describe('other commands end the same way', () => {
  const cases: readonly [name: string, args: readonly string[], code: number, says: RegExp][] = [
    ['unknown command', ['frob'], 2, /unknown command 'frob'/],
    ['no command', [], 2, /Usage: lakelog/],
    ['unknown option of the program', ['--frob'], 2, /unknown option '--frob'/],
    ['first-shot-rate with a bad --by', ['first-shot-rate', '--by', 'mood'], 2, /mood/],
    ['first-shot-rate with a bad --min-n', ['first-shot-rate', '--min-n', 'x'], 2, /--min-n/],
    ['first-shot-rate with a negative --min-n', ['first-shot-rate', '--min-n', '-1'], 2, /--min-n/],
    ['first-shot-rate on a missing file', ['first-shot-rate', 'gone.jsonl'], 3, /gone\.jsonl/],
    [
      'first-shot-rate on rejects with --strict',
      ['first-shot-rate', 'torn.jsonl', '--strict'],
      3,
      /torn\.jsonl:2/,
    ],
    ['first-shot-rate on an empty file', ['first-shot-rate', 'empty.jsonl'], 3, /empty\.jsonl/],
    ['validate on a missing file', ['validate', 'gone.jsonl'], 3, /gone\.jsonl/],
    ['validate on rejects', ['validate', 'torn.jsonl'], 3, /torn\.jsonl:2/],
    ['validate on an empty file', ['validate', 'empty.jsonl'], 3, /empty\.jsonl/],
    ['schema of an unknown record', ['schema', '--json-schema', 'frob'], 2, /frob/],
    ['schema with a path', ['schema', 'sessions.jsonl'], 2, /too many arguments/],
    ['help of an unknown command', ['help', 'frob'], 2, /frob/],
  ];
  test.each(byDay(cases, 3))('%s', async (_, args, code, says) => {
    const folder = newFolder();
    sessions(folder, good());
    writeLines(folder, 'torn.jsonl', [good(), TORN]);
    writeLines(folder, 'empty.jsonl', []);
    const ran = await inThisProcess(args, { cwd: folder });
    expect.soft(ran.code, ran.stderr).toBe(code);
    expect.soft(ran.stdout + ran.stderr).toMatch(says);
    expect.soft(ran.stderr, 'what comes next').toContain('→');
    if (code === 2) expect.soft(ran.stdout).toBe('');
  });

  test('first-shot-rate warns about rejects and ends with 0', async () => {
    const folder = newFolder();
    sessions(folder, good(), TORN);
    const ran = await inThisProcess(['first-shot-rate', 'sessions.jsonl', '--json'], { cwd: folder });
    expect(ran.code).toBe(0);
    expect(ran.stderr).toMatch(/sessions\.jsonl:2/);
    expect(envelope(ran).rows).toHaveLength(1);
  });

  test('validate: a hint when no line looks like a record', async () => {
    const ran = await inThisProcess(['validate', 'README.txt'], { cwd: textFolder() });
    expect(ran.code).toBe(3);
    expect(ran.stderr).toMatch(/no line looks like .* record/);
  });

  test('validate: 0 where every line is loaded', async () => {
    const ran = await inThisProcess(['validate', '*.jsonl'], { cwd: fixture('healthy') });
    expect(ran.code).toBe(0);
    expect(ran.stderr).toBe('');
  });
});

test('a run that is interrupted leaves no temporary files', async () => {
  const folder = newFolder();
  const fifo = path.join(folder, 'pipe.jsonl');
  execFileSync('mkfifo', [fifo]);
  copyFileSync(path.join(fixture('healthy'), 'sessions.jsonl'), path.join(folder, 'sessions.jsonl'));
  const child = start(['alarm', 'sessions.jsonl', 'pipe.jsonl'], { cwd: folder });
  let err = '';
  child.stderr!.on('data', (chunk: Buffer) => {
    err += chunk;
  });
  const writer = openSync(fifo, 'w');
  writeSync(writer, `${good()}\n`);
  await expect.poll(() => readdirSync(child.tmp).length, { timeout: 50_000 }).toBeGreaterThan(0);
  child.kill('SIGTERM');
  const ended = await new Promise((resolve) =>
    child.on('close', (code, signal) => resolve({ code, signal })),
  );
  closeSync(writer);
  expect(ended, err).toEqual({ code: null, signal: 'SIGTERM' });
  expect(readdirSync(child.tmp)).toEqual([]);
});
