import { readFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { BASE_TABLES, type BaseName } from '../../src/lake/tables/base.js';
import { EVERYTHING, type Needs, namesIn, needsOf } from '../../src/lake/tables/needs.js';
import { type LoadPlan, loadPlan } from '../../src/lake/tables/plan.js';
import { publishedTables } from '../../src/lake/tables/published.js';
import { readCatalogue } from '../../src/query/catalogue.js';
import { ATTEMPT_FIELDS, REPLAY_FIELDS, SESSION_FIELDS } from '../../src/schema/fields.js';
import { needsTable } from '../../src/shipped-needs.js';
import { loadLog } from '../oracle/oracle.mjs';
import { randomLogs } from '../oracle/random-logs.mjs';
import { byDay } from '../support/cli.js';
import fc from '../support/fast-check.js';
import { type BaseRows, baseRows, type Value } from '../tables/base-rows.js';
import { type DuckDb, duckDb } from '../tables/engines.js';

const RUNS = process.env.LAKELOG_NIGHTLY === '1' ? 1_000 : 4;
const catalogue = readCatalogue('queries');
const PUBLISHED = publishedTables().filter(({ columns }) => columns.length > 0);
const ALL = 'all';

let duck: DuckDb;
beforeAll(async () => {
  duck = await duckDb();
});
afterAll(() => duck.close());

const namesOf = async (sql: string) => namesIn(await duck.parse(sql));
const sorted = (names: Iterable<string>) => [...names].sort();
const listed = ({ tables, columns }: Needs) => [
  sorted(tables),
  columns === 'all' ? columns : sorted(columns),
];

const readLog = (sessions: Buffer | string, replays: Buffer | string) =>
  loadLog(
    [
      { file: 'sessions.jsonl', bytes: Buffer.from(sessions), as: 'sessions' },
      { file: 'replay_runs.jsonl', bytes: Buffer.from(replays), as: 'replay' },
    ],
    { now: Date.UTC(2026, 9, 1), pendingGraceS: 0 },
  );

function fixture(scenario: string): BaseRows {
  const at = (name: string) => readFileSync(path.join('fixtures', scenario, name));
  return baseRows(readLog(at('sessions.jsonl'), at('replay_runs.jsonl')));
}

/** Tables have no order of their own. */
const unordered = (rows: readonly (readonly Value[])[]) => rows.map((row) => JSON.stringify(row)).sort();

/** Answers where nothing is loaded but what the SQL needs. */
async function narrow(rows: BaseRows, sql: string, showContent = false) {
  await duck.fill(rows, { needs: await namesOf(sql), showContent, params: { word: 'x' } });
  return unordered((await duck.query(sql)).cells);
}

async function wide(rows: BaseRows, queries: readonly string[], showContent = false) {
  await duck.fill(rows, { needs: EVERYTHING, showContent, params: { word: 'x' } });
  const answers: string[][] = [];
  for (const sql of queries) answers.push(unordered((await duck.query(sql)).cells));
  return answers;
}

/** The account alone reads the islands of numbers, and makes them where calls carry some. */
const VIEWED = (Object.keys(BASE_TABLES) as BaseName[]).filter((base) => base !== 'seqs');

describe('tables and columns are found from the parse', () => {
  test.each<[string, string[], string[] | 'all']>([
    ['SELECT model FROM sessions', ['sessions'], ['model']],
    ['SELECT MODEL FROM Sessions', ['sessions'], ['model']],
    ['SELECT "model" FROM "sessions"', ['sessions'], ['model']],
    ['SELECT "MODEL" FROM "SESSIONS"', ['sessions'], ['model']],
    ['SELECT s.model FROM sessions AS s', ['sessions'], ['model']],
    ['SELECT sessions.model FROM sessions', ['sessions'], ['model']],
    ['SELECT main.sessions.model FROM main.sessions', ['sessions'], ['model']],
    ['FROM sessions SELECT model', ['sessions'], ['model']],
    ['SELECT 1 FROM sessions', ['sessions'], []],
    ['SELECT count(*) FROM sessions', ['sessions'], []],
    ['SELECT count(*) FILTER (WHERE kind = $$x$$) FROM sessions', ['sessions'], ['kind']],
    ['SELECT count(*) OVER (PARTITION BY kind ORDER BY line) FROM sessions', ['sessions'], ['kind', 'line']],
    ['SELECT count() FROM sessions', ['sessions'], []],
    ['SELECT -- prompt, * FROM attempts\n model /* raw */ FROM sessions', ['sessions'], ['model']],
    ["SELECT model FROM sessions WHERE kind <> 'it''s /* -- '", ['sessions'], ['kind', 'model']],
    ['SELECT model FROM sessions GROUP BY ALL', ['sessions'], ['model']],
    ['SELECT model.upper() FROM sessions', ['sessions'], ['model']],
    ['SELECT sum(1) OVER w FROM sessions WINDOW w AS (PARTITION BY kind)', ['sessions'], ['kind']],
    ['SELECT 1 FROM sessions GROUP BY GROUPING SETS ((kind), (seq))', ['sessions'], ['kind', 'seq']],
    ['SELECT 1 FROM sessions ORDER BY kind LIMIT 1', ['sessions'], ['kind']],
    ['SELECT 1 FROM sessions GROUP BY day HAVING max(seq) > 1', ['sessions'], ['day', 'seq']],
    ['SELECT 1 FROM sessions QUALIFY row_number() OVER (ORDER BY seq) = 1', ['sessions'], ['seq']],
    ['SELECT DISTINCT ON (kind) model FROM sessions', ['sessions'], ['kind', 'model']],
    ['SELECT CASE WHEN gated THEN call_key END AS x FROM sessions', ['sessions'], ['call_key', 'gated']],
    ["SELECT extra->>'note' FROM sessions", ['sessions'], ['extra']],
    ["SELECT extra['note'] FROM sessions", ['sessions'], ['extra']],
    ['SELECT s.artifact.worker.name FROM sessions s', ['sessions'], ['artifact']],
    ['SELECT list_filter([1], lambda x: x > seq) FROM sessions', ['sessions'], ['seq']],
    ['SELECT [x + seq FOR x IN [1]] FROM sessions', ['sessions'], ['seq']],
    ['SELECT {x: model} FROM sessions', ['sessions'], ['model']],
    [
      'SELECT a.verdict FROM attempts a JOIN sessions s USING (call_key)',
      ['attempts', 'sessions'],
      ['call_key', 'verdict'],
    ],
    [
      'SELECT 1 FROM sessions s ASOF LEFT JOIN replay_runs r ON r.run_id = s.model AND r.timestamp <= s.timestamp',
      ['replay_runs', 'sessions'],
      ['model', 'replay_runs', 'run_id', 'timestamp'],
    ],
    [
      'SELECT 1 FROM sessions WHERE model IN (SELECT kind FROM attempts)',
      ['attempts', 'sessions'],
      ['kind', 'model'],
    ],
    ['SELECT (SELECT max(seq) FROM sessions) FROM params', ['params', 'sessions'], ['seq']],
    ['SELECT 1 FROM traces t, LATERAL (SELECT t.calls + 1) u(n)', ['traces'], ['calls']],
    ['WITH c AS (SELECT model AS m FROM sessions) SELECT m FROM c', ['sessions'], ['model']],
    ['WITH c(m) AS (SELECT model FROM sessions) SELECT m FROM c', ['sessions'], ['model']],
    ['WITH sessions AS (SELECT 1 AS one) SELECT one FROM sessions', ['sessions'], []],
    ['WITH RECURSIVE n AS (SELECT 1 AS x UNION ALL SELECT x + 1 FROM n WHERE x < 3) SELECT x FROM n', [], []],
    [
      'SELECT model FROM sessions UNION ALL BY NAME SELECT kind FROM attempts',
      ['attempts', 'sessions'],
      ['kind', 'model'],
    ],
    ['VALUES (1)', [], ALL],
    ['SELECT t.replay_runs FROM traces t', ['traces'], ['replay_runs']],
    [
      'SELECT run_id FROM replay_runs; SELECT calls FROM traces',
      ['replay_runs', 'traces'],
      ['calls', 'replay_runs', 'run_id'],
    ],
    ['SELECT x FROM range(3) r(x), sessions', ['sessions'], []],
    ['SELECT 1 FROM nowhere', [], []],
    ['SELECT nothing FROM sessions', ['sessions'], []],
    // Columns without their names.
    ['SELECT * FROM sessions', ['sessions'], ALL],
    ['select\n*\nfrom sessions', ['sessions'], ALL],
    ['SELECT s.* FROM sessions s', ['sessions'], ALL],
    ['SELECT 1 AS one, * FROM sessions', ['sessions'], ALL],
    ['SELECT count(*) OVER () AS n, * FROM sessions', ['sessions'], ALL],
    ['SELECT * EXCLUDE (extra) FROM sessions', ['sessions'], ALL],
    ['SELECT * REPLACE (1 AS seq) FROM sessions', ['sessions'], ALL],
    ['SELECT * RENAME (seq AS n) FROM sessions', ['sessions'], ALL],
    ["SELECT * LIKE 'mod%' FROM sessions", ['sessions'], ALL],
    ['SELECT /* all */ * FROM sessions', ['sessions'], ALL],
    ['SELECT DISTINCT * FROM sessions', ['sessions'], ALL],
    ['SELECT ALL * FROM sessions', ['sessions'], ALL],
    ['SELECT DISTINCT ON (model) * FROM sessions', ['sessions'], ALL],
    ['FROM sessions', ['sessions'], ALL],
    ['SELECT 1 FROM (FROM sessions)', ['sessions'], ALL],
    ['TABLE sessions', ['sessions'], ALL],
    ['SELECT COLUMNS(*) FROM sessions', ['sessions'], ALL],
    ["SELECT COLUMNS('mo.*') FROM sessions", ['sessions'], ALL],
    ['SELECT COLUMNS(c -> c = $$model$$) FROM sessions', ['sessions'], ALL],
    ['SELECT max(COLUMNS(*)) FROM sessions', ['sessions'], ALL],
    ['SELECT struct_pack(*COLUMNS(*)) FROM sessions', ['sessions'], ALL],
    ['SELECT #1 FROM sessions', ['sessions'], ALL],
    ['SELECT model FROM sessions ORDER BY ALL', ['sessions'], ALL],
    ['SELECT s FROM sessions s', ['sessions'], ALL],
    ['SELECT s.to_json() FROM sessions s', ['sessions'], ALL],
    ['SELECT 1 FROM sessions s, LATERAL (SELECT s) x', ['sessions'], ALL],
    ['SELECT S FROM sessions s', ['sessions'], ALL],
    ['SELECT main.sessions FROM sessions', ['sessions'], ALL],
    ['SELECT to_json(sessions) FROM sessions', ['sessions'], ALL],
    ['SELECT count(DISTINCT s) FROM sessions s', ['sessions'], ALL],
    ["SELECT struct_extract(s, 'model') FROM sessions s", ['sessions'], ALL],
    ['SELECT (s).model FROM sessions s', ['sessions'], ALL],
    ['SELECT x.y.model FROM (SELECT s AS y FROM sessions s) x', ['sessions'], ALL],
    ['SELECT max(t) FROM (SELECT model FROM sessions) t', ['sessions'], ALL],
    ['SELECT a, b FROM sessions AS s(a, b)', ['sessions'], ALL],
    ['SELECT 1 AS n FROM sessions NATURAL JOIN attempts', ['attempts', 'sessions'], ALL],
    ['SELECT 1 AS n FROM sessions POSITIONAL JOIN traces', ['sessions', 'traces'], ALL],
    ['SELECT 1 FROM sessions PIVOT (count(*) FOR kind IN ($$fill$$))', ['sessions'], ALL],
    ['SELECT 1 FROM sessions UNPIVOT (v FOR n IN (kind, model))', ['sessions'], ALL],
    ['WITH c AS (SELECT * FROM sessions) SELECT model FROM c', ['sessions'], ALL],
    ['SELECT EXISTS (SELECT * FROM attempts)', ['attempts'], ALL],
  ])('%s', async (sql, tables, columns) => {
    expect(listed(await namesOf(sql))).toEqual([tables, columns]);
  });

  test.each([
    'PIVOT sessions ON kind USING count(*)',
    'SELECT * FROM (PIVOT sessions ON kind USING count(*))',
    "SELECT model FROM query_table('sessions')",
    "SELECT model FROM query('SELECT model FROM sessions')",
    'SELECT FROM WHERE',
    'CREATE TABLE t AS SELECT 1',
  ])('%s may read anything', async (sql) => {
    expect(listed(await namesOf(sql))).toEqual(listed(EVERYTHING));
  });
});

describe('needs that are known beforehand', () => {
  const sql = catalogue.map((query) => query.sql);
  const refuse = async () => {
    throw new Error('the engine was asked');
  };

  test('are those of the parse, and ask no engine', async () => {
    const known = JSON.parse(JSON.stringify(await needsTable(sql, duck.parse)));
    for (const one of sql)
      expect(listed(await needsOf([one], refuse, known))).toEqual(listed(await namesOf(one)));
    expect(listed(await needsOf(sql, refuse, known))).toEqual(listed(await needsOf(sql, duck.parse)));
  });

  test('are of that very text', async () => {
    const known = await needsTable(sql, duck.parse);
    await expect(needsOf([`${sql[0]} `], refuse, known)).rejects.toThrow('the engine was asked');
  });

  test('add up to all columns if one means all', async () => {
    const needs = await needsOf(['SELECT model FROM sessions', 'FROM traces'], duck.parse);
    expect(listed(needs)).toEqual([['sessions', 'traces'], ALL]);
  });
});

describe('what the loader is asked for', () => {
  type Names = Partial<Record<BaseName, readonly string[]>>;
  const namesOfPlan = (plan: LoadPlan): Names =>
    Object.fromEntries(
      Object.entries(plan).map(([base, columns]) => [base, columns.map(({ name }) => name)]),
    );
  const planOf = async (sql: string, alsoColumns: string[] = []) =>
    namesOfPlan(loadPlan(await namesOf(sql), { showContent: false, alsoColumns }));
  const all = (base: BaseName) => BASE_TABLES[base].map(({ name }) => name);
  const ALWAYS =
    'batch line session_id timestamp kind model iterations final_verdict grounded_in_roster daemon call_id writer_id seq inconsistent not_judgeable';
  /** Those columns too, in the order of the table. */
  const callsWith = (...more: string[]) =>
    all('calls').filter((name) => [...ALWAYS.split(' '), ...more].includes(name));
  const LEAST: Names = {
    calls: callsWith(),
    runs: ['batch', 'line', 'session_id', 'timestamp', 'run_id', 'task_id'],
    batches: all('batches'),
  };
  /** What questions group by, beyond what always is. */
  const BY = ['provider', 'response_model', 'environment', 'prompt_version', 'validator_version'];
  const CARRIED = ['call_key_base', 'session_id', 'kind', 'model', 'daemon', 'environment'];
  const shipped: Record<string, Names> = {
    alarm: {},
    'first-shot': {},
    'first-shot-rate': { calls: callsWith(...BY, 'answered', 'first_shot') },
    corpus: {
      calls: callsWith(...BY, 'answered', 'first_shot'),
      runs: [...LEAST.runs!, 'document_count', 'best_score'],
    },
    'triple-rejections': {
      calls: callsWith(
        ...['longest_rejection_run', 'longest_failure_run', 'run_reasons', 'failure_run_reasons'],
      ),
    },
    rejections: {
      calls: callsWith(...BY, 'call_key_base', 'rejections'),
      // Names are known, not whose they are.
      attempts: ['batch', 'line', 'attempt_number', ...CARRIED, 'verdict'],
      attempt_reasons: [
        ...['batch', 'line', 'attempt_number', 'reason_number'],
        ...[...CARRIED, 'reason_shape'],
      ],
      twins: all('twins'),
    },
    retries: {
      calls: callsWith(...BY, 'call_key_base', 'duration_ms'),
      attempts: [
        ...['batch', 'line', 'attempt_number'],
        ...[...CARRIED, 'input_tokens', 'output_tokens', 'duration_ms'],
      ],
      twins: all('twins'),
    },
  };

  test.each(catalogue)(
    '$name: no more than it uses, with --show-content too',
    async ({ name, sql, gate }) => {
      const judged = gate ? [`SELECT COUNT(*) FROM sessions WHERE ${gate.judges}`] : [];
      const needs = await needsOf([sql, ...judged], duck.parse);
      for (const showContent of [false, true]) {
        const plan = namesOfPlan(loadPlan(needs, { showContent }));
        expect(plan).toEqual({ ...LEAST, ...shipped[name] });
      }
    },
  );

  test('a count needs no column of its own', async () => {
    expect(await planOf('SELECT count(*) FROM sessions')).toEqual(LEAST);
    expect(await planOf('SELECT count(*) FROM files')).toEqual(LEAST);
    expect(await planOf('SELECT count(*) FROM rejects')).toEqual({
      ...LEAST,
      rejects: ['batch', 'line'],
    });
    expect(await planOf('SELECT count(*) FROM attempts')).toEqual({
      ...LEAST,
      attempts: ['batch', 'line', 'attempt_number'],
    });
  });

  test('the filters find their columns on calls and attempts', async () => {
    const filtered = await planOf('SELECT verdict FROM attempts', ['environment', 'timestamp']);
    const own = ['timestamp', 'environment', 'verdict'];
    expect(filtered.attempts).toEqual(['batch', 'line', 'attempt_number', ...own]);
    expect(filtered.calls).toEqual(callsWith('environment'));
    expect((await planOf('SELECT 1 FROM sessions', ['environment'])).calls).toEqual(callsWith('environment'));
  });

  test.each([false, true])('all is all but what no view has a use for; with content: %s', (showContent) => {
    const plan = namesOfPlan(loadPlan(EVERYTHING, { showContent, hasRoster: true }));
    // Documents have rows of their own.
    const unused = ['byte_offset', 'line_sha256', 'documents'];
    const content = ['prompt', 'artifact', 'raw', 'task', 'retrieval_query', 'output'];
    const without = showContent ? unused : [...unused, ...content];
    for (const base of VIEWED) {
      expect(plan[base], base).toEqual(
        all(base).filter((name) => base === 'rejects' || !without.includes(name)),
      );
    }
  });
});

describe('content', () => {
  const SECRET = 'SECRET-of-a-person';
  const session = {
    schema: 'session.iterate.v1',
    session_id: 't-1',
    timestamp: '2026-09-01T08:00:00Z',
    kind: 'fill',
    model: 'm',
    iterations: 2,
    final_verdict: 'accepted',
    grounded_in_roster: true,
    attempts: [
      { verdict: 'rejected', prompt: `${SECRET} 1`, raw: `${SECRET} 2`, reasons: ['worker W-1 is unknown'] },
      { verdict: 'accepted', prompt: `${SECRET} 3`, raw: `${SECRET} 4` },
    ],
    prompt: `${SECRET} 5`,
    artifact: { workers: [`${SECRET} 6`] },
  };
  const replay = {
    schema: 'replay.run.v1',
    session_id: 't-1',
    timestamp: '2026-09-01T09:00:00Z',
    run_id: 'r-1',
    task: `${SECRET} 7`,
    retrieval_query: `${SECRET} 8`,
    output: `${SECRET} 9`,
  };
  const rows = baseRows(readLog(`${JSON.stringify(session)}\n`, `${JSON.stringify(replay)}\n`));
  const CONTENT = PUBLISHED.flatMap(({ name: table, columns }) =>
    columns.filter(({ content }) => content).map(({ name }) => ({ table, name })),
  );

  test('is what the formats mark as such', () => {
    const marked = (table: string, fields: typeof SESSION_FIELDS) =>
      fields.filter(({ content }) => content).map(({ name }) => ({ table, name }));
    expect(CONTENT).toEqual([
      ...marked('sessions', SESSION_FIELDS),
      ...marked('attempts', ATTEMPT_FIELDS),
      ...marked('replay_runs', REPLAY_FIELDS),
    ]);
    expect(CONTENT.length).toBe(7);
  });

  test('is neither in a table nor below it without --show-content', async () => {
    await duck.fill(rows, { needs: EVERYTHING, showContent: false });
    for (const name of [...PUBLISHED.map(({ name }) => name), ...VIEWED.map((name) => `base_${name}`)]) {
      const { cells } = await duck.query(`SELECT * FROM ${name}`);
      expect(JSON.stringify(cells)).not.toContain(SECRET);
    }
  });

  test.each(CONTENT)('$table.$name exists with the flag and not without', async ({ table, name }) => {
    const sql = `SELECT ${name} FROM ${table}`;
    await expect(narrow(rows, sql)).rejects.toThrow(new RegExp(name));
    const alone = await narrow(rows, sql, true);
    expect(alone.length).toBeGreaterThan(0);
    for (const row of alone) expect(row).toContain(SECRET);
    expect(await wide(rows, [sql], true)).toEqual([alone]);
  });
});

const shown = (table: (typeof PUBLISHED)[number]) =>
  table.columns.filter(({ content }) => !content).map(({ name }) => name);

describe('a column alone is the same as among all', () => {
  test.each(byDay(PUBLISHED, 3))('$name', async (table) => {
    const rows = fixture('messy');
    const queries = shown(table).map((name) => `SELECT "${name}" FROM ${table.name}`);
    const all = await wide(rows, queries);
    for (const [i, sql] of queries.entries()) {
      expect(await narrow(rows, sql), sql).toEqual(all[i]);
      expect(all[i]!.length).toBeGreaterThan(0);
    }
  });
});

describe('random mentions of columns and tables', () => {
  const selects = fc.constantFrom(...PUBLISHED).chain((table) =>
    fc.record({
      table: fc.constant(table.name),
      columns: fc.subarray(shown(table), { minLength: 1, maxLength: 5 }),
      style: fc.constantFrom('plain', 'upper', 'qualified', 'commented', 'aggregate', 'subquery', 'row'),
    }),
  );
  type Select = typeof selects extends fc.Arbitrary<infer T> ? T : never;

  function sqlOf({ table, columns, style }: Select): string {
    const list = columns.map((name) => `"${name}"`).join(', ');
    const of = (alias: string) => columns.map((name) => `${alias}."${name}"`).join(', ');
    switch (style) {
      case 'plain':
        return `SELECT ${list} FROM ${table}`;
      case 'upper':
        return `SELECT ${list.toUpperCase()} FROM ${table.toUpperCase()}`;
      case 'qualified':
        return `SELECT ${of('x')} FROM ${table} AS x`;
      case 'commented':
        return `SELECT -- SELECT * from\n ${list} /* 'one */ FROM ${table} WHERE 'a''b -- /*' <> 'it' -- end`;
      case 'aggregate':
        return `SELECT ${list}, count(*) AS how_many FROM ${table} GROUP BY ${list}`;
      case 'subquery':
        return `WITH picked AS (SELECT ${list} FROM ${table}) SELECT * FROM picked`;
      case 'row':
        return `SELECT ${of('(x)')} FROM ${table} x`;
    }
  }

  test('what is loaded narrowly answers as all that could be loaded does', async () => {
    await fc.assert(
      fc.asyncProperty(
        randomLogs({ dirty: true }),
        fc.array(selects, { minLength: 1, maxLength: 3 }),
        async (log, picked) => {
          const rows = baseRows(readLog(log.sessions, log.replays));
          const queries = picked.map(sqlOf);
          const all = await wide(rows, queries);
          await duck.fill(rows, { needs: await needsOf(queries, duck.parse), showContent: false });
          for (const [i, sql] of queries.entries()) {
            expect(unordered((await duck.query(sql)).cells), sql).toEqual(all[i]);
          }
        },
      ),
      { numRuns: RUNS },
    );
  });
});
