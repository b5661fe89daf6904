import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { byDay, envelope, nightly, root, lakelog as spawned } from '../support/cli.js';
import { lakelog as inProcess } from '../support/program.js';

const FIXTURES = path.join(root, 'fixtures');
/** What the binary itself prints in each format is looked at once, and each night everywhere. */
const lakelog: typeof inProcess = nightly ? spawned : inProcess;
const inFixtures = (args: readonly string[]) =>
  (args.slice(0, 3).join() === 'alarm,alarm,--json' ? spawned : lakelog)(args, { cwd: FIXTURES });
const expected = (scenario: string, query: string) =>
  JSON.parse(readFileSync(path.join(FIXTURES, 'expected', scenario, `${query}.json`), 'utf8')) as Record<
    string,
    unknown
  >[];

const ALARM_COLUMNS = ['session_id', 'timestamp', 'daemon', 'kind', 'model', 'reason', 'file', 'line'];
const RATE_COLUMNS = [
  'model',
  'calls',
  'answered',
  'infra_errors',
  'first_shots',
  'first_shot_rate',
  'rate_low',
  'rate_high',
  'acceptance_rate',
  'mean_attempts',
  'small_sample',
];
const ENVELOPE = [
  'format',
  'lakelog',
  'query',
  'title',
  'params',
  'verdict',
  'columns',
  'rows',
  'truncated',
  'receipt',
];
const RECEIPT = [
  'version',
  'query',
  'inputs_from',
  'files',
  'totals',
  'problems',
  'rejects',
  'calls_loaded',
  'replay_runs_loaded',
  'calls_selected',
  'judged',
  'gated_kinds',
  'kinds_not_gated',
  'inconsistent',
  'not_judgeable',
  'conflicts',
  'gaps',
  'unknown_traces',
  'window',
  'newest_record',
  'newest_record_age_s',
  'canary',
  'acknowledged',
  'recomputed',
  'expected',
];
const FILE = [
  'file',
  'bytes',
  'lines',
  'loaded',
  'rejected',
  'duplicates',
  'blank',
  'pending',
  'conflicts',
  'late',
  'newest_record',
];

/** What the fixtures call a file, seen from the fixtures folder. */
const placed = (scenario: string, rows: Record<string, unknown>[]) =>
  rows.map((row) => ('file' in row ? { ...row, file: `${scenario}/${row.file}` } : row));
const near = (rows: readonly Record<string, unknown>[]) =>
  JSON.parse(
    JSON.stringify(rows, (_, value) =>
      typeof value === 'number' && !Number.isInteger(value) ? Number(value.toFixed(11)) : value,
    ),
  );

const questions = [
  ['alarm', 'alarm', ALARM_COLUMNS, 1],
  ['alarm', 'healthy', ALARM_COLUMNS, 0],
  ['first-shot-rate', 'alarm', RATE_COLUMNS, 0],
  ['first-shot-rate', 'healthy', RATE_COLUMNS, 0],
] as const;

