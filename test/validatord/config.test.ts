import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { LakelogError } from '../../src/errors.js';
import { type Config, parseConfig, readConfig } from '../../src/validatord/config.js';
import { root } from '../support/cli.js';
import { configText, type StageOptions } from './support.js';

const FILE = path.resolve('/etc/lakehouse/validatord.toml');
const MODEL = 'https://models.example/v1/chat/completions';

function config(options: StageOptions = {}, env = {}, url = MODEL): Config {
  return parseConfig(configText(url, options), FILE, env);
}

function failure(run: () => unknown): LakelogError {
  try {
    run();
  } catch (error) {
    if (error instanceof LakelogError) return error;
    throw error;
  }
  throw new Error('nothing was refused');
}

it('fills in what may be left out', () => {
  const text = `[validatord.roster]\npath = "r.csv"\n[validatord.model]\nurl = "${MODEL}"\nname = "m"\n`;
  expect(parseConfig(text, FILE, {})).toEqual({
    file: FILE,
    host: '127.0.0.1',
    port: 8743,
    hosts: ['localhost', '127.0.0.1', '[::1]'],
    metrics: null,
    sessionLogPath: null,
    daemon: 'validatord',
    environment: undefined,
    maxIterations: 3,
    traceContent: false,
    kinds: new Map([['fill', 'fill']]),
    roster: {
      path: path.resolve('/etc/lakehouse/r.csv'),
      idColumn: undefined,
      activeColumn: undefined,
      anyId: false,
      archive: null,
    },
    model: {
      url: new URL(MODEL),
      name: 'm',
      provider: undefined,
      apiKey: undefined,
      systemPrompt: undefined,
    },
    limits: {
      maxBodyBytes: 1_048_576,
      bodyTimeoutMs: 10_000,
      maxAnswerBytes: 4_194_304,
      maxConcurrent: 16,
      maxIterations: 10,
      attemptTimeoutMs: 120_000,
      shutdownGraceMs: 30_000,
    },
  });
});

