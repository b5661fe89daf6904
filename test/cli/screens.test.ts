/**
 * What every command shows on a terminal of 80 and of 120 columns, in test/cli/screens: one file per screen, to be
 * looked at; and its JSON, in test/cli/json. `LAKELOG_NIGHTLY=1 npx vitest run test/cli/screens.test.ts -u` writes them
 * anew: by day one screen of each command is looked at, in one of the widths.
 */
import { appendFileSync, cpSync, existsSync, readdirSync, readFileSync, utimesSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Ajv2020 } from 'ajv/dist/2020.js';
import stringWidth from 'string-width';
import { expect, test, vi } from 'vitest';
import type { Command } from '../../src/commands/command.js';
import { COMMANDS as TABLE } from '../../src/commands/commands.js';
import { SCHEMA_FILES, type SchemaName } from '../../src/commands/schema-names.js';
import { readCatalogue } from '../../src/query/catalogue.js';
import { jsonSchema } from '../../src/schema/json-schema.js';
import {
  byDay,
  call,
  firstByDay,
  newFolder,
  nightly,
  root,
  withoutColour,
  writeLines,
} from '../support/cli.js';
import { calls } from '../support/decision-calls.js';
import { lakelog } from '../support/program.js';
import { type Files, ownGate, put } from './check-world.js';

const NOW = new Date('2026-10-01T12:00:00Z');
const UNGROUNDED = '4e52b80caf3a63acc6a42ea78ed67529';

const ACK = ['ack', UNGROUNDED, '--reason', 'client called, worker replaced', '--author', 'ann', 'alarm'];
const BASELINE = ['ack', '--baseline', '--reason', 'lines of before the repair', '--author', 'ann', 'messy'];

const SYNC = ['sync', '--lake', 'L.duckdb', 'alarm'];
const PUBLISH = ['sync', '--lake', 'L/', '--host', 'web1', 'alarm'];

/** A command as it is called, with its words; `ack list` is one. */
const callsOf = (command: Command): string[] => [
  command.name,
  ...(command.subcommands ?? []).map(({ name }) => `${command.name} ${name}`),
];
const QUESTIONS = readCatalogue(path.join(root, 'queries')).map(({ name }) => name);
const CALLS = [...QUESTIONS, ...TABLE.filter(({ hidden }) => hidden !== true).flatMap(callsOf)];

const ARMS = ['--baseline', 'prompt_version=p1', '--candidate', 'prompt_version=p2'];
const ACK_DRIFT = [
  ...['ack', 'drift:metric=first-shot-rate,change=2026-08-01T00:00:00Z'],
  ...['--reason', 'the cheaper model, ticket 4711', '--author', 'ann', 'arms'],
];

const LONG_CALLS = `SELECT s.session_id, 'long' AS reason, s.file, s.line FROM sessions s
  WHERE s.duration_ms > 15000 ORDER BY s.file, s.line`;