describe.each(byDay(questions, 3))('%s on %s', (query, scenario, columns, code) => {
  const rows = placed(scenario, expected(scenario, query));

  test('json: one envelope on one line, its keys in their order', async () => {
    const ran = await inFixtures([query, scenario, '--json']);
    expect(ran.code).toBe(code);
    expect(ran.stdout.match(/\n/g)).toHaveLength(1);
    expect(ran.stdout.endsWith('\n')).toBe(true);
    const answer = envelope(ran);
    expect(Object.keys(answer)).toEqual(ENVELOPE);
    expect(answer.format).toBe('lakelog.result.v1');
    expect(Object.keys(answer.receipt)).toEqual(RECEIPT);
    for (const file of answer.receipt.files) expect(Object.keys(file)).toEqual(FILE);
    expect(Object.keys(answer.receipt.totals)).toEqual(FILE.slice(1));
    expect(answer.columns.map(({ name }) => name)).toEqual(columns);
    for (const column of answer.columns) expect(Object.keys(column)).toEqual(['name', 'type', 'note']);
    expect(near(answer.rows)).toEqual(near(rows));
    if (query === 'alarm') {
      expect(Object.keys(answer.verdict!)).toEqual([
        'status',
        'exit_code',
        'fired',
        'cannot_vouch',
        'notices',
      ]);
      expect(answer.verdict!.exit_code).toBe(code);
      expect(answer.params).toEqual({ gated_kind: ['fill'], allow_unjudged: false });
    } else {
      expect(answer.verdict).toBe(null);
      expect(answer.receipt.canary).toBe(null);
      expect(answer.receipt.judged).toBe(null);
      expect(answer.params).toEqual({ by: ['model'], min_n: 30 });
    }
    expect(await lakelog([query, scenario, '--format', 'json'], { cwd: FIXTURES })).toEqual({
      ...ran,
      stdout: expect.stringContaining('{"format":"lakelog.result.v1"'),
    });
  });

  test('jsonl: a row a line, the rows of the envelope', async () => {
    const ran = await inFixtures([query, scenario, '--format', 'jsonl']);
    expect(ran.code).toBe(code);
    const lines = ran.stdout.split('\n').slice(0, -1);
    expect(near(lines.map((line) => JSON.parse(line) as Record<string, unknown>))).toEqual(near(rows));
    for (const line of lines) expect(Object.keys(JSON.parse(line) as object)).toEqual(columns);
  });

  test('csv: a header and a record a row; numbers are whole', async () => {
    const ran = await inFixtures([query, scenario, '--format', 'csv']);
    expect(ran.code).toBe(code);
    const [header, ...records] = ran.stdout.split('\n').slice(0, -1);
    expect(header).toBe(columns.join(','));
    expect(records).toHaveLength(rows.length);
    for (const [i, record] of records.entries()) {
      const cells = record.split(',');
      expect(cells).toHaveLength(columns.length);
      for (const [j, name] of columns.entries()) {
        const value = rows[i]![name];
        if (typeof value === 'number') expect(Number(cells[j])).toBeCloseTo(value, 11);
        else expect(cells[j]).toBe(value === null ? '' : String(value));
      }
    }
  });

  test('md: a table of the same width in every row', async () => {
    const ran = await inFixtures([query, scenario, '--format', 'md']);
    expect(ran.code).toBe(code);
    const lines = ran.stdout.split('\n').slice(0, -1);
    if (rows.length === 0) return expect(lines).toEqual(['(no rows)']);
    expect(lines).toHaveLength(rows.length + 2);
    expect(lines[1]).toMatch(/^\| (-{3}:?( \| |))+ \|$/);
    // File and line are one column there, a rate and the two ends of its interval another.
    const together = query === 'alarm' ? 1 : 2;
    for (const line of lines) expect(line.split(' | ')).toHaveLength(columns.length - together);
  });

  test('table: a line a row, and no number is cut', async () => {
    const ran = await inFixtures([query, scenario]);
    expect(ran.code).toBe(code);
    const lines = ran.stdout.split('\n').slice(0, -1);
    expect(lines).toHaveLength(rows.length === 0 ? 0 : rows.length + 2);
    for (const [i, row] of rows.entries()) {
      for (const value of Object.values(row)) {
        if (Number.isInteger(value))
          expect(lines[i + 2]).toMatch(new RegExp(`(^|[\\s:])${value}(\\s|$)|${value}(\\.0)? %`));
      }
    }
  });
});

test('groups: several --by, or a list of them, make one group each', async () => {
  const twice = envelope(
    await inFixtures(['first-shot-rate', 'healthy', '--by', 'kind', '--by', 'day', '--json']),
  );
  const list = envelope(await inFixtures(['first-shot-rate', 'healthy', '--by', 'kind,day', '--json']));
  expect(twice.columns.slice(0, 3).map(({ name }) => name)).toEqual(['kind', 'day', 'calls']);
  expect(list.rows).toEqual(twice.rows);
  expect(twice.rows.reduce((sum, row) => sum + Number(row.calls), 0)).toBe(400);
  expect(new Set(twice.rows.map(({ kind, day }) => `${kind} ${day}`)).size).toBe(twice.rows.length);
});

