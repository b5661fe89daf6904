import path from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Receipt } from '../../src/schema/result.js';
import { call, envelope, newFolder, lakelog as spawned, writeLines } from '../support/cli.js';
import { lakelog } from '../support/program.js';

const ago = (hours: number) => new Date(Date.now() - hours * 3_600_000).toISOString();

/** A folder with a log and a file that says who must be heard of. */
function folder(expected: string, ...lines: readonly string[]): string {
  const cwd = newFolder();
  writeLines(cwd, 'sessions.jsonl', lines.length > 0 ? lines : [call({ timestamp: ago(1) })]);
  writeLines(cwd, 'expect.toml', [expected]);
  return cwd;
}

const entry = (...lines: readonly string[]) => ['[[expect]]', ...lines, ''].join('\n');
const staffing = (hours: number, changes = {}) =>
  call({
    daemon: 'staffing',
    environment: 'production',
    writer_id: 'w-1',
    timestamp: ago(hours),
    ...changes,
  });

async function asked(cwd: string, ...args: readonly string[]) {
  const ran = await lakelog(['alarm', '--json', '--expect', 'expect.toml', ...args], { cwd });
  const { verdict, receipt } = envelope(ran);
  return { code: ran.code, silent: verdict!.cannot_vouch, expected: receipt.expected as Receipt['expected'] };
}