/** Arguments by the name of the screen. */
const SCREENS: Readonly<Record<string, readonly string[]>> = {
  nothing: [],
  help: ['--help'],
  ...Object.fromEntries(
    CALLS.map((name) => [`help-${name.replace(' ', '-')}`, [...name.split(' '), '--help']]),
  ),
  'alarm-clear': ['alarm', 'healthy'],
  'alarm-fired': ['alarm', 'alarm'],
  'alarm-cannot-vouch': ['alarm', 'messy'],
  'alarm-missing-input': ['alarm', 'gone.jsonl'],
  'alarm-allowed': ['alarm', 'messy', '--allow-unjudged', '--max-rejects', '99'],
  check: ['check', 'alarm', '--queries', 'queries'],
  'check-clear': ['check', 'healthy', '--queries', 'queries', '--max-age', '7d'],
  'check-policy': ['check', 'messy'],
  config: ['config', '--max-age', '26h'],
  'first-shot-rate': ['first-shot-rate', 'healthy'],
  'first-shot-rate-groups': [
    'first-shot-rate',
    'healthy',
    '--by',
    'kind',
    '--by',
    'provider',
    '--by',
    'model',
  ],
  'first-shot-rate-rejects': ['first-shot-rate', 'messy'],
  'first-shot': ['first-shot', 'alarm'],
  'triple-rejections': ['triple-rejections', 'alarm'],
  corpus: ['corpus', 'alarm'],
  'corpus-without-replays': ['corpus', 'empty', 'healthy/sessions.jsonl'],
  rejections: ['rejections', 'alarm'],
  retries: ['retries', 'healthy'],
  'no-rows': ['triple-rejections', 'alarm', '--streak', '9'],
  validate: ['validate', 'alarm'],
  'validate-rejects': ['validate', 'messy'],
  schema: ['schema'],
  queries: ['queries'],
  'queries-show': ['queries', 'show', 'first-shot'],
  show: ['show', UNGROUNDED.slice(0, 8), 'alarm'],
  'show-content': ['show', UNGROUNDED, 'alarm', '--show-content'],
  'show-unknown': ['show', 'ffffffff', 'alarm'],
  query: [
    'query',
    'SELECT kind, COUNT(*) AS calls, AVG(iterations) AS attempts FROM sessions GROUP BY kind ORDER BY kind',
    'alarm',
  ],
  'query-wide': ['query', 'SELECT * FROM sessions ORDER BY timestamp LIMIT 3', 'alarm'],
  'query-wrong': ['query', 'SELECT modle FROM sessions', 'alarm'],
  ack: ACK,
  'ack-list': ['ack', 'list', 'alarm'],
  'ack-rm': ['ack', 'rm', '1'],
  'ack-prune': ['ack', 'prune', 'healthy'],
  'ack-baseline': BASELINE,
  'alarm-acknowledged': ['alarm', 'alarm'],
  'ack-nothing': ['ack', 'ffffffff', '--reason', 'none', '--author', 'ann', 'alarm'],
  compare: ['compare', ...ARMS, 'arms'],
  'compare-fired': ['compare', ...ARMS, '--not-worse-than', '.05', 'arms'],
  'compare-cannot-vouch': ['compare', ...ARMS, '--not-worse-than', '.10', '--until', '2026-08-02', 'arms'],
  'compare-baseline': ['compare', '--baseline', 'prompt_version=p1', '--save-baseline', 'main.json', 'arms'],
  'compare-nothing': [
    'compare',
    '--baseline',
    'prompt_version=p1',
    '--candidate',
    'prompt_version=p9',
    'arms',
  ],
  'drift-fired': ['drift', 'arms'],
  'drift-since-change': ['drift', '--since-change', 'prompt_version', 'arms'],
  'drift-clear': ['drift', '--kind', 'email', '--margin', '.15', 'arms'],
  'drift-cannot-vouch': ['drift', '--kind', 'email', 'arms'],
  'drift-acknowledged': ['drift', 'arms'],
  'ack-drift': ACK_DRIFT,
  'ack-line': ['ack', 'messy/sessions.jsonl:3', ...ACK.slice(2, 6), '--expires', '30d', 'messy'],
  'ack-list-nothing': ['ack', 'list', 'alarm'],
  'ack-prune-nothing': ['ack', 'prune', 'alarm'],
  report: ['report', '-o', 'r.html', '-o', 'r.md', 'alarm'],
  'report-cannot-vouch': ['report', '-o', 'r.html', 'alarm', 'gone.jsonl'],
  'report-nothing': ['report', 'alarm'],
  'report-over-log': ['report', '-o', 'notes.md', 'notes.md'],
  sync: SYNC,
  'sync-again': SYNC,
  'sync-rejects': ['sync', '--lake', 'L.duckdb', 'messy'],
  'sync-missing-input': ['sync', '--lake', 'L.duckdb', 'gone.jsonl'],
  lake: ['lake'],
  'lake-info': ['lake', 'info', '--lake', 'L.duckdb'],
  'lake-missing': ['lake', 'info', '--lake', 'L.duckdb'],
  'lake-verify': ['lake', 'verify', '--lake', 'L.duckdb'],
  'folder-sync': PUBLISH,
  'folder-compact': ['lake', 'compact', '--lake', 'L/'],
  'alarm-lake': ['alarm', '--lake', 'L.duckdb', 'alarm'],
  'completion-nothing': ['completion'],
  'error-option': ['alarm', '--frob'],
  'error-command': ['alrm'],
  'error-value': ['alarm', '--since', 'yesterday'],
};

/** What was run before, in the same folder. */
const BEFORE: Readonly<Record<string, readonly string[]>> = {
  'ack-list': ACK,
  'ack-rm': ACK,
  'ack-prune': ACK,
  'alarm-acknowledged': ACK,
  'drift-acknowledged': ACK_DRIFT,
  'sync-again': SYNC,
  'lake-info': SYNC,
  'lake-verify': SYNC,
  'folder-info': PUBLISH,
  'folder-verify': PUBLISH,
  'folder-compact': PUBLISH,
  'alarm-lake': SYNC,
};

