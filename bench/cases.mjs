/**
 * What is measured, as data. A new case is an entry of this list.
 *
 * - `sizes`: of its log, unless `--size` names others; `fixed`: whatever `--size` says; none: no log
 * - `form`: how its log differs from the plain one, see data.mjs; `name` is that of its folder
 * - `ours`: arguments of lakelog; `piped`: the sessions come on stdin
 * - `rivals`: names from rivals.mjs, or `{ name, ours, check, exit = 0 }` for lakelog doing something else, with
 *   `plain()` the log without its form; `rivalsRead`: what they read instead of the sessions' path
 * - `question`: what their files in rivals/sql, rivals/clickhouse and rivals/jq are called; `slurps`: jq reads all lines
 *   in one go; `reads`: the files that jq is given
 * - `agree`: columns that all must answer alike, in any order of rows; `rows` turns an answer that is no list of rows
 *   into one; `check` compares the account of ours and of `before` with what was generated, and says what is wrong;
 *   `exit`: the code with which both must end
 * - `hosts`: its log is one of each of several hosts, see hosts.mjs; `lake`: the form of the folder lake of them that is
 *   asked, see folder.mjs; `env`: of lakelog and its rivals
 * - `made`: what agrees is what stands in the Parquet files that each of them made, and not what it prints
 * - `planted`: first run on a log with violations, where all must find the same ones
 * - `goals`: see goals.mjs
 */
import { rmSync, statSync } from 'node:fs';
import {
  cacheOf,
  empty,
  folderOf,
  forget,
  prepareFile,
  prepareFolder,
  publishFile,
  publishLogs,
} from './folder.mjs';
import { cpu, peak, seconds, share, wall } from './goals.mjs';
import { appendNew, lakeOf, prepareLake } from './lake.mjs';

