/**
 * What every command shows on a terminal of 80 and of 120 columns, in test/cli/screens: one file per screen, to be
 * looked at. `npx vitest run test/cli/screens.test.ts -u` writes them anew.
 */
import { cpSync, linkSync, mkdirSync, readdirSync, utimesSync } from 'node:fs';
import path from 'node:path';
import stringWidth from 'string-width';
import { expect, test } from 'vitest';
import { newFolder, root, withoutColour, writeLines } from '../support/cli.js';
import { calls } from '../support/decision-calls.js';
import { lakelog } from '../support/program.js';
import { type Files, ownGate, put } from './check-world.js';

const NOW = new Date('2026-10-01T12:00:00Z');
const UNGROUNDED = '4e52b80caf3a63acc6a42ea78ed67529';

const ACK = ['ack', UNGROUNDED, '--reason', 'client called, worker replaced', '--author', 'ann', 'alarm'];
const BASELINE = ['ack', '--baseline', '--reason', 'lines of before the repair', '--author', 'ann', 'messy'];

const COMMANDS = [
  'alarm',
  'check',
  'config',
  'first-shot-rate',
  'first-shot',
  'triple-rejections',
  'corpus',
  'rejections',
  'retries',
  'query',
  'show',
  'ack',
  'validate',
  'queries',
  'schema',
  'compare',
  'drift',
];

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
  ...Object.fromEntries(COMMANDS.map((name) => [`help-${name}`, [name, '--help']])),
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
};

/** The fixtures by themselves, as old as their records, so that nothing depends on when they were checked out. */
const FIXTURES = (() => {
  const folder = newFolder();
  for (const name of ['alarm', 'empty', 'healthy', 'messy']) {
    cpSync(path.join(root, 'fixtures', name), path.join(folder, name), { recursive: true });
    for (const file of readdirSync(path.join(folder, name))) {
      utimesSync(path.join(folder, name, file), NOW, new Date('2026-09-30T00:00:00Z'));
    }
  }
  writeLines(folder, 'arms/sessions.jsonl', TWO_ARMS);
  utimesSync(path.join(folder, 'arms/sessions.jsonl'), NOW, new Date('2026-09-30T00:00:00Z'));
  return folder;
})();

/** The same files, as nobody writes to them, in a folder of its own. */
function fixtures(): string {
  const folder = newFolder();
  for (const entry of readdirSync(FIXTURES, { recursive: true, withFileTypes: true })) {
    const from = path.join(entry.parentPath, entry.name);
    const to = path.join(folder, path.relative(FIXTURES, from));
    if (entry.isDirectory()) mkdirSync(to);
    else linkSync(from, to);
  }
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
  const cwd = fixtures();
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
  return { code, text: text.replace(/[^\n]*\r\x1b\[2K/g, '') };
}

const withoutVersions = (text: string) =>
  text.replace(/^(query +\S+) [0-9a-f]{12}, lakelog \S+/gm, '$1 0123456789ab, lakelog 0.0.0');

/** What is there to be copied stays on one line: a command, the SQL of a file, what a model wrote. */
function mayBeWide(line: string, name: string): boolean {
  return /^ *((→ )?lakelog |→ next: |│ )/.test(line) || name === 'queries-show';
}

test.each(Object.entries(SCREENS))('%s', async (name, args) => {
  const shown: string[] = [];
  for (const columns of [80, 120]) {
    const { code, text } = await plainScreen(name, columns);
    const wide = text.split('\n').filter((line) => stringWidth(line) > columns && !mayBeWide(line, name));
    expect(wide, `wider than ${columns}`).toEqual([]);
    const typed = ['lakelog', ...args.map((word) => (/[\s*]/.test(word) ? `'${word}'` : word))].join(' ');
    const rule = '='.repeat(columns - String(columns).length - 1);
    shown.push(`${columns} ${rule}\n$ ${typed}\n${withoutVersions(text)}[exit ${code}]\n`);
  }
  await expect(shown.join('\n')).toMatchFileSnapshot(`screens/${name}.txt`);
});

test.each([
  'alarm-fired',
  'alarm-cannot-vouch',
  'first-shot-rate',
  'corpus',
  'validate-rejects',
  'show',
  'query-wide',
  'compare-fired',
  'drift-fired',
])('%s: colour adds nothing but colour', async (name) => {
  for (const columns of [40, 80, 120]) {
    const plain = await plainScreen(name, columns);
    const colored = await screenOf(name, columns, { TERM: 'xterm-256color' });
    expect(colored.text).not.toBe(plain.text);
    expect(withoutColour(colored.text)).toBe(plain.text);
  }
});

test.each(Object.entries(SCREENS))('%s: all ASCII where the locale is not UTF-8', async (name) => {
  if (name === 'queries-show') return;
  const { text } = await screenOf(name, 80, { NO_COLOR: '1', LC_ALL: 'C', LANG: 'en_US.UTF-8' });
  expect(text).toMatch(/^[\n -~]*$/);
});

test('JSON is what it is in every locale', async () => {
  for (const args of [
    ['queries', '--json'],
    ['corpus', 'healthy', '--json'],
    ['ack', 'list', '--json', 'alarm'],
  ]) {
    const cwd = fixtures();
    const [one, other] = [
      await lakelog(args, { cwd, now: () => NOW }),
      await lakelog(args, { cwd, now: () => NOW, env: { LC_ALL: 'C' } }),
    ];
    expect(other.stdout).toBe(one.stdout);
  }
});
