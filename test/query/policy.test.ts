/** lakelog.toml: what is read of it, what is refused, and on which line it stands. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { readPolicy } from '../../src/query/policy.js';
import { foldersOf, Settings } from '../../src/query/settings.js';
import { parseToml, type TomlPath } from '../../src/query/toml.js';
import { SETTINGS } from '../../src/schema/policy.js';
import { tempFolder } from '../support/lake.js';

async function policyOf(toml: string) {
  const cwd = tempFolder();
  writeFileSync(path.join(cwd, 'lakelog.toml'), toml);
  return readPolicy(cwd);
}

const settingsOf = async (toml: string, env: Record<string, string> = {}, flags: object = {}) =>
  new Settings(flags, env, await policyOf(toml));

describe('the line of a key', () => {
  const TEXT = `# max_age = "1h", level = "warn"
acks = "max_age"
sessions = [
  "a",
  "max_age = 3",
]
note = """
max_age = "2h"
"""
max_age = "26h"
[gates.alarm]
level = "fail"
[gates.own]
level = "warn" # level
[[compare]]
name = "a"
[[compare]]
name = "b"
level = "warn"
[inline]
x = { level = "a", deep = { level = "b" } }
"quo\\u0074ed" = 1
`;
  test.each<[TomlPath, number | null]>([
    [['acks'], 2],
    [['sessions'], 3],
    [['max_age'], 10],
    [['gates', 'alarm', 'level'], 12],
    [['gates', 'own', 'level'], 14],
    [['gates', 'own'], 13],
    [['compare', 0], 15],
    [['compare', 1], 17],
    [['compare', 1, 'name'], 18],
    [['compare', 1, 'level'], 19],
    [['inline', 'x', 'deep', 'level'], 21],
    [['inline', 'quoted'], null],
    [['nothing'], null],
  ])('%j is %j', async (at, line) => {
    const toml = await parseToml(TEXT, 'f', (what) => {
      throw new Error(what);
    });
    expect(toml.lineOf(at)).toBe(line);
  });

  test('entries of a list in one value stand where the list does', async () => {
    const toml = await parseToml('a = 1\ncompare = [{name="x"}, {name="y"}]\n', 'f', (what) => {
      throw new Error(what);
    });
    expect([toml.lineOf(['compare', 0]), toml.lineOf(['compare', 1])]).toEqual([2, 2]);
  });
});

describe('what is no policy is refused with its line, and the nearest key', () => {
  test.each<[string, string, RegExp, number, RegExp]>([
    ['a slip', 'tz = "UTC"\nmax_aeg = "1h"', /"max_aeg" is no key of lakelog\.toml/, 2, /mean max_age\?/],
    ['a hyphen', 'max-age = "1h"', /"max-age" is no key/, 1, /mean max_age\?/],
    ['the name of the option', 'gated_kind = ["fill"]', /"gated_kind" is no key/, 1, /mean gated_kinds\?/],
    ['nothing that is near', 'frobnicate = 1', /"frobnicate" is no key/, 1, /use sessions, .* and drift/],
    ['a duration that is none', 'max_age = "soon"', /"max_age" must be a duration/, 1, /max_age = "26h"/],
    ['a number as a duration', 'max_age = 26', /"max_age" must be a duration/, 1, /./],
    ['a fraction of a call', 'min_judged = 1.5', /"min_judged" must be a whole number/, 1, /./],
    ['fewer than none', 'max_rejects = -1', /"max_rejects" must be a whole number/, 1, /./],
    ['a text as a number', 'min_judged = "3"', /"min_judged" must be a whole number/, 1, /./],
    ['no kinds', 'gated_kinds = []', /"gated_kinds" must be a kind/, 1, /./],
    ['an empty kind', 'gated_kinds = ["fill", ""]', /"gated_kinds" must be a kind/, 1, /./],
    ['a zone that is none', 'tz = "Berlin"', /"tz" must be an IANA time zone/, 1, /./],
    ['an alpha of nothing', 'alpha = 0', /"alpha" must be a number above 0/, 1, /./],
    ['a margin in per cent', 'margin = 10', /"margin" must be a number from 0/, 1, /./],
    ['infinity', 'margin = inf', /"margin" must be a number from 0/, 1, /./],
    ['an empty path', 'acks = ""', /"acks" must be a path/, 1, /./],
    ['gates as a list', '[[gates]]\nlevel = "warn"', /"gates" must be a table/, 1, /./],
    ['a gate as a text', 'gates = { alarm = "warn" }', /entry of gates is no table/, 1, /./],
    ['a level that is none', '[gates.own]\nlevel = "off"', /"level" must be "fail" or "warn"/, 2, /./],
    [
      'a slip in an entry',
      '[gates.own]\nlevl = "warn"',
      /"levl" is no key of \[gates\.own\]/,
      2,
      /mean level\?/,
    ],
    ['a comparison as a table', '[compare]\nname = "a"', /"compare" must be a list of tables/, 1, /./],
    ['one without a name', '[[compare]]\nbaseline = "a"\ncandidate = "b"', /has no "name"/, 1, /./],
    [
      'one without a candidate, behind another',
      '[[compare]]\nname="a"\nbaseline="a"\ncandidate="b"\n[[compare]]\nname="b"\nbaseline="a"',
      /has no "candidate"/,
      5,
      /./,
    ],
    ['a margin of a drift', '[[drift]]\nname = "d"\nmargin = 2', /"margin" must be a number/, 3, /./],
    [
      'a key of another kind',
      '[[drift]]\nname = "d"\nbaseline = "x"',
      /"baseline" is no key of \[drift\]/,
      3,
      /./,
    ],
  ])('%s', async (_, toml, message, line, next) => {
    await expect(policyOf(toml)).rejects.toMatchObject({
      name: 'LakelogError',
      message: expect.stringMatching(message),
      where: expect.stringMatching(new RegExp(`lakelog\\.toml:${line}$`)),
      next: expect.stringMatching(next),
      exitCode: 2,
    });
  });

  test('the section of validatord is its own', async () => {
    const policy = await policyOf(
      'max_rejects = 2\n[validatord]\nanything = [1, 2]\n[validatord.roster]\npath = 5\n',
    );
    expect(policy.settings.get('max_rejects')).toBe(2);
  });
});

describe('an option, else the environment, else lakelog.toml, else the default', () => {
  /** As the command line, the environment and lakelog.toml write it, with the value that each comes to. */
  const GIVEN: Record<string, [flag: unknown, env: string, toml: string]> = {
    lake: ['f.duckdb', 'e.duckdb', '"p.duckdb"'],
    tz: ['Europe/Berlin', 'Asia/Tokyo', '"America/New_York"'],
    gated_kinds: [['fill', 'a'], 'fill,b', '["fill", "c"]'],
    min_judged: [5, '6', '7'],
    max_rejects: [1, '2', '3'],
    max_age: ['1h', '2h', '"3h"'],
    acks: ['f.jsonl', 'e.jsonl', '"p.jsonl"'],
    expect: ['f.toml', 'e.toml', '"p.toml"'],
    roster: ['f.csv', 'e.csv', '"p.csv"'],
    roster_column: ['f', 'e', '"p"'],
    roster_active_column: ['f', 'e', '"p"'],
    alpha: ['0.01', '0.02', '0.03'],
    sessions: [['f'], 'e', '"p"'],
    replay_runs: [['f'], 'e', '["p"]'],
  };
  const camel = (flag: string) => flag.slice(2).replace(/-(.)/g, (_, letter) => letter.toUpperCase());

  test.each(Object.entries(GIVEN))('%s', async (key, [flag, env, toml]) => {
    const { flag: option, env: variable } = SETTINGS.find((row) => row.key === key)!;
    const flags = { [camel(option!)]: flag };
    const file = `# one\n${key} = ${toml}\n`;
    const name = key as 'lake';
    const from = (settings: Settings) => [settings.originOf(name).from, settings.originOf(name).where];
    const all = await Promise.all([
      settingsOf(file, { [variable]: env }, flags),
      settingsOf(file, { [variable]: env }),
      settingsOf(file, { [variable]: '' }),
      settingsOf('', {}),
    ]);
    const empty = key === 'roster_active_column' ? ['environment', variable] : ['policy', 'lakelog.toml:2'];
    expect(all.map(from)).toEqual([['flag', option], ['environment', variable], empty, ['default', '']]);
    const values = all.map((settings) => JSON.stringify(settings.get(name)));
    expect(new Set(values).size).toBe(4);
  });

  test('kinds of white space are kinds, as they are in logs', async () => {
    const kinds = ['fill', ' ', '\ufeff'];
    const policy = await policyOf('gated_kinds = ["fill", " ", "\\ufeff"]');
    expect(policy.settings.get('gated_kinds')).toEqual(kinds);
    const settings = await settingsOf('', { LAKELOG_GATED_KINDS: kinds.join() });
    expect(settings.get('gated_kinds')).toEqual(kinds);
  });

  test('every setting that has an option is in this table', () => {
    const named = SETTINGS.filter(({ flag, type }) => flag !== null && type !== 'folders');
    expect(Object.keys(GIVEN).sort()).toEqual(named.map(({ key }) => key).sort());
  });

  test('who names one kind of log names all logs', async () => {
    const settings = await settingsOf('sessions = "p"\nreplay_runs = "r"', { LAKELOG_REPLAY_RUNS: 'e' });
    expect([settings.get('sessions'), settings.get('replay_runs')]).toEqual([[], ['e']]);
  });

  test('folders of questions add up', async () => {
    const policy = await policyOf('queries = ["p", "q"]');
    const all = foldersOf(['f'], { LAKELOG_QUERIES: 'e' }, policy);
    expect(all.map(({ folder, where }) => `${folder} ${where()}`)).toEqual([
      'f --queries',
      'e LAKELOG_QUERIES',
      'p lakelog.toml:1',
      'q lakelog.toml:1',
    ]);
  });

  test.each([
    ['LAKELOG_MIN_JUDGED', 'few'],
    ['LAKELOG_MAX_REJECTS', '-1'],
    ['LAKELOG_MAX_AGE', '26'],
    ['LAKELOG_GATED_KINDS', ','],
    ['LAKELOG_TZ', 'Nowhere'],
    ['LAKELOG_ALPHA', '0'],
    ['LAKELOG_MARGIN', 'wide'],
    ['LAKELOG_SESSIONS', ':'],
  ])('%s=%s is refused by its name', async (name, value) => {
    await expect(settingsOf('', { [name]: value })).rejects.toThrow(`${name} takes `);
  });
});