describe('docs/validatord.example.toml', () => {
  const example = readFileSync(path.join(root, 'docs/validatord.example.toml'), 'utf8');
  const settings = [...example.matchAll(/^# (\w+) = (.*?)(\s+# default: none)?$/gm)];

  it('is a configuration, and says the defaults', () => {
    const { limits, ...asItStands } = parseConfig(example, FILE, {});
    const spelledOut = example.replaceAll(/^# (\w+ = )/gm, '$1');
    const { limits: sameLimits, ...explicit } = parseConfig(spelledOut, FILE, { MODEL_API_KEY: 'k' });
    expect(sameLimits).toEqual(limits);
    const { host, port, daemon, maxIterations, traceContent } = asItStands;
    expect(explicit).toMatchObject({ host, port, daemon, maxIterations, traceContent });
    expect(asItStands.model).toMatchObject({
      provider: undefined,
      apiKey: undefined,
      systemPrompt: undefined,
    });
    expect(asItStands.environment).toBeUndefined();
    expect(asItStands.sessionLogPath).toBe(path.resolve('/var/lib/lakehouse/validator/sessions.jsonl'));
  });

  it('names every key that there is', () => {
    const named = [
      ...settings.map((match) => match[1]),
      ...[...example.matchAll(/^(\w+) = /gm)].map((match) => match[1]),
    ];
    for (const [section, line] of [
      ['', 'top'],
      ['.roster', 'roster'],
      ['.model', 'modelKeys'],
      ['.limits', 'limits'],
    ] as const) {
      const text =
        line === 'roster'
          ? configText(MODEL).replace('[validatord.roster]', '[validatord.roster]\nnot_there = 1')
          : configText(MODEL, { [line]: 'not_there = 1' });
      const { message, next } = failure(() => parseConfig(text, FILE, {}));
      expect(message).toContain(`validatord${section}.not_there: unknown key`);
      const known = / knows (.*)$/.exec(next!)![1]!.split(', ');
      const sections = ['roster', 'model', 'limits', 'kinds'];
      for (const key of known) if (!sections.includes(key)) expect(named).toContain(key);
    }
  });
});

it('takes paths as relative to the file, and other sections as not its own', () => {
  const text = `sessions = ["logs/"]\n${configText(MODEL)}\n[other]\nx = 1\n`;
  expect(parseConfig(text, FILE, {}).sessionLogPath).toBe(path.resolve('/etc/lakehouse/sessions.jsonl'));
  const empty = configText(MODEL).replace('"sessions.jsonl"', '""');
  expect(parseConfig(empty, FILE, {}).sessionLogPath).toBeNull();
  const production = '/var/lib/lakehouse/validator/sessions.jsonl';
  expect(parseConfig(configText(MODEL).replace('sessions.jsonl', production), FILE, {}).sessionLogPath).toBe(
    path.resolve(production),
  );
});

it('knows the names it may be called by, and where the metrics are', () => {
  const { hosts, metrics } = config({ top: 'hosts = ["API.example"]\nmetrics_listen = "0.0.0.0:9743"' });
  expect(hosts).toEqual(['localhost', '127.0.0.1', '[::1]', 'api.example']);
  expect(metrics).toEqual({ host: '0.0.0.0', port: 9743 });
  const other = parseConfig(configText(MODEL).replace('127.0.0.1:0', '127.9.9.9:1'), FILE, {});
  expect(other.hosts).toContain('127.9.9.9');
});

it('an empty status column says that there is none', () => {
  const roster = (line: string) => config({ rosterKeys: line }).roster;
  expect(roster('active_column = ""').activeColumn).toBeNull();
  expect(roster('active_column = "on"\nany_id = true\narchive = "old"')).toMatchObject({
    activeColumn: 'on',
    anyId: true,
    archive: path.resolve('/etc/lakehouse/old'),
  });
});

it('takes the key from the environment', () => {
  expect(config({ modelKeys: 'api_key_env = "KEY"' }, { KEY: 'sk-1' }).model.apiKey).toBe('sk-1');
  const local = config({ modelKeys: 'api_key_env = "KEY"' }, { KEY: 'sk-1' }, 'http://127.0.0.1:1/v1');
  expect(local.model.apiKey).toBe('sk-1');
});

describe('is refused, naming file and key', () => {
  it.each<[string, StageOptions, string]>([
    ['an unknown key', { top: 'session_log = "x"' }, 'validatord.session_log: unknown key'],
    ['an unknown limit', { limits: 'max_body = 1' }, 'validatord.limits.max_body: unknown key'],
    ['a key of a name of Object', { top: 'constructor = 1' }, 'validatord.constructor: unknown key'],
    [
      'text for a number',
      { limits: 'max_concurrent = "3"' },
      'validatord.limits.max_concurrent: not an integer',
    ],
    ['a fraction', { limits: 'max_concurrent = 1.5' }, 'validatord.limits.max_concurrent: not an integer'],
    ['zero', { limits: 'max_concurrent = 0' }, 'validatord.limits.max_concurrent: not an integer from 1'],
    [
      'more tries than the limit',
      { top: 'max_iterations = 11' },
      'validatord.max_iterations: not an integer from 1 to 10',
    ],
    ['a number for text', { top: 'daemon = 5' }, 'validatord.daemon: not a string'],
    ['empty text', { top: 'daemon = ""' }, 'validatord.daemon: empty'],
    [
      'text for a flag',
      { top: 'trace_content = "false"' },
      'validatord.trace_content: neither true nor false',
    ],
    ['an unknown rule', { kinds: 'fill = "none"' }, 'validatord.kinds.fill: not one of fill, json, text'],
    ['a section that is none', { top: 'kinds2 = 1' }, 'validatord.kinds2: unknown key'],
    [
      'a variable that is not set',
      { modelKeys: 'api_key_env = "KEY"' },
      'validatord.model.api_key_env: environment variable KEY is not set',
    ],
  ])('%s', (_, options, message) => {
    const error = failure(() => config(options));
    expect(error.message).toContain(message);
    expect(error).toMatchObject({ where: FILE, exitCode: 2, next: expect.stringMatching(/./) });
  });

  it.each(['', 'models.example', 'file:///etc/passwd', 'ftp://x/'])('the endpoint %j', (url) => {
    expect(failure(() => config({}, {}, url)).message).toMatch(/^validatord\.model\.url: /);
  });

  it('a key that would be seen: in the URL, or over plain http', () => {
    const inUrl = failure(() => config({}, {}, 'https://u:sk-1@models.example/v1'));
    expect(inUrl.message).toContain('validatord.model.url: holds credentials');
    const options = { modelKeys: 'api_key_env = "KEY"' };
    const plain = failure(() => config(options, { KEY: 'sk-1' }, 'http://models.example/v1'));
    expect(plain.message).toContain('over plain http');
    const broken = failure(() => config(options, { KEY: 'sk-1\nx' }));
    expect(broken.message).toContain('cannot stand in a header');
    for (const error of [inUrl, plain, broken]) {
      expect(JSON.stringify([error.message, error.where, error.next])).not.toContain('sk-1');
    }
  });

  it.each(['0.0.0.0:80', '[::]:80', ':80', '192.168.1.4:80', 'example.com:80', '127.0.0.1.example.com:80'])(
    'listening on %s',
    (listen) => {
      const text = configText(MODEL).replace('127.0.0.1:0', listen);
      expect(failure(() => parseConfig(text, FILE, {})).message).toMatch(
        /^validatord\.listen: not a loopback address/,
      );
    },
  );

  it.each(['api.example:80', 'a b', '', 'http://x', '*', '[::1'])('the host name %j', (name) => {
    const top = `hosts = ["fine.example", ${JSON.stringify(name)}]`;
    expect(failure(() => config({ top })).message).toContain(
      'validatord.hosts: not a host name without a port',
    );
  });

  it.each(['9743', ':9743', 'x:99999'])('metrics on %s', (listen) => {
    expect(failure(() => config({ top: `metrics_listen = "${listen}"` })).message).toMatch(
      /^validatord\.metrics_listen: /,
    );
  });

  it.each(['127.0.0.1', '127.0.0.1:70000', '127.0.0.1:x'])('listening on %s, which has no port', (listen) => {
    const text = configText(MODEL).replace('127.0.0.1:0', listen);
    expect(failure(() => parseConfig(text, FILE, {})).message).toMatch(/^validatord\.listen: not host:port/);
  });

  it.each<[string, string]>([
    ['[::1]:80', '::1'],
    ['localhost:80', '127.0.0.1'],
    ['127.8.9.1:80', '127.8.9.1'],
  ])('but not %s', (listen, host) => {
    expect(parseConfig(configText(MODEL).replace('127.0.0.1:0', listen), FILE, {})).toMatchObject({
      host,
      port: 80,
    });
  });

  it.each<[string, string]>([
    ['validatord', ''],
    ['validatord.roster', '[validatord]'],
    ['validatord.roster.path', '[validatord.roster]\n[validatord.model]'],
    ['validatord.model', '[validatord.roster]\npath = "r"'],
    ['validatord.model.name', `[validatord.roster]\npath = "r"\n[validatord.model]\nurl = "${MODEL}"`],
    ['validatord.roster', '[validatord]\nroster = 1'],
  ])('a file without %s', (key, text) => {
    expect(failure(() => parseConfig(text, FILE, {})).message).toMatch(
      new RegExp(`^${key}: (missing|not a section)`),
    );
  });

  it('no TOML, with the line', () => {
    expect(failure(() => parseConfig('[validatord]\nlisten = \n', FILE, {}))).toMatchObject({
      message: expect.stringContaining('not TOML'),
      where: expect.stringMatching(/validatord\.toml:2:\d+$/),
    });
  });

  it('no file', () => {
    expect(failure(() => readConfig('/nowhere/validatord.toml', {}))).toMatchObject({
      where: '/nowhere/validatord.toml',
      message: expect.stringContaining('ENOENT'),
    });
  });
});