const ALL = ['before', 'script', 'jq', 'python-duckdb', 'chdb'];
const SESSIONS = ['sessions'];
const BOTH = ['sessions', 'replays'];
const SHORT = { sizes: ['100-calls'], fixed: true };
const SIZED = { sizes: ['10MB', '1GB'] };
const gate = { check: gateAccount, exit: gateExit };
const byModel = [
  ...['model', 'response_model', 'provider', 'kind', 'daemon', 'environment', 'prompt_version'],
  ...['validator_version', 'month', 'week', 'day', 'hour'],
].flatMap((name) => ['-p', `by_${name}=${name === 'model'}`]);
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
    ours: () => ['--version'],
    rivals: ['node'],
    goals: [wall('node', 1.2)],
  },
  {
    name: 'help',
    ours: () => ['--help'],
    rivals: ['node'],
    goals: [wall('node', 1.2)],
  },
  {
    name: 'alarm-100',
    ...SHORT,
    ours: (log) => ['alarm', '--json', log.sessions],
    rivals: ['node', 'before', 'bare', 'script', 'scan'],
    question: 'alarm',
    ...gate,
    goals: [wall('bare', 1.35)],
  },
  {
    name: 'query-100',
    ...SHORT,
    ours: asQuery,
    rivals: [{ name: 'question', ours: asQuestion }, 'script'],
    question: 'first-shot-rate',
    agree: ['model', 'answered', 'first_shots'],
    goals: [wall('question', 1.3)],
  },
  {
    name: 'alarm',
    sizes: ['10MB', '1GB', '5GB'],
    ours: (log) => ['alarm', '--json', log.sessions],
    rivals: ['before', 'script', 'scan', 'jq', 'python-duckdb', 'chdb'],
    question: 'alarm',
    reads: SESSIONS,
    agree: ['session_id', 'reason'],
    planted: true,
    ...gate,
    goals: [
      wall('script', 0.65, '10MB'),
      wall('script', 1.15, '1GB'),
      wall('scan', 1.6, '1GB'),
      cpu('before', 0.6, '1GB'),
      peak(400, '1GB'),
      wall('script', 1.4, '5GB'),
      peak(850, '5GB'),
    ],
  },
  {
    name: 'first-shot-rate',
    ...SIZED,
    ours: asQuestion,
    rivals: ALL,
    question: 'first-shot-rate',
    reads: SESSIONS,
    slurps: true,
    agree: ['model', 'calls', 'answered', 'first_shots'],
    goals: [wall('script', 1.2, '1GB'), wall('chdb', 1, '1GB')],
  },
  {
    name: 'first-shot',
    ...SIZED,
    ours: (log) => ['first-shot', '--json', log.sessions, log.replays],
    rivals: ALL,
    question: 'first-shot',
    reads: BOTH,
    slurps: true,
    agree: ['session_id', 'calls', 'replay_runs'],
    goals: [wall('script', 1.5, '1GB')],
  },
  {
    name: 'triple-rejections',
    ...SIZED,
    ours: (log) => ['triple-rejections', '--json', log.sessions],
    rivals: ALL,
    question: 'triple-rejections',
    reads: SESSIONS,
    agree: ['session_id', 'iterations', 'final_verdict', 'run_length'],
    goals: [wall('script', 1.2, '1GB'), wall('chdb', 1, '1GB')],
  },
  {
    name: 'rejections',
    ...SIZED,
    ours: (log) => ['rejections', '--json', log.sessions],
    rivals: ALL,
    question: 'rejections',
    reads: SESSIONS,
    slurps: true,
    agree: ['model', 'reason_shape', 'rejections'],
    goals: [wall('script', 1.6, '1GB')],
  },
  {
    name: 'corpus',
    ...SIZED,
    ours: (log) => ['corpus', '--json', log.sessions, log.replays],
    rivals: ALL,
    question: 'corpus',
    reads: BOTH,
    slurps: true,
    agree: ['model', 'documents', 'calls', 'answered', 'first_shots'],
    goals: [wall('script', 1.2, '1GB'), wall('chdb', 1, '1GB')],
  },
  {
    name: 'query',
    ...SIZED,
    ours: asQuery,
    rivals: [{ name: 'question', ours: asQuestion }, 'script'],
    question: 'first-shot-rate',
    agree: ['model', 'calls', 'answered', 'first_shots'],
    goals: [wall('question', 1.3)],
  },
  {
    name: 'validate',
    ...SIZED,
    ours: (log) => ['validate', '--json', log.sessions, log.replays],
    rivals: ['before', 'script', 'jq'],
    question: 'validate',
    reads: BOTH,
    slurps: true,
    agree: ['what', 'records'],
    rows: {
      lakelog: recordsLoaded,
      before: recordsLoaded,
    },
    goals: [],
  },
  {
    name: 'show',
    ...SIZED,
    ours: (log) => ['show', log.sample, '--json', log.sessions, log.replays],
    rivals: ['before', 'script', 'grep', 'jq'],
    question: 'show',
    reads: BOTH,
    agree: ['event'],
    rows: {
      lakelog: ({ events }) => events,
      before: ({ events }) => events,
      grep: (lines) =>
        lines.map(({ schema }) => ({ event: schema === 'replay.run.v1' ? 'replay_run' : 'call' })),
    },
    goals: [wall('script', 1, '1GB')],
  },
  {
    name: 'torn',
    ...SIZED,
    form: { name: 'torn', tornEvery: 10_000 },
    ours: (log) => ['alarm', '--json', '--max-rejects', String(log.torn), log.sessions],
    rivals: ['before', { name: 'clean', ours: (_, plain) => ['alarm', '--json', plain().sessions] }],
    question: 'alarm',
    agree: ['session_id', 'reason'],
    ...gate,
    goals: [wall('clean', 1.1, '1GB')],
  },
  {
    name: 'alarm-gz',
    sizes: ['249MB'],
    form: { name: 'gz', gz: true },
    ours: (log) => ['alarm', '--json', log.sessions],
    rivals: ['before', 'script'],
    question: 'alarm',
    agree: ['session_id', 'reason'],
    planted: true,
    ...gate,
    goals: [cpu('before', 0.5, '249MB')],
  },
  {
    name: 'alarm-stdin',
    sizes: ['249MB'],
    piped: true,
    ours: () => ['alarm', '--json', '-'],
    rivals: ['before', 'script'],
    rivalsRead: () => '/dev/stdin',
    question: 'alarm',
    agree: ['session_id', 'reason'],
    planted: true,
    ...gate,
    goals: [cpu('before', 0.5, '249MB')],
  },
  {
    name: 'all-rejects',
    sizes: ['1GB'],
    form: { name: 'all-rejects', tornEvery: 1 },
    ours: (log) => ['alarm', '--json', '--max-rejects', String(log.torn), log.sessions],
    rivals: [
      'before',
      {
        name: 'validate',
        ours: (log) => ['validate', '--json', log.sessions],
        exit: 3,
        check: ({ receipt }, log) =>
          receipt.totals.rejected === log.torn ? null : `${receipt.totals.rejected} rejects, not ${log.torn}`,
      },
    ],
    ...gate,
    goals: [peak(400, '1GB')],
  },
  {
    name: 'long-lines',
    sizes: ['60MB'],
    form: { name: 'long-and-null', calls: 5, long: 4, tornEvery: 5, instead: 'null' },
    ours: (log) => ['alarm', '--json', '--max-rejects', String(log.torn), log.sessions],
    rivals: [],
    ...gate,
    goals: [peak(500, '60MB')],
  },
  {
    name: 'star',
    sizes: ['50MB'],
    form: { name: 'long', calls: 4, long: 4 },
    ours: (log) => ['query', '--json', 'SELECT * FROM sessions', log.sessions],
    rivals: [
      {
        name: 'with content',
        ours: (log) => ['query', '--json', '--show-content', 'SELECT * FROM sessions', log.sessions],
        check: ({ rows }) => (rows.every(({ prompt }) => prompt) ? null : 'there is no content in it'),
      },
    ],
    agree: ['session_id', 'iterations', 'final_verdict'],
    check: ({ rows }, log) => (rows.length === log.calls ? null : `${rows.length} rows, not ${log.calls}`),
    goals: [peak(500, '50MB')],
  },
  {
    name: 'small-files',
    sizes: ['20000-calls'],
    form: { name: 'a-file-each', scattered: true },
    ours: (log) => ['alarm', '--json', log.sessions],
    rivals: ['script'],
    rivalsRead: (log) => `${log.sessions}/*.jsonl`,
    question: 'alarm',
    agree: ['session_id', 'reason'],
    ...gate,
    goals: [seconds(10, '20000-calls')],
  },
  {
    name: 'lake-new',
    sizes: ['1GB', '5GB'],
    setup: (log, small) => {
      prepareLake(log);
      prepareLake(small());
    },
    each: (log) => appendNew(log),
    ours: (log) => ['alarm', '--json', '--lake', lakeOf(log).file, lakeOf(log).folder],
    rivals: [
      {
        name: 'small history',
        each: (_, small) => appendNew(small()),
        ours: (_, __, small) => ['alarm', '--json', '--lake', lakeOf(small()).file, lakeOf(small()).folder],
      },
      { name: 'no lake', ours: (log) => ['alarm', '--json', lakeOf(log).folder] },
    ],
    goals: [wall('small history', 1.3, '5GB'), wall('no lake', 0.1, '5GB')],
  },
  {
    name: 'lake-idle',
    sizes: ['1GB', '5GB'],
    setup: (log) => prepareLake(log),
    ours: (log) => ['alarm', '--json', '--lake', lakeOf(log).file],
    rivals: ['node', 'bare'],
    goals: [wall('bare', 1.6, '5GB')],
  },
  ...['alarm', 'first-shot-rate', 'first-shot', 'triple-rejections', 'rejections', 'corpus'].map(
    (question) => ({
      name: `lake-${question}`,
      sizes: ['1GB'],
      setup: (log) => prepareLake(log, 'same'),
      ours: (log) => [question, '--json', '--lake', lakeOf(log, 'same').file],
      rivals: ['script'],
      question,
      goals: [wall('script', 0.4, '1GB')],
    }),
  ),
  {
    name: 'lake-load',
    sizes: ['1GB'],
    setup: (log) => rmSync(`${log.folder}/load.duckdb`, { force: true }),
    each: (log) => rmSync(`${log.folder}/load.duckdb`, { force: true }),
    ours: (log) => ['sync', '--json', '--lake', `${log.folder}/load.duckdb`, log.sessions],
    rivals: ['table'],
    question: 'table',
    share: (log) => statSync(`${log.folder}/load.duckdb`).size / log.bytes,
    goals: [wall('table', 2, '1GB'), peak(900, '1GB'), share(0.15, '1GB')],
  },
  {
    name: 'folder-publish',
    sizes: ['600000-calls'],
    hosts: true,
    setup: (log) => prepareFile(log),
    each: (log) => empty(log, 'lakelog'),
    ours: (log) => publishFile(log),
    rivals: ['before', 'copy-same-files', 'copy-by-day', 'copy-unsorted'],
    made: true,
    agree: ['table', 'rows', 'hash'],
    goals: [wall('copy-same-files', 1.5, '600000-calls')],
  },
  {
    name: 'folder-sync',
    sizes: ['600000-calls'],
    hosts: true,
    each: (log) => empty(log, 'lakelog'),
    ours: (log) => publishLogs(log),
    rivals: ['before'],
    check: ({ receipt }, log) =>
      receipt.calls_loaded === log.calls ? null : `${receipt.calls_loaded} calls, not ${log.calls}`,
    goals: [],
  },
  ...['published', 'merged'].map((lake) => ({
    name: `folder-alarm${lake === 'merged' ? '-merged' : ''}`,
    sizes: ['600000-calls', '2400000-calls'],
    hosts: true,
    lake,
    env: cacheOf,
    setup: (log) => prepareFolder(log, lake),
    ours: (log) => ['alarm', '--json', '--lake', folderOf(log, lake)],
    rivals: [
      'parquet',
      'before',
      {
        name: 'first look',
        each: (log) => forget(log),
        ours: (log) => ['alarm', '--json', '--lake', folderOf(log, lake)],
        ...gate,
      },
    ],
    question: 'alarm',
    agree: ['session_id', 'reason'],
    planted: true,
    ...gate,
    goals: [wall('parquet', 1.3, '600000-calls', '2400000-calls')],
  })),
];

function recordsLoaded({ receipt }) {
  return [
    { what: 'sessions', records: receipt.calls_loaded },
    { what: 'replay_runs', records: receipt.replay_runs_loaded },
  ];
}

function statusOf({ flawed, judged }) {
  if (flawed > 0) return 'fired';
  return judged > 0 ? 'clear' : 'cannot_vouch';
}

function gateExit(log) {
  return { clear: 0, fired: 1, cannot_vouch: 3 }[statusOf(log)];
}

/** A gate that is clear for having read nothing would win every race. */
function gateAccount({ verdict, receipt }, log) {
  const wanted = {
    status: statusOf(log),
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
