import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { beforeAll, describe, expect, test } from 'vitest';
import type { InputRequest } from '../../src/lake/input/index.js';
import { rosterHash } from '../../src/log/index.js';
import * as fields from '../../src/schema/fields.js';
import { REASONS, reasonName } from '../../src/schema/reasons.js';
import { sessionRecord } from '../../src/schema/records.js';
import { withFieldTables } from '../support/field-tables.mjs';
import { ask, asObjects, root, tempFolder } from '../support/lake.js';

const document = readFileSync(path.join(root, 'docs/SESSION_LOG.md'), 'utf8');

/** The code block behind a mark. */
function block(mark: string): string {
  const [, code] = new RegExp(`<!-- ${mark} -->\\n+\`\`\`\\w+\\n([\\s\\S]*?)\n\`\`\``).exec(document) ?? [];
  if (code === undefined) throw new Error(`docs/SESSION_LOG.md has no block marked ${mark}`);
  return code;
}

test('the tables and views are made from src/schema/fields.ts (else: npm run docs)', () => {
  expect(withFieldTables(document, fields)).toBe(document);
});

test('every field and every verdict is named', () => {
  const { SESSION_FIELDS, REPLAY_FIELDS, ATTEMPT_FIELDS, DOCUMENT_FIELDS, ATTEMPT_VERDICTS } = fields;
  for (const { name } of [...SESSION_FIELDS, ...REPLAY_FIELDS, ...ATTEMPT_FIELDS, ...DOCUMENT_FIELDS]) {
    expect(document).toMatch(new RegExp(`\\| (\\*\\*)?${name}(\\*\\*)? \\|`));
  }
  for (const verdict of ATTEMPT_VERDICTS) expect(document).toContain(`\`${verdict}\``);
});

test('every reason of a reject is named', () => {
  const reasons = REASONS.slice(1).map((_, i) => reasonName(i + 1, 'FIELD'));
  expect(reasons).toContain('bad_json');
  for (const reason of reasons) expect(document).toContain(`\`${reason}\``);
});

test('the example is a record, with every required field', () => {
  const example = JSON.parse(block('example'));
  expect(sessionRecord.safeParse(example).error).toBeUndefined();
  expect(example.attempts).toHaveLength(example.iterations);
});

test('the command for the roster hash gives the hash that rosterHash gives', () => {
  const printed = execFileSync('bash', ['-c', block('roster hash')], { encoding: 'utf8' });
  const workers = [
    { id: 'W-2', active: false },
    { id: 'W-1', active: true },
  ];
  expect(rosterHash(workers)).toBe(`sha256:${printed.slice(0, 64)}`);
});