const arm = (prompt_version: string, start: string, [fill, email]: readonly [number, number]) => [
  ...calls({ n: 1_200, x: fill, kind: 'fill', prompt_version, start }),
  ...calls({ n: 400, x: email, kind: 'email', prompt_version, start, perDay: 13 }),
];
/** Made once, so that its names are the same in every screen. */
const TWO_ARMS = [
  ...arm('p1', '2026-07-01T00:00:00Z', [900, 280]),
  ...arm('p2', '2026-08-01T00:00:00Z', [600, 280]),
].sort((a, b) => (JSON.parse(a).timestamp < JSON.parse(b).timestamp ? -1 : 1));

const OWN_GATE = ownGate({ fires: 'long', select: LONG_CALLS });
const POLICY = `queries = ["queries"]
max_rejects = 3
max_age = "26h"

[gates.alarm]
params = { allow_unjudged = true }

[gates.long-calls]
level = "warn"

[gates.alram]
level = "warn"

[[compare]]
name = "models"
baseline = "model=gpt-4.1-mini"
candidate = "model=claude-sonnet-4-5"
undecided = "warn"
`;

/** What lies in the folder beside the fixtures. */
const FILES: Readonly<Record<string, Files>> = {
  check: { 'queries/long-calls.sql': OWN_GATE },
  'check-clear': { 'queries/long-calls.sql': OWN_GATE },
  'check-policy': { 'queries/long-calls.sql': OWN_GATE, 'lakelog.toml': POLICY },
  config: { 'queries/long-calls.sql': OWN_GATE, 'lakelog.toml': POLICY },
  'report-over-log': { 'notes.md': [call({ session_id: 'in-the-log' })] },
};

/** Calls of which no screen or no JSON is kept, and why. */
const NO_SCREEN: Readonly<Record<string, string>> = {
  completion:
    'its script is a file of the package, which test/cli/completion.test.ts compares and tries in shells',
};
const NO_JSON: Readonly<Record<string, string>> = {};

/**
 * The fixtures by themselves, as old as their records, so that nothing depends on when they were checked out.
 * @param args those that are named are there.
 */
function fixtures(args: readonly string[]): string {
  const folder = newFolder();
  const isNamed = (name: string) => args.some((arg) => arg === name || arg.startsWith(`${name}/`));
  for (const name of ['alarm', 'empty', 'healthy', 'messy'].filter(isNamed)) {
    cpSync(path.join(root, 'fixtures', name), path.join(folder, name), { recursive: true });
    for (const file of readdirSync(path.join(folder, name))) {
      utimesSync(path.join(folder, name, file), NOW, new Date('2026-09-30T00:00:00Z'));
    }
  }
  if (!isNamed('arms')) return folder;
  writeLines(folder, 'arms/sessions.jsonl', TWO_ARMS);
  utimesSync(path.join(folder, 'arms/sessions.jsonl'), NOW, new Date('2026-09-30T00:00:00Z'));
  return folder;
}

type Screen = { readonly code: number | null; readonly text: string };
const plainScreens = new Map<string, Promise<Screen>>();

/** The screen without colour; several tests look at it, and it is the same for all. */
function plainScreen(name: string, columns: number): Promise<Screen> {
  const key = `${columns} ${name}`;
  const screen = plainScreens.get(key) ?? screenOf(name, columns, { NO_COLOR: '1' });
  plainScreens.set(key, screen);
  return screen;
}

