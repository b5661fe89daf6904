/**
 * What is measured, as data. A new case is an entry of this list.
 *
 * - `log`: `none`, `short` (100 calls), or `sized` (each size asked for)
 * - `ours`: arguments of lakelog
 * - `rivals`: names from rivals.mjs, or `{ name, ours }` for lakelog doing something else
 * - `question`: what their files in rivals/sql, rivals/clickhouse and rivals/jq are called; `slurps`: jq reads all lines
 *   in one go; `reads`: the files that jq is given
 * - `agree`: columns that all must answer alike, in any order of rows; `rows` turns an answer that is no list of rows
 *   into one; `check` compares our own account with what was generated, and says what is wrong
 * - `planted`: first run on a log with violations, where all must find the same ones
 * - `goals`: `atMost` × the rival's median, or `peakMB` of ours; `at` one size, or at all
 */
const ALL = ['script', 'jq', 'python-duckdb', 'chdb'];
const SESSIONS = ['sessions'];
const BOTH = ['sessions', 'replays'];
const notSlower = [{ rival: 'script', atMost: 1 }];
const ahead = [
  { rival: 'jq', atMost: 1 },
  { rival: 'chdb', atMost: 1 },
];
const byModel = ['model', 'provider', 'kind', 'daemon', 'environment', 'day'].flatMap((name) => [
  '-p',
  `by_${name}=${name === 'model'}`,
]);
const asQuery = (log) => [
  'query',
  '--json',
  '-f',
  log.query('first-shot-rate'),
  ...byModel,
  '-p',
  'min_n=30',
  log.sessions,
];
const asQuestion = (log) => ['first-shot-rate', '--json', log.sessions];

export const CASES = [
  {
    name: 'version',
    log: 'none',
    ours: () => ['--version'],
    rivals: ['node'],
    goals: [{ rival: 'node', atMost: 1.2 }],
  },
  {
    name: 'help',
    log: 'none',
    ours: () => ['--help'],
    rivals: ['node'],
    goals: [{ rival: 'node', atMost: 1.2 }],
  },
  {
    name: 'alarm-100',
    log: 'short',
    ours: (log) => ['alarm', '--json', log.sessions],
    rivals: ['node', 'bare', 'script', 'scan'],
    question: 'alarm',
    check: gateAccount,
    goals: [{ rival: 'bare', atMost: 1.15 }],
  },
  {
    name: 'query-100',
    log: 'short',
    ours: asQuery,
    rivals: [{ name: 'question', ours: asQuestion }, 'script'],
    question: 'first-shot-rate',
    agree: ['model', 'answered', 'first_shots'],
    goals: [{ rival: 'question', atMost: 1.3 }],
  },
  {
    name: 'alarm',
    log: 'sized',
    ours: (log) => ['alarm', '--json', log.sessions],
    rivals: ['script', 'scan', 'jq', 'python-duckdb', 'chdb'],
    question: 'alarm',
    reads: SESSIONS,
    agree: ['session_id', 'reason'],
    planted: true,
    check: gateAccount,
    goals: [
      ...notSlower,
      { rival: 'scan', atMost: 1.4, at: '1GB' },
      { peakMB: 500, at: '1GB' },
      { peakMB: 1000, at: '5GB' },
      ...ahead,
    ],
  },
  {
    name: 'first-shot-rate',
    log: 'sized',
    ours: asQuestion,
    rivals: ALL,
    question: 'first-shot-rate',
    reads: SESSIONS,
    slurps: true,
    agree: ['model', 'calls', 'answered', 'first_shots'],
    goals: [...notSlower, ...ahead],
  },
  {
    name: 'first-shot',
    log: 'sized',
    ours: (log) => ['first-shot', '--json', log.sessions, log.replays],
    rivals: ALL,
    question: 'first-shot',
    reads: BOTH,
    slurps: true,
    agree: ['session_id', 'calls', 'replay_runs'],
    goals: [...notSlower, ...ahead],
  },
  {
    name: 'triple-rejections',
    log: 'sized',
    ours: (log) => ['triple-rejections', '--json', log.sessions],
    rivals: ALL,
    question: 'triple-rejections',
    reads: SESSIONS,
    agree: ['session_id', 'iterations', 'final_verdict', 'run_length'],
    goals: [...notSlower, ...ahead],
  },
  {
    name: 'rejections',
    log: 'sized',
    ours: (log) => ['rejections', '--json', log.sessions],
    rivals: ALL,
    question: 'rejections',
    reads: SESSIONS,
    slurps: true,
    agree: ['model', 'reason_shape', 'rejections'],
    goals: [...notSlower, ...ahead],
  },
  {
    name: 'corpus',
    log: 'sized',
    ours: (log) => ['corpus', '--json', log.sessions, log.replays],
    rivals: ALL,
    question: 'corpus',
    reads: BOTH,
    slurps: true,
    agree: ['model', 'documents', 'calls', 'answered', 'first_shots'],
    goals: [...notSlower, ...ahead],
  },
  {
    name: 'query',
    log: 'sized',
    ours: asQuery,
    rivals: [{ name: 'question', ours: asQuestion }, 'script'],
    question: 'first-shot-rate',
    agree: ['model', 'calls', 'answered', 'first_shots'],
    goals: [{ rival: 'question', atMost: 1.3 }],
  },
  {
    name: 'validate',
    log: 'sized',
    ours: (log) => ['validate', '--json', log.sessions, log.replays],
    rivals: ['script', 'jq'],
    question: 'validate',
    reads: BOTH,
    slurps: true,
    agree: ['what', 'records'],
    rows: {
      lakelog: ({ receipt }) => [
        { what: 'sessions', records: receipt.calls_loaded },
        { what: 'replay_runs', records: receipt.replay_runs_loaded },
      ],
    },
    goals: [],
  },
  {
    name: 'show',
    log: 'sized',
    ours: (log) => ['show', log.sample, '--json', log.sessions, log.replays],
    rivals: ['script', 'grep', 'jq'],
    question: 'show',
    reads: BOTH,
    agree: ['event'],
    rows: {
      lakelog: ({ events }) => events,
      grep: (lines) =>
        lines.map(({ schema }) => ({ event: schema === 'replay.run.v1' ? 'replay_run' : 'call' })),
    },
    goals: [],
  },
  {
    name: 'torn',
    log: 'sized',
    tornEvery: 10_000,
    ours: (log) => ['alarm', '--json', '--max-rejects', String(log.torn), log.sessions],
    rivals: [{ name: 'clean', ours: (_, clean) => ['alarm', '--json', clean.sessions] }],
    question: 'alarm',
    agree: ['session_id', 'reason'],
    check: gateAccount,
    goals: [{ rival: 'clean', atMost: 1.5 }],
  },
];

/** A gate that is clear for having read nothing would win every race. */
function gateAccount({ verdict, receipt }, log) {
  const wanted = {
    status: log.flawed > 0 ? 'fired' : 'clear',
    judged: log.judged,
    calls: log.calls - log.torn,
    rejected: log.torn,
  };
  const found = {
    status: verdict.status,
    judged: receipt.judged,
    calls: receipt.calls_loaded,
    rejected: receipt.totals.rejected,
  };
  const wrong = Object.keys(wanted).filter((name) => wanted[name] !== found[name]);
  return wrong.map((name) => `${name} is ${found[name]}, not ${wanted[name]}`).join('; ') || null;
}