test('a small group is marked, not hidden', async () => {
  const { rows } = envelope(await inFixtures(['first-shot-rate', 'alarm', '--min-n', '15', '--json']));
  const rates = expected('alarm', 'first-shot-rate');
  expect(rows).toHaveLength(rates.length);
  for (const row of rows) expect(row.small_sample).toBe(Number(row.answered) < 15);
});

test('validate lists every reject of the messy scenario in every format', async () => {
  const account = JSON.parse(readFileSync(path.join(FIXTURES, 'expected/messy/accounting.json'), 'utf8')) as {
    rejects: { file: string; line: number; byte_offset: number; reason: string }[];
  };
  const places = account.rejects.map(({ file, line, byte_offset, reason }) => [
    `messy/${file}`,
    line,
    byte_offset,
    reason,
  ]);
  const args = [
    'validate',
    ...['--sessions', 'messy/sessions.jsonl', '--replay-runs', 'messy/replay_runs.jsonl'],
    ...['--pending-grace', '0'],
  ];
  const sorted = (list: unknown[][]) => list.map((place) => place.join(' ')).sort();
  const json = await inFixtures([...args, '--json']);
  expect(json.code).toBe(3);
  expect(
    sorted(
      envelope(json).rows.map(({ file, line, byte_offset, reason }) => [file, line, byte_offset, reason]),
    ),
  ).toEqual(sorted(places));
  const jsonl = await inFixtures([...args, '--format', 'jsonl']);
  expect(jsonl.stdout.match(/\n/g)).toHaveLength(places.length);
  const csv = await inFixtures([...args, '--format', 'csv']);
  expect(csv.stdout.split('\n')[0]).toBe('file,line,byte_offset,reason,detail');
  expect(csv.stdout.match(/\n/g)).toHaveLength(places.length + 1);
  const md = await inFixtures([...args, '--format', 'md']);
  expect(md.stdout.match(/\n/g)).toHaveLength(places.length + 2);
});

const sqlFiles = readdirSync(path.join(root, 'queries')).filter((name) => name.endsWith('.sql'));
const headers = sqlFiles.map((file) => {
  const sql = readFileSync(path.join(root, 'queries', file), 'utf8');
  const all = (key: string) =>
    [...sql.matchAll(new RegExp(`^-- ${key}: *(.*)$`, 'gm'))].map(([, text]) => text!);
  const named = (text: string) => ({ name: text.split(' ')[0]!, note: text.split(' -- ')[1] ?? '' });
  return {
    name: file.replace(/\.sql$/, ''),
    title: all('title')[0]!,
    question: all('question')[0]!,
    gate: all('gate').length > 0,
    params: all('param').map(named),
    columns: all('column')
      .filter((column) => !/^\S+ integer hidden /.test(column))
      .map(named),
  };
});
const words = (text: string) => text.replace(/\s+/g, ' ');