test('links lead to files', () => {
  const links = [...document.matchAll(/\]\(([^)#]+)\)/g)].map((match) => match[1]!);
  expect(links.length).toBeGreaterThan(0);
  for (const link of links) expect(existsSync(path.join(root, 'docs', link)), link).toBe(true);
});

type Row = Record<string, unknown>;

/** Runs SQL as it is written, in a fresh DuckDB whose working folder holds the two raw files. */
async function inPlainDuckDb(folder: string, sql: string): Promise<Row[]> {
  const home = process.cwd();
  process.chdir(folder);
  try {
    const instance = await DuckDBInstance.create(':memory:', { threads: '1' });
    const connection = await instance.connect();
    try {
      await connection.run(block('generated: views'));
      return (await connection.runAndReadAll(sql)).getRowObjectsJson();
    } finally {
      connection.closeSync();
      instance.closeSync();
    }
  } finally {
    process.chdir(home);
  }
}

/** One form for what DuckDB and lakelog write differently: times, and integers that arrive as text. */
function plain(value: unknown): unknown {
  if (typeof value === 'string' && /^\d{4}-\d\d-\d\d[ T]/.test(value)) {
    return new Date(value.replace(' ', 'T').replace(/\+00$/, 'Z')).toISOString();
  }
  return typeof value === 'string' && /^\d{1,15}$/.test(value) ? Number(value) : value;
}

const EXPECTED_COLUMNS: Readonly<Record<string, number>> = {
  alarm: 6,
  'first-shot-rate': 6,
  'first-shot': 5,
  'triple-rejections': 9,
  corpus: 6,
};

function comparedWithSubcommands(folder: () => string): void {
  for (const name of Object.keys(EXPECTED_COLUMNS)) {
    test(`${name} gives what the subcommand gives`, async () => {
      const rows = await inPlainDuckDb(folder(), block(`question: ${name}`));
      const requests: readonly InputRequest[] = [
        { path: path.join(folder(), 'sessions.jsonl'), as: 'sessions' },
        { path: path.join(folder(), 'replay_runs.jsonl'), as: 'replay_runs' },
      ];
      const answer = asObjects(await ask(name, requests)) as Row[];
      const shared = Object.keys(rows[0] ?? answer[0] ?? {});
      const pick = (row: Row) => Object.fromEntries(shared.map((column) => [column, plain(row[column])]));
      expect(rows.map(pick)).toEqual(answer.map(pick));
      for (const column of shared) expect(Object.keys(answer[0]!)).toContain(column);
    });
  }
}

describe.each(['healthy', 'alarm'])('the five questions over fixtures/%s', (scenario) => {
  let folder: string;
  beforeAll(() => {
    folder = tempFolder();
    cpSync(path.join(root, 'fixtures', scenario), folder, { recursive: true });
  });

  test.each(Object.entries(EXPECTED_COLUMNS))('%s runs as written', async (name, columns) => {
    const rows = await inPlainDuckDb(folder, block(`question: ${name}`));
    if (rows.length > 0) expect(Object.keys(rows[0]!)).toHaveLength(columns);
    else expect([scenario, name]).toEqual(['healthy', 'alarm']);
  });

  comparedWithSubcommands(() => folder);
});

describe('what the examples must get right', () => {
  let folder: string;
  const attempts = (codes: string) =>
    [...codes].map((code, i) =>
      code === 'r'
        ? { verdict: 'rejected', reasons: [`reason ${i + 1}`] }
        : { verdict: VERDICTS[code] ?? code },
    );
  const VERDICTS: Record<string, string> = { i: 'infra_error', n: 'no_candidate', a: 'accepted' };
  const session = (id: string, codes: string, changes: Row = {}) => ({
    schema: 'session.iterate.v1',
    session_id: id,
    timestamp: '2026-09-14T08:00:00Z',
    kind: 'fill',
    model: 'm',
    iterations: codes.length,
    final_verdict: codes.endsWith('a') ? 'accepted' : 'max_iter_exhausted',
    attempts: attempts(codes),
    ...(codes.endsWith('a') ? { grounded_in_roster: true } : {}),
    ...changes,
  });
  const run = (id: string, time: string, documents?: unknown) => ({
    schema: 'replay.run.v1',
    session_id: id,
    timestamp: `2026-09-14T${time}:00Z`,
    run_id: 'r',
    documents,
  });

  beforeAll(() => {
    folder = tempFolder();
    const write = (name: string, records: readonly Row[]) =>
      writeFileSync(path.join(folder, name), records.map((record) => `${JSON.stringify(record)}\n`).join(''));
    write('sessions.jsonl', [
      session('run-of-3', 'rrir'),
      session('broken', 'rrnrr'),
      session('two-runs', 'rrrnrrra'),
      session('strange', 'rrxr'),
      session('not-recorded', 'rrr', { attempts: null }),
      session('real', 'a'),
      session('retried', 'a'),
      session('retried', 'ra'),
      session('ungrounded', 'a', { grounded_in_roster: false }),
      session('unjudged', 'a', { grounded_in_roster: null }),
      session('email', 'a', { kind: 'email', grounded_in_roster: null }),
    ]);
    write('replay_runs.jsonl', [
      run('real', '08:00', [{}, {}, {}]),
      run('real', '09:00', []),
      run('retried', '08:00'),
      run('ungrounded', '08:00', Array(11).fill({})),
    ]);
  });

  test('rejections in a row: an infra error does not end a run, anything else does', async () => {
    const rows = await inPlainDuckDb(folder, block('question: triple-rejections'));
    expect(rows.map((row) => [row.session_id, Number(row.run_length), row.reasons])).toEqual([
      ['run-of-3', 3, 'reason 1 | reason 2 | reason 4'],
      ['two-runs', 3, 'reason 1 | reason 2 | reason 3'],
    ]);
  });

  test('a real candidate: every call of the trace a first shot, one grounded, none otherwise', async () => {
    const rows = await inPlainDuckDb(folder, block('question: first-shot'));
    expect(rows.map((row) => [row.session_id, Number(row.replay_runs)])).toEqual([['real', 2]]);
  });

  test('the alarm: false and null alike, of fills only', async () => {
    const rows = await inPlainDuckDb(folder, block('question: alarm'));
    expect(rows.map((row) => [row.session_id, row.reason])).toEqual([
      ['ungrounded', 'ungrounded'],
      ['unjudged', 'unjudged'],
    ]);
  });

  test('the corpus: each call once, by its latest run', async () => {
    const rows = await inPlainDuckDb(folder, block('question: corpus'));
    expect(rows.map((row) => [row.documents, Number(row.calls)])).toEqual([
      ['0', 1],
      ['11+', 1],
      ['not recorded', 2],
      ['no replay run', 7],
    ]);
  });

  comparedWithSubcommands(() => folder);
});