describe('who must be heard of', () => {
  test.each<[string, string, readonly string[], readonly string[]]>([
    ['a daemon', entry('daemon = "staffing"', 'within = "2h"'), [staffing(1)], []],
    [
      'one that has no age of its own, by --max-age',
      entry('daemon = "staffing"'),
      [staffing(1)],
      ['--max-age', '2h'],
    ],
    ['a writer', entry('writer = "w-1"', 'within = "2h"'), [staffing(1)], []],
    [
      'a daemon in an environment',
      entry('daemon = "staffing"', 'environment = "production"', 'within = "2h"'),
      [staffing(1)],
      [],
    ],
    [
      'one that no filter selects',
      entry('daemon = "staffing"', 'within = "2h"'),
      [staffing(1), call()],
      ['--daemon', 'fill-dispatcher'],
    ],
    [
      'one of another kind',
      entry('daemon = "staffing"', 'within = "2h"'),
      [call(), staffing(1, { kind: 'email' })],
      [],
    ],
    [
      'several, in an array',
      'expect = [{daemon = "staffing", within = "2h"}, {writer = "w-1", within = "2h"}]',
      [staffing(1)],
      [],
    ],
  ])('%s is', async (_, toml, lines, args) => {
    const { code, silent, expected } = await asked(folder(toml, ...lines), ...args);
    expect(silent).toEqual([]);
    expect(code).toBe(0);
    expect(expected).toMatchObject({ file: 'expect.toml', heard: expected!.named });
  });

  test('one that fell silent is named, with the last call of it, while others write on', async () => {
    const toml = `${entry('daemon = "mailer"')}${entry('daemon = "staffing"', 'within = "90m"')}`;
    const cwd = folder(toml, staffing(9), staffing(5), call({ daemon: 'mailer', timestamp: ago(1) }));
    const { code, silent, expected } = await asked(cwd, '--max-age', '2h');
    expect(code).toBe(3);
    expect(expected).toEqual({ file: 'expect.toml', named: 2, heard: 1 });
    expect(silent).toEqual([
      {
        code: 'silent',
        message: expect.stringMatching(
          /^daemon "staffing" fell silent: its last call is of .+Z, 5 h old, and expect\.toml:3 allows 90 min$/,
        ),
        where: 'sessions.jsonl:2',
        next: expect.any(String),
      },
    ]);
  });

  test.each<[string, string, string]>([
    ['a slip', 'daemon = "stafing"', 'did you mean daemon = "staffing"? correct it there'],
    ['another case', 'writer = "W-1"', 'did you mean writer = "w-1"? correct it there'],
    [
      'nothing like it',
      'daemon = "playbooks"',
      'check that it runs and that its log is among the inputs, or take it out there',
    ],
  ])('one that was never heard of: %s', async (_, name, next) => {
    const { code, silent } = await asked(folder(entry(name, 'within = "2h"'), staffing(1)));
    expect(code).toBe(3);
    expect(silent).toMatchObject([{ code: 'silent', where: 'expect.toml:1', next }]);
    expect(silent[0]!.message).toMatch(/^nothing was heard of (daemon|writer) "/);
  });

  test('a call of another environment is not one of it', async () => {
    const toml = entry('daemon = "staffing"', 'environment = "production"', 'within = "2h"');
    const { code } = await asked(folder(toml, staffing(1, { environment: 'staging' }), staffing(3)));
    expect(code).toBe(3);
  });

  test('a line that repeats another, or that could not be loaded, is not heard', async () => {
    const line = staffing(3);
    const cwd = folder(
      entry('daemon = "staffing"', 'within = "2h"'),
      line,
      line,
      staffing(1, { iterations: -1 }),
    );
    const { silent } = await asked(cwd, '--max-rejects', '1');
    expect(silent.map(({ code }) => code)).toEqual(['silent']);
  });

  test('a violation outranks silence', async () => {
    const toml = entry('daemon = "staffing"', 'within = "2h"');
    const ran = await spawned(['alarm', '--expect', 'expect.toml', 'sessions.jsonl'], {
      cwd: folder(toml, staffing(9, { grounded_in_roster: false })),
    });
    expect(ran.code).toBe(1);
    expect(ran.stderr).toContain('cannot vouch: daemon "staffing" fell silent');
    expect(ran.stderr).toContain('heard of  0 of 1 who must be (expect.toml)');
  });
});

describe('where the file comes from', () => {
  const silent = entry('daemon = "nobody"', 'within = "2h"');

  test('the environment and the policy name it too, the command line before both', async () => {
    const cwd = folder(entry('daemon = "staffing"', 'within = "2h"'), staffing(1));
    writeLines(cwd, 'silent.toml', [silent]);
    const code = async (args: readonly string[], env: Record<string, string> = {}) =>
      (await lakelog(['alarm', 'sessions.jsonl', ...args], { cwd, env })).code;
    expect(await code([])).toBe(0);
    expect(await code([], { LAKELOG_EXPECT: 'silent.toml' })).toBe(3);
    expect(await code(['--expect', 'expect.toml'], { LAKELOG_EXPECT: 'silent.toml' })).toBe(0);
    writeLines(cwd, 'lakelog.toml', ['expect = "silent.toml"']);
    expect(await code([])).toBe(3);
    expect(await code([], { LAKELOG_EXPECT: 'expect.toml' })).toBe(0);
  });

  test('beside the logs it is no log', async () => {
    const cwd = folder(entry('daemon = "staffing"', 'within = "2h"'), staffing(1));
    const ran = await lakelog(['alarm', '.', '--expect', path.join(cwd, 'expect.toml')], { cwd });
    expect(ran.code).toBe(0);
  });

  test('a question that is no gate does not know it', async () => {
    const ran = await lakelog(['first-shot', 'sessions.jsonl', '--expect', 'expect.toml'], {
      cwd: folder(silent),
    });
    expect(ran.code).toBe(2);
  });
});

test.each<[string, string, string]>([
  [
    'an unknown key',
    `${entry('daemon = "a"', 'within = "2h"')}${entry('daemon = "b"', 'withing = "2h"')}`,
    'expect.toml:6',
  ],
  ['a host, which no record carries', entry('host = "web-1"', 'within = "2h"'), 'expect.toml:2'],
  ['an unknown key at the top', 'daemon = "a"', 'expect.toml:1'],
  ['an unknown table', `${entry('daemon = "a"', 'within = "2h"')}[other]\nx = 1`, 'expect.toml:4'],
  ['nothing', '', 'expect.toml:1'],
  ['comments only', '# nobody yet', 'expect.toml:1'],
  ['an empty list', '# nobody\nexpect = []', 'expect.toml:2'],
  ['an entry that names nobody', `# first\n${entry('within = "2h"')}`, 'expect.toml:2'],
  [
    'an entry twice',
    `${entry('daemon = "a"', 'within = "2h"')}${entry('daemon = "a"', 'within = "3h"')}`,
    'expect.toml:4',
  ],
  ['an empty name', entry('daemon = ""', 'within = "2h"'), 'expect.toml:2'],
  ['a name that is a number', entry('within = "2h"', 'daemon = 5'), 'expect.toml:3'],
  ['an age that is none', entry('daemon = "a"', 'within = "soon"'), 'expect.toml:3'],
  ['no age at all, and no --max-age', `\n${entry('daemon = "a"')}`, 'expect.toml:2'],
  ['a table in the place of the list', '[expect]\ndaemon = "a"', 'expect.toml:1'],
  ['what is no TOML', `${entry('daemon = "a"')}within = `, 'expect.toml:3'],
  ['a key that stands twice', entry('daemon = "a"', 'daemon = "b"', 'within = "2h"'), 'expect.toml:3'],
])('%s is exit 2 with its place', async (_, toml, where) => {
  const ran = await lakelog(['alarm', '--expect', 'expect.toml', 'sessions.jsonl'], { cwd: folder(toml) });
  expect(ran.code, ran.stderr).toBe(2);
  expect(ran.stderr).toContain(`at ${where}\n`);
  expect(ran.stderr).toMatch(/\n {2}→ \w/);
});

test('a file that is not there, and a folder, are exit 2', async () => {
  const cwd = folder('');
  for (const file of ['gone.toml', '.']) {
    const ran = await lakelog(['alarm', '--expect', file, 'sessions.jsonl'], { cwd });
    expect(ran.code).toBe(2);
    expect(ran.stderr).toContain('correct --expect');
  }
});