describe('help comes from the header of the query', () => {
  test.each(byDay(headers, 3))('$name', async ({ name, question, gate, params, columns }) => {
    const ran = await lakelog([name, '--help']);
    expect(ran.code).toBe(0);
    expect(ran.stderr).toBe('');
    const help = words(ran.stdout);
    expect(help).toContain(words(question));
    for (const param of params) {
      expect(ran.stdout).toMatch(new RegExp(`^ +--${param.name.replaceAll('_', '-')}\\b`, 'm'));
      expect(help).toContain(words(param.note));
    }
    for (const column of columns) {
      expect(ran.stdout).toMatch(new RegExp(`^ +${column.name}\\b`, 'm'));
      expect(help).toContain(words(column.note));
    }
    for (const option of gate ? ['--min-judged', '--max-rejects', '--max-age', '--quiet'] : ['--strict']) {
      expect(ran.stdout).toContain(option);
    }
    expect(help).toContain('Exit codes');
    expect((await lakelog(['help', name])).stdout).toBe(ran.stdout);
  });

  test('lakelog --help is kept ready, as the program itself would say it', async () => {
    const ready = await spawned(['--help']);
    expect(ready.stdout).toBe(readFileSync(path.join(root, 'dist/help.txt'), 'utf8'));
    expect((await inProcess(['--help'])).stdout).toBe(ready.stdout);
  });

  test('lakelog --help, lakelog help and -h list every command', async () => {
    const ran = await spawned(['--help']);
    expect(ran.code).toBe(0);
    expect(ran.stderr).toBe('');
    for (const { name, title } of headers) {
      expect(ran.stdout).toMatch(new RegExp(`^ +${name}\\b`, 'm'));
      expect(words(ran.stdout)).toContain(words(title));
    }
    for (const name of ['validate', 'schema', 'help'])
      expect(ran.stdout).toMatch(new RegExp(`^ +${name}\\b`, 'm'));
    expect((await lakelog(['help'])).stdout).toBe(ran.stdout);
    expect((await lakelog(['-h'])).stdout).toBe(ran.stdout);
  });

  test.each(['validate', 'schema'])('%s --help', async (name) => {
    const ran = await lakelog([name, '--help']);
    expect(ran.code).toBe(0);
    expect(ran.stderr).toBe('');
    expect(ran.stdout).toContain(`Usage: lakelog ${name}`);
    expect(ran.stdout).toContain('Exit codes');
  });
});

test('--version', async () => {
  const { version } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')) as {
    version: string;
  };
  for (const flag of byDay(['--version', '-V'], 2)) {
    expect(await spawned([flag])).toMatchObject({ code: 0, stdout: `${version}\n`, stderr: '' });
  }
});

describe('schema', () => {
  test('lists every table and column with a sentence', async () => {
    const ran = await lakelog(['schema']);
    expect(ran.code).toBe(0);
    expect(ran.stderr).toBe('');
    const blocks = new Map(ran.stdout.split('\n\n').map((block) => [block.split(':')[0]!, block]));
    expect([...blocks.keys()]).toEqual([
      'sessions',
      'attempts',
      'attempt_reasons',
      'replay_runs',
      'replay_documents',
      'session_replays',
      'traces',
      'rejects',
      'files',
      'params',
    ]);
    for (const name of [
      'trace_id',
      'call_key',
      'file',
      'line',
      'day',
      'answered',
      'first_shot',
      'gated',
      'rejections',
      'longest_rejection_run',
      'longest_failure_run',
      'run_reasons',
      'inconsistent',
      'extra',
    ]) {
      expect(blocks.get('sessions')).toMatch(new RegExp(`^  ${name} +[A-Z\\[\\]]+ +[A-Z]\\S*`, 'm'));
    }
    for (const line of ran.stdout.split('\n')) expect(line.length).toBeLessThanOrEqual(110);
  });

  test.each([
    [
      'session',
      'session.iterate.v1',
      ['schema', 'session_id', 'timestamp', 'kind', 'model', 'iterations', 'final_verdict'],
    ],
    ['replay', 'replay.run.v1', ['schema', 'session_id', 'timestamp', 'run_id']],
  ])('--json %s is the published JSON Schema', async (name, format, required) => {
    const ran = await lakelog(['schema', '--json-schema', name]);
    expect(ran.code).toBe(0);
    expect(ran.stderr).toBe('');
    expect(ran.stdout).toBe(readFileSync(path.join(root, `dist/schema/${format}.json`), 'utf8'));
    const schema = JSON.parse(ran.stdout) as {
      $schema: string;
      type: string;
      required: string[];
      properties: Record<string, { description?: string; const?: string }>;
      additionalProperties?: unknown;
    };
    expect(schema.$schema).toMatch(/^https?:\/\/json-schema\.org\/draft/);
    expect(schema.type).toBe('object');
    expect([...schema.required].sort()).toEqual([...required].sort());
    expect(schema.properties.schema!.const).toBe(format);
    expect([undefined, true]).toContainEqual(
      typeof schema.additionalProperties === 'object' ? true : schema.additionalProperties,
    );
    for (const property of Object.values(schema.properties)) expect(property.description).toMatch(/[.…]$/);
  });
});