describe('what is weaker than its default is told with its origin', () => {
  test.each<[string, string, unknown]>([
    ['max_rejects = 5', 'max_rejects', { value: 5, instead_of: '0', from: 'lakelog.toml:1' }],
    ['\nmin_judged = 0', 'min_judged', { value: 0, instead_of: '1', from: 'lakelog.toml:2' }],
    ['gated_kinds = ["invoice"]', 'gated_kinds', { value: ['invoice'], instead_of: 'fill' }],
    ['roster_active_column = ""', 'roster_active_column', { value: '' }],
    ['alpha = 0.1', 'alpha', { value: 0.1 }],
    ['margin = 0.2', 'margin', { value: 0.2, instead_of: '.10' }],
  ])('%j', async (toml, key, told) => {
    const keys = SETTINGS.map((row) => row.key);
    expect((await settingsOf(toml)).weaker(keys)).toMatchObject([{ name: key, ...(told as object) }]);
  });

  test.each([
    'max_rejects = 0',
    'min_judged = 100',
    'gated_kinds = ["fill", "invoice"]',
    'max_age = "26h"',
    'alpha = 0.001',
    'margin = 0.05',
    'roster_active_column = "state"',
  ])('%j is not', async (toml) => {
    expect((await settingsOf(toml)).weaker(SETTINGS.map((row) => row.key))).toEqual([]);
  });
});

test.each<[string, (file: string) => void]>([
  ['a pipe that nobody writes to', (file) => execFileSync('mkfifo', [file])],
  ['a device that never ends', (file) => symlinkSync('/dev/zero', file)],
  ['a folder', (file) => mkdirSync(file)],
])('a lakelog.toml that is %s is refused at once', async (_, make) => {
  const cwd = tempFolder();
  make(path.join(cwd, 'lakelog.toml'));
  await expect(readPolicy(cwd)).rejects.toThrow(/cannot be read: it is not a regular file/);
});