async function screenOf(name: string, columns: number, env: Record<string, string>): Promise<Screen> {
  const cwd = fixtures([...SCREENS[name]!, ...(BEFORE[name] ?? [])]);
  put(cwd, FILES[name] ?? {});
  const now = () => NOW;
  if (BEFORE[name]) await lakelog(BEFORE[name], { cwd, now });
  let text = '';
  const screen = {
    columns,
    write: (part: string) => {
      text += part;
    },
  };
  const { code } = await lakelog(SCREENS[name]!, { cwd, env, screen, now });
  // Progress of a slow run is gone when it ends.
  return { code, text: text.replace(/[^\n]*\r\x1b\[2K/g, '').replaceAll(cwd, '/cwd') };
}

/** What another version prints otherwise, and a lake of another engine. */
const withoutVersions = (text: string) =>
  text
    .replace(/^(query +\S+) [0-9a-f]{12}, lakelog \S+/gm, '$1 0123456789ab, lakelog 0.0.0')
    .replace(/^(made by +lakelog) [^,]+/gm, '$1 0.0.0')
    .replace(/^(lake +\S+), [\d.]+ MB/gm, '$1, 1.0 MB');

/** What is there to be copied stays on one line: a command, the SQL of a file, what a model wrote. */
function mayBeWide(line: string, name: string): boolean {
  return /^ *((→ )?lakelog |→ next: |│ )/.test(line) || ['queries-show', 'lake-info'].includes(name);
}

const WIDTHS = [80, 120] as const;
const ruleOf = (columns: number) => `${columns} ${'='.repeat(columns - String(columns).length - 1)}\n`;

/** The screen in one width as the file of it has it. */
async function shownIn(columns: number, name: string): Promise<string> {
  const { code, text } = await plainScreen(name, columns);
  const wide = text.split('\n').filter((line) => stringWidth(line) > columns && !mayBeWide(line, name));
  expect(wide, `wider than ${columns}`).toEqual([]);
  const typed = ['lakelog', ...SCREENS[name]!.map((word) => (/[\s*]/.test(word) ? `'${word}'` : word))];
  return `${ruleOf(columns)}$ ${typed.join(' ')}\n${withoutVersions(text)}[exit ${code}]\n`;
}

/** The screen in one width as it is kept. */
function keptIn(columns: number, name: string): string | undefined {
  const file = path.join(import.meta.dirname, 'screens', `${name}.txt`);
  if (!existsSync(file)) return undefined;
  const kept = readFileSync(file, 'utf8');
  const second = kept.indexOf(`\n${ruleOf(120)}`) + 1;
  return columns === 80 ? kept.slice(0, second - 1) : kept.slice(second);
}

/** The last of the commands that it begins with: `ack list` is no `ack`. */
const calledBy = (args: readonly string[]) =>
  CALLS.filter((name) => ` ${args.join(' ')} `.startsWith(` ${name} `)).at(-1);

const isHelp = (name: string) => SCREENS[name]!.includes('--help');
const names = Object.keys(SCREENS);
/** What a gate shows besides that it is clear, and what is no answer. */
const OUTCOMES = ['alarm-fired', 'alarm-cannot-vouch', 'error-option'];
/** The help of a command is laid out by one function, and what it says is what test/cli/help.test.ts is about. */
const looked = [
  ...byDay(names.filter(isHelp), 8),
  ...firstByDay(
    names.filter((name) => !isHelp(name)),
    (name) => (OUTCOMES.includes(name) ? name : calledBy(SCREENS[name]!)),
  ),
];
const screens = looked.map((name, i) => [name, WIDTHS[i % 2]!] as const);

test.each(screens)('%s', async (name, columns) => {
  // What is not as it is kept is shown in both widths.
  if (!nightly && (await shownIn(columns, name)) === keptIn(columns, name)) return;
  const shown: string[] = [];
  for (const one of WIDTHS) shown.push(await shownIn(one, name));
  await expect(shown.join('\n')).toMatchFileSnapshot(`screens/${name}.txt`);
});

const SLOW = [
  ...['compare-baseline', 'alarm-fired', 'validate-rejects', 'check', 'sync'],
  ...['show', 'query', 'first-shot-rate', 'drift-fired', 'ack-line', 'report'],
];

test.each(byDay(SLOW, 4))('%s: progress of a slow run is gone before it says anything', async (name) => {
  const plain = await plainScreen(name, 80);
  let time = Date.now();
  const clock = vi.spyOn(Date, 'now').mockImplementation(() => {
    time += 1_000;
    return time;
  });
  try {
    expect((await screenOf(name, 80, { NO_COLOR: '1' })).text).toBe(plain.text);
  } finally {
    clock.mockRestore();
  }
});

const COLOURED = [
  ...['alarm-fired', 'first-shot-rate', 'show', 'query-wide'],
  ...['alarm-cannot-vouch', 'corpus', 'validate-rejects', 'compare-fired', 'drift-fired'],
];

test.each(byDay(COLOURED, 5))('%s: colour adds nothing but colour', async (name) => {
  for (const columns of byDay([80, 40, 120], 3)) {
    const plain = await plainScreen(name, columns);
    const colored = await screenOf(name, columns, { TERM: 'xterm-256color' });
    expect(colored.text).not.toBe(plain.text);
    expect(withoutColour(colored.text)).toBe(plain.text);
  }
});

test.each(byDay(Object.entries(SCREENS), 32))('%s: all ASCII where the locale is not UTF-8', async (name) => {
  if (name === 'queries-show') return;
  const { text } = await screenOf(name, 80, { NO_COLOR: '1', LC_ALL: 'C', LANG: 'en_US.UTF-8' });
  expect(text).toMatch(/^[\n -~]*$/);
});

/** Arguments by the name of the golden, and the published schema that it fits. */
const JSONS: Readonly<Record<string, readonly [SchemaName, ...string[]]>> = {
  ...Object.fromEntries(QUESTIONS.map((name) => [name, ['result', name, '--json', 'alarm']])),
  'alarm-cannot-vouch': ['result', 'alarm', '--json', 'messy'],
  'alarm-lake': ['result', 'alarm', '--lake', 'L.duckdb', 'alarm', '--json'],
  'error-option': ['error', 'alarm', '--json', '--frob'],
  retries: ['result', 'retries', '--json', 'healthy'],
  query: [
    'result',
    'query',
    'SELECT kind, COUNT(*) AS n FROM sessions GROUP BY kind ORDER BY kind',
    'alarm',
    '--json',
  ],
  validate: ['result', 'validate', '--json', 'messy'],
  sync: ['result', ...SYNC, '--json'] as [SchemaName, ...string[]],
  compare: ['result', 'compare', ...ARMS, '--json', 'arms'],
  drift: ['result', 'drift', '--json', 'arms'],
  show: ['story', 'show', UNGROUNDED, '--json', 'alarm'],
  check: ['check', 'check', '--json', 'alarm', '--queries', 'queries'],
  config: ['config', 'config', '--json', '--max-age', '26h'],
  'ack-list': ['acks', 'ack', 'list', '--json', 'alarm'],
  'lake-info': ['lake', 'lake', 'info', '--lake', 'L.duckdb', '--json'],
  'lake-verify': ['verify', 'lake', 'verify', '--lake', 'L.duckdb', '--json'],
  'folder-compact': ['compact', 'lake', 'compact', '--lake', 'L/', '--json'],
  'folder-info': ['lake', 'lake', 'info', '--lake', 'L/', '--json'],
  'folder-verify': ['verify', 'lake', 'verify', '--lake', 'L/', '--host', 'web1', '--json'],
  queries: ['queries', 'queries', '--json'],
};

const ajv = new Ajv2020({ strict: true, allowUnionTypes: true });

/** A document as it is kept, one line per value, where it fits its schema. */
function kept(text: string, schema: SchemaName, cwd: string): string {
  const plain = text.replaceAll(cwd, '/cwd').replaceAll(root, '/lakelog');
  const documents = plain
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  const isValid = ajv.getSchema(schema) ?? ajv.addSchema(jsonSchema(schema), schema).getSchema(schema)!;
  for (const one of documents) expect(isValid(one), JSON.stringify(isValid.errors)).toBe(true);
  const steady = (key: string, value: unknown) => (value === null ? value : (VARYING[key] ?? value));
  const all = documents.map((one) => ('made_by' in one || 'files' in one ? { ...one, bytes: 1 } : one));
  return all.map((one) => `${JSON.stringify(one, steady, 2)}\n`).join('');
}

/** Another version says these otherwise, as another engine the size of a lake. */
const VARYING: Readonly<Record<string, string>> = {
  lakelog: '0.0.0',
  made_by: '0.0.0',
  lake_id: '0'.repeat(32),
  query_sha256: '0'.repeat(64),
};

const jsons = firstByDay(Object.entries(JSONS), ([, [schema]]) => schema);

test.each(jsons)('JSON of %s', async (name, [schema, ...args]) => {
  const cwd = fixtures([...args, ...(BEFORE[name] ?? [])]);
  put(cwd, FILES[name] ?? {});
  const now = () => NOW;
  if (BEFORE[name]) await lakelog(BEFORE[name], { cwd, now });
  const { stdout, stderr } = await lakelog(args, { cwd, now });
  await expect(kept(schema === 'error' ? stderr : stdout, schema, cwd)).toMatchFileSnapshot(
    `json/${name}.json`,
  );
});

test('watch: a line per call as it comes, and its JSON', async () => {
  const [narrow, wide, ascii, json] = await Promise.all([
    watched(80, { NO_COLOR: '1' }),
    watched(120, { NO_COLOR: '1' }),
    watched(80, { NO_COLOR: '1', LC_ALL: 'C' }),
    watched(80, { NO_COLOR: '1' }, '--json'),
  ]);
  const shown = [narrow, wide].map(({ columns, text, code }) => {
    expect(text.split('\n').filter((line) => stringWidth(line) > columns)).toEqual([]);
    return `${ruleOf(columns)}$ lakelog watch logs/live.jsonl\n${text}[exit ${code}]\n`;
  });
  await expect(shown.join('\n')).toMatchFileSnapshot('screens/watch.txt');
  expect(ascii.text).toMatch(/^[\n -~]*$/);
  await expect(kept(json.stdout, 'watch', json.cwd)).toMatchFileSnapshot('json/watch.json');
});

/** What comes while it is watched; whoever looks leaves when he has seen it. */
async function watched(columns: number, env: Record<string, string>, ...flags: string[]) {
  const cwd = newFolder();
  const log = writeLines(cwd, 'logs/live.jsonl', [call({ session_id: 'of-before' })]);
  let [text, hasLeft] = ['', false];
  const screen = {
    columns,
    write: (part: string) => {
      text += part;
    },
    get hasLeft() {
      return hasLeft;
    },
  };
  const until = async (wanted: string) => {
    for (let waits = 0; !text.includes(wanted); waits++) {
      if (waits > 1_000) throw new Error(`waited in vain for ${wanted}: ${text}`);
      await sleep(20);
    }
  };
  const running = lakelog(['watch', 'logs/live.jsonl', ...flags], { cwd, env, screen, now: () => NOW });
  await until('Ctrl-C ends it');
  appendFileSync(log, COMING.map((line) => `${line}\n`).join(''));
  await until('torn write');
  hasLeft = true;
  const { code, stdout } = await running;
  return { columns, text, code, stdout, cwd };
}

const at = (n: number) => ({ session_id: String(n).repeat(32), timestamp: `2026-10-01T11:5${n}:00Z` });
const COMING = [
  call({ ...at(1), call_id: 'c1' }),
  call({ ...at(2), kind: 'email', iterations: 3, model: 'claude-sonnet-4-5', grounded_in_roster: null }),
  call({ ...at(3), grounded_in_roster: false }),
  call({ ...at(4), final_verdict: 'max_iter_exhausted', iterations: 3, grounded_in_roster: null }),
  call({
    ...at(5),
    final_verdict: 'infra_error',
    error: 'upstream: 529 \u001b[31moverloaded',
    model: 'a-model-with-a-rather-long-name-2026-09-01-preview',
  }),
  '{"schema":"session.iterate.v1",',
];

test('every command has screens of both widths and JSON that fits a published schema, or a reason why not', () => {
  const shown = new Set(
    Object.values(SCREENS)
      .filter((args) => !args.includes('--help'))
      .map(calledBy),
  ).add('watch');
  const told = new Set(Object.values(JSONS).map(([, ...args]) => calledBy(args))).add('watch');
  const has = (name: string) => {
    const [first, second] = name.split(' ');
    const top = TABLE.find((one) => one.name === first);
    const command = top?.subcommands?.find((one) => one.name === second) ?? top;
    return command?.options().some(({ options }) => options.some(({ long }) => long === '--json')) ?? true;
  };
  expect(CALLS.filter((name) => !shown.has(name) && NO_SCREEN[name] === undefined)).toEqual([]);
  expect(CALLS.filter((name) => has(name) && !told.has(name) && NO_JSON[name] === undefined)).toEqual([]);
  expect(CALLS.length).toBeGreaterThan(20);
  for (const schema of Object.values(JSONS).map(([name]) => name))
    expect(SCHEMA_FILES).toHaveProperty(schema);
});

test('JSON is what it is in every locale', async () => {
  const asked = [
    ['corpus', 'healthy', '--json'],
    ['queries', '--json'],
    ['ack', 'list', '--json', 'alarm'],
  ];
  for (const args of byDay(asked, 3)) {
    const cwd = fixtures(args);
    const [one, other] = [
      await lakelog(args, { cwd, now: () => NOW }),
      await lakelog(args, { cwd, now: () => NOW, env: { LC_ALL: 'C' } }),
    ];
    expect(other.stdout).toBe(one.stdout);
  }
});
