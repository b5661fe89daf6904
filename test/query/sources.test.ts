import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import { readPolicy } from '../../src/query/policy.js';
import { Settings } from '../../src/query/settings.js';
import { chooseSources, type GivenPaths, PRODUCTION_LOG } from '../../src/query/sources.js';
import { tempFolder } from '../support/lake.js';

const production = vi.hoisted(() => ({ exists: false }));
vi.mock('node:fs', async (importOriginal) => {
  const fs = await importOriginal<typeof import('node:fs')>();
  const existsSync: typeof fs.existsSync = (file) =>
    file === '/var/lib/lakehouse/validator/sessions.jsonl' ? production.exists : fs.existsSync(file);
  return { ...fs, existsSync };
});

const NOTHING: GivenPaths = { paths: [], sessions: [], replayRuns: [] };
const ALL = ['sessions.jsonl', 'replay_runs.jsonl', 'lakelog.toml'] as const;
const TOML = 'sessions = ["from-config.jsonl", "logs/"]\nreplay_runs = "runs.jsonl"\n';

interface Place {
  readonly given?: Partial<GivenPaths>;
  readonly env?: Record<string, string>;
  readonly files?: readonly string[];
  readonly toml?: string;
  readonly wantsReplays?: boolean;
  readonly inProduction?: boolean;
}

async function choose({
  given,
  env = {},
  files = [],
  toml = TOML,
  wantsReplays = true,
  inProduction,
}: Place) {
  const cwd = tempFolder();
  for (const name of files) writeFileSync(path.join(cwd, name), name === 'lakelog.toml' ? toml : '');
  production.exists = inProduction === true;
  const settings = new Settings({}, env, await readPolicy(cwd));
  const { requests, from } = chooseSources({ ...NOTHING, ...given }, settings, cwd, wantsReplays);
  return { requests: requests.map(({ path: name, as }) => `${as}:${name}`), from };
}

const env = { LAKELOG_SESSIONS: 'e1.jsonl:e2', LAKELOG_REPLAY_RUNS: 'e3.jsonl' };

describe('precedence: each place counts only where none before it names anything', () => {
  test.each<[string, Place, { requests: readonly string[]; from: string }]>([
    [
      'arguments',
      {
        given: { paths: ['a', '-'], sessions: ['s1', 's2'], replayRuns: ['r'] },
        env,
        files: ALL,
        inProduction: true,
      },
      { requests: ['any:a', 'any:-', 'sessions:s1', 'sessions:s2', 'replay_runs:r'], from: 'arguments' },
    ],
    [
      'one argument is enough',
      { given: { replayRuns: ['r'] }, env, files: ALL, inProduction: true },
      { requests: ['replay_runs:r'], from: 'arguments' },
    ],
    [
      'environment',
      { env, files: ALL, inProduction: true },
      {
        requests: ['any:e1.jsonl', 'any:e2', 'any:e3.jsonl'],
        from: 'environment (LAKELOG_SESSIONS, LAKELOG_REPLAY_RUNS)',
      },
    ],
    [
      'lakelog.toml',
      { env: { LAKELOG_SESSIONS: '' }, files: ALL, inProduction: true },
      {
        requests: ['any:from-config.jsonl', 'any:logs/', 'any:runs.jsonl'],
        from: 'config (lakelog.toml)',
      },
    ],
    [
      'a lakelog.toml that names no path',
      { files: ALL, toml: '# nothing\n' },
      {
        requests: ['sessions:sessions.jsonl', 'replay_runs:replay_runs.jsonl'],
        from: 'default (working folder)',
      },
    ],
    [
      './sessions.jsonl with ./replay_runs.jsonl',
      { files: ['sessions.jsonl', 'replay_runs.jsonl'], inProduction: true },
      {
        requests: ['sessions:sessions.jsonl', 'replay_runs:replay_runs.jsonl'],
        from: 'default (working folder)',
      },
    ],
    [
      './sessions.jsonl alone',
      { files: ['sessions.jsonl'] },
      { requests: ['sessions:sessions.jsonl'], from: 'default (working folder)' },
    ],
    [
      'no replay file for a question that needs none',
      { files: ['sessions.jsonl', 'replay_runs.jsonl'], wantsReplays: false },
      { requests: ['sessions:sessions.jsonl'], from: 'default (working folder)' },
    ],
    [
      'the production path',
      { files: ['replay_runs.jsonl'], inProduction: true },
      { requests: [`sessions:${PRODUCTION_LOG}`], from: 'default (production path)' },
    ],
    [
      'nothing anywhere: the file that is missed is named',
      {},
      { requests: ['sessions:sessions.jsonl'], from: 'default (working folder)' },
    ],
    [
      'a replay file that was named is read even for a question that needs none',
      { env, wantsReplays: false },
      {
        requests: ['any:e1.jsonl', 'any:e2', 'any:e3.jsonl'],
        from: 'environment (LAKELOG_SESSIONS, LAKELOG_REPLAY_RUNS)',
      },
    ],
  ])('%s', async (_, place, expected) => {
    expect(await choose(place)).toEqual(expected);
  });

  test('the production path is that of the design', () => {
    expect(PRODUCTION_LOG).toBe('/var/lib/lakehouse/validator/sessions.jsonl');
  });
});

describe('a lakelog.toml that is not understood is an error, never another file', () => {
  test.each<[string, string, RegExp]>([
    ['not TOML', 'sessions = [', /lakelog\.toml is not TOML/],
    ['a misspelt key', 'session = ["logs/"]', /"session" is no key of lakelog\.toml/],
    ['a misspelt table', '[lakelog]\nsessions = ["logs/"]', /"lakelog" is no key/],
    ['a number', 'sessions = 5', /"sessions" must be a path or a list of paths/],
    ['a list of numbers', 'replay_runs = ["a", 5]', /"replay_runs" must be a path or a list of paths/],
    ['a table', '[sessions]\npath = "a"', /"sessions" must be a path/],
  ])('%s', async (_, toml, message) => {
    await expect(choose({ files: ['lakelog.toml', 'sessions.jsonl'], toml })).rejects.toMatchObject({
      name: 'LakelogError',
      message: expect.stringMatching(message),
      where: expect.stringMatching(/lakelog\.toml:1$/),
      next: expect.stringMatching(/\S/),
      exitCode: 2,
    });
  });

  test('one that cannot be read', async () => {
    const cwd = tempFolder();
    mkdirSync(path.join(cwd, 'lakelog.toml'));
    await expect(readPolicy(cwd)).rejects.toMatchObject({
      message: expect.stringMatching(/lakelog\.toml/),
      where: path.join(cwd, 'lakelog.toml'),
      exitCode: 2,
    });
  });

  test('even where something else names the inputs: it says more than that', async () => {
    await expect(choose({ env, files: ['lakelog.toml'], toml: 'sessions = [' })).rejects.toMatchObject({
      exitCode: 2,
    });
  });
});
