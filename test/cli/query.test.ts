import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { LakelogError } from '../../src/errors.js';
import { checkStatement, SqlFault } from '../../src/lake/box.js';
import { type Database, openDatabase } from '../../src/lake/duckdb/connection.js';
import { boxed, refusal } from '../support/box.js';
import {
  atNight,
  byDay,
  call,
  envelope,
  newFolder,
  nightly,
  replayRun,
  root,
  lakelog as spawned,
  start,
  writeLines,
} from '../support/cli.js';
import { lakelog } from '../support/program.js';
import { onTerminal, terminals } from '../support/terminal.js';

const fixture = path.join(root, 'fixtures/healthy');
/** Its logs, without what else lies there. */
const logs = path.join(fixture, '*.jsonl');

/** A folder with logs, and a second one that nothing may be written to. */
function sandbox() {
  const folder = newFolder();
  copyFileSync(path.join(fixture, 'sessions.jsonl'), path.join(folder, 'sessions.jsonl'));
  copyFileSync(path.join(fixture, 'replay_runs.jsonl'), path.join(folder, 'replay_runs.jsonl'));
  mkdirSync(path.join(folder, 'home'));
  writeFileSync(path.join(folder, 'secret.csv'), 'a,b\n1,2\n');
  writeFileSync(path.join(folder, 'secret.db'), '');
  return folder;
}

/** A query starts a process, which is looked at in every so many; what is made of the SQL is the same in this one. */
const everySo = (many: number) => (_: unknown, i: number) => nightly || i % many === 0;

const HOSTILE: readonly (readonly [sql: string, says: RegExp])[] = [
  ["SELECT * FROM 'secret.csv'", /no table/],
  ["SELECT * FROM read_csv('secret.csv')", /table function read_csv/],
  ["SELECT * FROM read_text('sessions.jsonl')", /table function read_text/],
  ["SELECT * FROM read_json_auto('sessions.jsonl')", /table function/],
  ["SELECT * FROM parquet_scan('x.parquet')", /table function/],
  ["SELECT * FROM glob('*')", /table function glob/],
  ['SELECT * FROM "home/x.csv"', /no table/],
  ["SELECT kind FROM sessions WHERE EXISTS (SELECT 1 FROM read_blob('secret.csv'))", /table function/],
  ["WITH x AS (SELECT * FROM sniff_csv('secret.csv')) SELECT * FROM x", /table function/],
  ["SELECT (SELECT content FROM read_text('secret.csv'))", /table function/],
  ["COPY sessions TO 'out.csv'", /only a SELECT/],
  ["COPY (SELECT 1) TO 'out.parquet' (FORMAT parquet)", /only a SELECT/],
  ["EXPORT DATABASE 'out'", /only a SELECT/],
  ["ATTACH 'other.db'", /only a SELECT/],
  ["ATTACH 'secret.db' AS s; SELECT 1", /only a SELECT|2 statements/],
  ['INSTALL httpfs', /only a SELECT/],
  ['LOAD httpfs', /only a SELECT/],
  ['PRAGMA database_list', /only a SELECT|may not run/],
  ["SET memory_limit = '99GB'", /only a SELECT/],
  ['RESET memory_limit', /only a SELECT/],
  ['SELECT 1; SELECT 2', /2 statements/],
  ['SELECT 1; DROP TABLE params', /only a SELECT|2 statements/],
  ['SELECT * FROM enable_profiling()', /table function enable_profiling/],
  ["SELECT * FROM enable_logging(storage='file')", /table function enable_logging/],
  ['FROM enable_profiling()', /table function/],
  ["CALL enable_logging('QueryLog')", /only a SELECT/],
  ['EXPLAIN ANALYZE DELETE FROM sessions', /only a SELECT/],
  ["EXPLAIN COPY sessions TO 'out.csv'", /only a SELECT/],
  ['EXPLAIN ANALYZE CREATE TABLE t AS SELECT 1', /only a SELECT/],
  ['EXPLAIN (ANALYZE, FORMAT json) INSERT INTO params VALUES (1)', /only a SELECT/],
  ['EXPLAIN SELECT 1; DROP TABLE params', /only a SELECT|2 statements/],
  ["EXPLAIN SELECT * FROM read_csv('secret.csv')", /table function read_csv/],
  ['EXPLAIN ANALYZE FROM base_calls', /no table "base_calls"/],
  ['DROP TABLE params', /only a SELECT/],
  ['DELETE FROM params', /only a SELECT/],
  ['INSERT INTO params VALUES (1)', /only a SELECT/],
  ['UPDATE params SET none = 1', /only a SELECT/],
  ['CREATE TABLE t AS SELECT 1', /only a SELECT/],
  ['CREATE MACRO m() AS 1', /only a SELECT/],
  ['VACUUM', /only a SELECT/],
  ['CHECKPOINT', /only a SELECT/],
  ['PREPARE p AS SELECT 1', /only a SELECT/],
  ["SELECT * FROM query('DROP TABLE params')", /table function query/],
  ["SELECT * FROM query_table('raw.session_lines')", /table function query_table/],
  ["SELECT * FROM json_execute_serialized_sql('{}')", /table function/],
  ['SELECT * FROM raw.session_lines', /no table "raw.session_lines"/],
  ['SELECT * FROM information_schema.tables', /no table/],
  ['SELECT * FROM duckdb_settings()', /table function duckdb_settings/],
  ["SELECT write_log('x')", /function write_log/],
  ['SHOW TABLES', /SHOW/],
  ['SHOW ALL TABLES', /SHOW/],
  ['SHOW DATABASES', /SHOW/],
  ['DESCRIBE', /DESCRIBE/],
  ['DESCRIBE raw.x', /no table "raw.x"/],
  ['DESCRIBE base_calls', /no table "base_calls"/],
  ["DESCRIBE 'secret.csv'", /no table/],
  ["DESCRIBE SELECT * FROM read_csv('secret.csv')", /table function read_csv/],
  ["SUMMARIZE 'secret.csv'", /no table/],
  ["SUMMARIZE FROM read_csv('secret.csv')", /table function read_csv/],
  ["SELECT * FROM (SUMMARIZE FROM read_text('secret.csv'))", /table function read_text/],
  ["PIVOT read_text('secret.csv') ON content USING COUNT(*)", /table function read_text/],
  ["PIVOT 'secret.csv' ON a USING COUNT(*)", /no table/],
  ["PIVOT sessions ON kind IN (SELECT content FROM read_text('secret.csv'))", /table function read_text/],
  ["PIVOT sessions ON kind IN (SELECT 1) USING COUNT(*); ATTACH 'x.db'", /only a SELECT|2 statements/],
  ['PIVOT base_calls ON kind USING COUNT(*)', /no table "base_calls"/],
  ['FROM (PIVOT raw.session_lines ON a)', /no table "raw.session_lines"/],
  ["WITH p AS (PIVOT (FROM glob('*')) ON file) FROM p", /table function glob/],
  ['PIVOT sessions ON write_log(kind) USING COUNT(*)', /function write_log/],
  ["UNPIVOT read_csv('secret.csv') ON a INTO NAME n VALUE v", /table function read_csv/],
  ["EXPLAIN PIVOT read_blob('secret.csv') ON content", /table function read_blob/],
  ["DESCRIBE PIVOT read_blob('secret.csv') ON content", /table function read_blob/],
  // A name that one WITH clause introduces is, where it is not seen, the table of that name.
  ['WITH base_calls AS (SELECT * FROM base_calls) FROM base_calls', /no table "base_calls"/],
  ['FROM (WITH base_calls AS (SELECT 1) FROM base_calls), base_calls', /no table "base_calls"/],
  ['WITH a AS (FROM duckdb_tables), duckdb_tables AS (SELECT 1) FROM a', /no table "duckdb_tables"/],
  ['WITH RECURSIVE base_calls AS (FROM base_calls) FROM base_calls', /no table "base_calls"/],
  [
    'WITH RECURSIVE base_calls AS (SELECT line FROM base_calls UNION ALL SELECT 1 WHERE FALSE) FROM base_calls',
    /no table "base_calls"/,
  ],
  ['SELECT $1', /placeholder/],
  ['SELECT ?', /placeholder/],
  ['SELECT $x, ?', /placeholder without a name/],
  ['SELECT $name', /-p name=VALUE/],
  ['PIVOT (SELECT $kind AS k) ON k', /-p kind=VALUE/],
  [`SELECT ${'('.repeat(20_000)}1${')'.repeat(20_000)}`, /./],
];

/** What nobody can refuse before it runs. */
const ENDLESS: readonly (readonly [sql: string, says: RegExp])[] = [
  ['SELECT count(*) FROM range(1000000000000) a, range(1000000000000) b', /longer than 1 s/],
  [
    'WITH RECURSIVE r AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM r) SELECT max(n) FROM r',
    /longer than 1 s|memory/,
  ],
  ['SELECT list_sort(range(200000000))', /longer than 1 s|memory/],
  ["SELECT repeat('x', 3000000000)", /memory|longer than 1 s/],
  ["SELECT length(repeat(repeat('x', 30000), 300000))", /memory|longer than 1 s|string of size/],
  ['SELECT sum(hash(a.range, b.range)) FROM range(100000000) a, range(1000) b', /longer than 1 s/],
];

describe('hostile statements', () => {
  test('there are at least 40', () => expect(HOSTILE.length + ENDLESS.length).toBeGreaterThanOrEqual(40));

  // What is refused before it runs needs no process to show it; some of it is put to the program all the same.
  let db: Database;
  beforeAll(async () => {
    db = await openDatabase(null, '200MB');
  });
  afterAll(() => db.close());
  const isRefused = (sql: string) =>
    checkStatement(db, sql, 'query', []).then(
      () => false,
      (error) => error instanceof LakelogError || error instanceof SqlFault,
    );

  /** That it ends is what counts: the time-out of the test sees to it. */
  async function expectHarmless(sql: string, says: RegExp, timeoutS: number): Promise<void> {
    const folder = sandbox();
    const before = everyFile(folder);
    const ran = await spawned(['query', '--timeout', `${timeoutS}s`, '-f', '-'], {
      cwd: folder,
      env: { HOME: path.join(folder, 'home') },
      stdin: sql,
    });
    expect(ran.code).toBe(2);
    expect(ran.stdout).toBe('');
    expect(ran.stderr).toMatch(/^error: /);
    expect(ran.stderr).toMatch(says);
    expect(ran.stderr).toMatch(/\n {2}→ \S/);
    expect(ran.stderr).not.toContain('internal error');
    expect(everyFile(folder)).toEqual(before);
  }

  test.each(HOSTILE.map(([sql, says], i) => ({ title: sql.slice(0, 70), sql, says, isTried: i % 40 === 0 })))(
    '$title',
    async ({ sql, says, isTried }) => {
      if (nightly || isTried || !(await isRefused(sql))) await expectHarmless(sql, says, 60);
    },
  );

  // By day one that the time ends in the midst of a call, and one that its memory ends.
  const some = nightly ? ENDLESS : ENDLESS.filter(([sql]) => /^SELECT (list_sort|repeat)/.test(sql));
  test('of those without an end there is one of each kind', () => expect(some.length).toBeGreaterThan(1));
  test.each(some)('%s', (sql, says) => expectHarmless(sql, says, 1));
});

function everyFile(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .map((entry) => path.join(entry.parentPath, entry.name))
    .sort();
}

describe('harmless statements', () => {
  const isAsked = everySo(16);
  let asked = 0;

  const HARMLESS: readonly [string, unknown][] = [
    ['SELECT COUNT(*) AS n FROM sessions', [{ n: 400 }]],
    [
      'WITH c AS (SELECT kind FROM sessions) SELECT kind, COUNT(*) AS n FROM c GROUP BY kind ORDER BY n DESC LIMIT 1',
      [{ kind: 'fill', n: 207 }],
    ],
    ['SELECT n FROM (SELECT COUNT(*) OVER () AS n FROM sessions) LIMIT 1', [{ n: 400 }]],
    ['SELECT UNNEST([1, 2]) AS n', [{ n: 1 }, { n: 2 }]],
    ['SELECT u.n FROM UNNEST([1, 2]) AS u(n)', [{ n: 1 }, { n: 2 }]],
    ['SELECT t.a, x.b FROM (SELECT 1 AS a) t, LATERAL (SELECT t.a + 1 AS b) x', [{ a: 1, b: 2 }]],
    ['SELECT range AS n FROM range(3) ORDER BY n', [{ n: 0 }, { n: 1 }, { n: 2 }]],
    [
      'WITH RECURSIVE r AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM r WHERE n < 3) SELECT n FROM r ORDER BY n',
      [{ n: 1 }, { n: 2 }, { n: 3 }],
    ],
    ['FROM (VALUES (1, true, NULL)) AS v(a, b, c)', [{ a: 1, b: true, c: null }]],
    [
      'SELECT kind, n FROM (SELECT kind, COUNT(*) AS n, ROW_NUMBER() OVER (ORDER BY COUNT(*) DESC) AS place FROM main.sessions GROUP BY kind) WHERE place = 1; -- done',
      [{ kind: 'fill', n: 207 }],
    ],
    [
      "SELECT a.verdict, COUNT(*) AS n FROM attempts a JOIN sessions s USING (call_key) WHERE s.kind = 'fill' AND a.verdict = 'infra_error' GROUP BY ALL",
      [{ verdict: 'infra_error', n: expect.any(Number) }],
    ],
    ['SELECT SUM(lines) AS n FROM files', [{ n: 759 }]],
    ['SELECT * FROM rejects', []],
    ['SELECT x.key, x.value FROM json_each(\'{"a": 1}\') AS x', [{ key: 'a', value: 1 }]],
    ['SELECT s.* EXCLUDE (session_id), 1 AS one FROM sessions s WHERE FALSE', []],
    [
      "SELECT 9007199254740993 AS big, 1.5 AS d, [1, 2] AS l, {'a': 1} AS s",
      [{ big: '9007199254740993', d: 1.5, l: [1, 2], s: { a: 1 } }],
    ],
    [
      "SELECT 1e400 AS a, -1e400 AS b, 'Infinity' AS c, 'NaN'::DOUBLE AS d",
      [{ a: 'Infinity', b: '-Infinity', c: 'Infinity', d: 'NaN' }],
    ],
    [
      'PIVOT sessions ON kind USING COUNT(*) GROUP BY gated ORDER BY gated',
      [
        { gated: false, email: 130, fill: 0, playbook: 63 },
        { gated: true, email: 0, fill: 207, playbook: 0 },
      ],
    ],
    [
      'FROM (PIVOT sessions ON kind USING COUNT(*) AS n, MAX(iterations) AS most GROUP BY gated) WHERE gated;',
      [expect.objectContaining({ gated: true, email_n: 0, email_most: null, fill_n: 207 })],
    ],
    [
      "WITH s AS (FROM sessions WHERE kind <> 'fill'), p AS (PIVOT s ON kind USING COUNT(*) GROUP BY gated) FROM p",
      [{ gated: false, email: 130, playbook: 63 }],
    ],
    [
      "SELECT fill FROM (PIVOT sessions ON kind IN ('fill') USING COUNT(*) GROUP BY gated) WHERE gated",
      [{ fill: 207 }],
    ],
    [
      "SELECT * FROM (SELECT kind, gated FROM sessions) PIVOT (COUNT(*) FOR kind IN ('fill')) WHERE gated",
      [{ gated: true, fill: 207 }],
    ],
    ['PIVOT (FROM sessions WHERE FALSE) ON kind USING COUNT(*) GROUP BY gated', []],
    [
      'UNPIVOT (SELECT 1 AS a, 2 AS b) ON COLUMNS(*) INTO NAME n VALUE v ORDER BY n',
      [
        { n: 'a', v: 1 },
        { n: 'b', v: 2 },
      ],
    ],
    [
      "SELECT column_type FROM (DESCRIBE sessions) WHERE column_name IN ('kind', 'timestamp') ORDER BY 1",
      [{ column_type: 'TIMESTAMP WITH TIME ZONE' }, { column_type: 'VARCHAR' }],
    ],
    ['DESCRIBE SELECT 1 AS a', [expect.objectContaining({ column_name: 'a', column_type: 'INTEGER' })]],
    [
      'SUMMARIZE SELECT kind FROM sessions',
      [expect.objectContaining({ min: 'email', max: 'playbook', count: 400 })],
    ],
    ['SHOW params', [expect.objectContaining({ column_name: 'none' })]],
    ['EXPLAIN SELECT 1', expect.arrayContaining([{ plan: expect.stringContaining('PROJECTION') }])],
    [
      'EXPLAIN ANALYZE WITH s AS (FROM sessions) PIVOT s ON kind USING COUNT(*)',
      expect.arrayContaining([{ plan: expect.stringContaining('Total Time') }]),
    ],
    [
      "SELECT part, COUNT(*) AS n FROM sessions, UNNEST(string_split(kind, 'i')) AS u(part) GROUP BY part ORDER BY n DESC, part LIMIT 1",
      [{ part: 'f', n: 207 }],
    ],
  ];

  test.each(byDay(HARMLESS, 3))('%s', async (sql, rows) => {
    if (!isAsked(sql, asked++)) {
      expect((await boxed(sql, logs)).rows).toEqual(rows);
      return;
    }
    const ran = await lakelog(['query', sql, logs, '--json']);
    expect({ code: ran.code, stderr: ran.stderr }).toEqual({ code: 0, stderr: '' });
    expect(envelope(ran).rows).toEqual(rows);
    expect(envelope(ran)).toMatchObject({ query: 'query', truncated: false });
  });
});

describe('where the SQL comes from', () => {
  const SQL = 'SELECT COUNT(*) AS n FROM sessions';
  const count = { code: 0, stdout: 'n\n400\n' };

  test('a file, and every argument is an input', async () => {
    const folder = newFolder();
    writeFileSync(path.join(folder, 'q.sql'), SQL);
    expect(await lakelog(['query', '-f', 'q.sql', logs, '--format', 'csv'], { cwd: folder })).toMatchObject(
      count,
    );
  });

  test('stdin: no argument, -, or -f -', async () => {
    expect(await spawned(['query', '--format', 'csv'], { cwd: fixture, stdin: SQL })).toMatchObject(count);
    const other = nightly ? spawned : lakelog;
    for (const from of byDay([['-f', '-'], ['-']], 2)) {
      expect(await other(['query', ...from, logs, '--format', 'csv'], { stdin: SQL })).toMatchObject(count);
    }
  });

  test('a log on stdin', async () => {
    const ran = await spawned(['query', SQL, '-', '--format', 'csv'], { stdin: `${call()}\n${call()}\n` });
    expect(ran).toMatchObject({ code: 0, stdout: 'n\n2\n' });
  });

  test('both on stdin is refused', async () => {
    const ran = await lakelog(['query', '-f', '-', '-'], { stdin: SQL });
    expect(ran.code).toBe(2);
    expect(ran.stderr).toContain('stdin cannot hold both');
  });

  test('a path where the SQL belongs is told', async () => {
    const ran = await lakelog(['query', 'sessions.jsonl'], { cwd: fixture });
    expect(ran.code).toBe(2);
    expect(ran.stderr).toContain('the first argument is the SQL');
  });

  const SPLIT = [
    [['SELECT', 'kind', 'FROM', 'sessions']],
    [['select', 'a.jsonl', 'b.jsonl', 'from', 'sessions']],
    [['WITH', 's', 'AS', '(SELECT 1)', 'FROM', 's']],
    [['FROM', 'sessions']],
  ] as const;
  test.each(byDay(SPLIT, 2))('SQL that the shell split is told: %j', async (words) => {
    const ran = await lakelog(['query', ...words], { cwd: fixture });
    expect(ran).toMatchObject({ code: 2, stdout: '' });
    expect(ran.stderr).toContain(`the shell split the SQL into ${words.length} words`);
    expect(ran.stderr).toContain('lakelog query "SELECT');
  });

  const NEVER = [
    ['SELECT kind\nFROM sessions WHERE kind = NULL', 'query:2:26'],
    ['SELECT COUNT(*) FROM sessions WHERE kind != NULL', 'query:1:42'],
    ['EXPLAIN SELECT kind FROM sessions WHERE NULL < iterations', 'query:1:46'],
    ['SELECT CASE WHEN kind <> NULL THEN 1 END AS x FROM sessions', 'query:1:23'],
  ] as const;
  test.each(byDay(NEVER, 2))('a comparison with NULL is never true, and said: %j', async (sql, where) => {
    if (!nightly && !sql.startsWith('EXPLAIN')) {
      const { message, where: place, next } = (await boxed(sql, logs)).notices[0]!;
      expect([message, place, next]).toEqual([
        expect.stringContaining('comparison with NULL is never true'),
        where,
        expect.stringContaining('IS NULL'),
      ]);
      return;
    }
    const ran = await lakelog(['query', sql, logs]);
    expect(ran.code).toBe(0);
    expect(ran.stderr).toContain('comparison with NULL is never true');
    expect(ran.stderr).toContain(where);
    expect(ran.stderr).toContain('IS NULL');
  });

  test('IS DISTINCT FROM NULL is not told', async () => {
    expect(await boxed('SELECT 1 AS a WHERE 1 IS DISTINCT FROM NULL', logs)).toEqual({
      rows: [{ a: 1 }],
      notices: [],
    });
  });

  atNight('an empty query', async () => {
    const ran = await lakelog(['query', '-- nothing', logs]);
    expect(ran).toMatchObject({ code: 2, stdout: '' });
    expect(ran.stderr).toContain('the query is empty');
  });
});

describe('errors point into the SQL', () => {
  const isAsked = everySo(12);
  let asked = 0;

  const WRONG = [
    ['SELECT modle FROM sessions', 'query:1:8', 'did you mean model?'],
    ['SELECT kind\nFROM sesions', 'query:2:6', 'did you mean sessions?'],
    ['SELECT s.modle FROM sessions s', 'query:1:8', 'did you mean model?'],
    ["SELECT 'äöü', modle FROM sessions", 'query:1:15', 'did you mean model?'],
    ['SELECT prompt FROM sessions', 'query:1:8', '--show-content'],
    ['SELECT reason_shape FROM sessions', 'query:1:8', 'reason_shape is a column of attempt_reasons'],
    ['SELECT kind kind kind FROM sessions', 'query:1:18', 'lakelog schema'],
    ['SELECT * FROM sessions WHERE kind = "fill"', 'query:1:37', "a text stands in single quotes: 'fill'"],
    ['SELECT kind FROM sessions WHERE model LIKE "%gpt%"', 'query:1:44', "single quotes: '%gpt%'"],
    ["SELECT kind FROM sessions WHERE kind IN (\"it's\", 'fill')", 'query:1:42', "single quotes: 'it''s'"],
    ['SELECT kind FROM sessions WHERE "modle" = \'x\'', 'query:1:33', 'did you mean model?'],
    ['SELECT\n  CAST(kind AS INTEGER) FROM sessions', 'query:2:3', 'TRY_CAST'],
  ] as const;
  test.each(byDay(WRONG, 3))('%j', async (sql, where, next) => {
    const told = isAsked(sql, asked++) ? await toldByProgram(sql) : await refusal(sql, logs);
    expect(told).toContain(`  at ${where}\n`);
    expect(told).toMatch(/\n *\^\n/);
    expect(told).toContain(next);
  });

  async function toldByProgram(sql: string): Promise<string> {
    const ran = await lakelog(['query', sql, logs]);
    expect(ran).toMatchObject({ code: 2, stdout: '' });
    expect(ran.stderr).toMatch(/\n {4} *\^\n/);
    return ran.stderr;
  }

  test('the caret stands under the place, in the file that was named', async () => {
    const folder = newFolder();
    writeFileSync(path.join(folder, 'q.sql'), 'SELECT kind,\n  modle\nFROM sessions\n');
    const ran = await lakelog(['query', '-f', 'q.sql', logs], { cwd: folder });
    expect(ran.stderr).toBe(
      'error: there is no column "modle"\n  at q.sql:2:3\n    modle\n    ^\n  → did you mean model? (all names: lakelog schema)\n',
    );
  });

  atNight('a quoted name behind its table is no text', async () => {
    const told = await refusal('SELECT s."modle" FROM sessions s', logs);
    expect(told).toContain('did you mean model?');
    expect(told).not.toContain('single quotes');
  });

  test('content exists with --show-content', async () => {
    const ran = await lakelog([
      'query',
      'SELECT COUNT(prompt) > 0 AS some FROM sessions',
      logs,
      '--show-content',
      '--format',
      'csv',
    ]);
    expect(ran).toMatchObject({ code: 0, stdout: 'some\ntrue\n' });
  });
});

describe('options', () => {
  test('-p arrives in params with its type', async () => {
    const ran = await lakelog([
      'query',
      'SELECT n, d, t, f, x FROM params',
      logs,
      '--json',
      '-p',
      'n=3',
      '-p',
      'd=0.5',
      '-p',
      't=true',
      '-p',
      'f=007',
      '-p',
      "x=a=b'c",
    ]);
    expect(envelope(ran).rows).toEqual([{ n: 3, d: 0.5, t: true, f: '007', x: "a=b'c" }]);
  });

  test('-p fills $name too, whatever its case, in every part of a PIVOT as well', async () => {
    const given = ['-p', 'kind=email', '-p', 'n=2', '-p', 'd=0.5', '-p', 'yes=true'];
    const ran = await lakelog([
      'query',
      'SELECT $n + 1 AS n, typeof($d) AS d, $yes AS yes, COUNT(*) AS calls, MAX(p.n) AS p FROM sessions s, params p WHERE s.kind = $Kind',
      ...[logs, '--json', ...given],
    ]);
    expect(envelope(ran).rows).toEqual([{ n: 3, d: 'DOUBLE', yes: true, calls: 130, p: 2 }]);
    const pivot =
      'WITH s AS (FROM sessions WHERE kind = $kind) PIVOT s ON kind USING COUNT(*) GROUP BY gated';
    expect(envelope(await lakelog(['query', pivot, logs, '--json', ...given])).rows).toEqual([
      { gated: false, email: 130 },
    ]);
  });

  test('--tz is the clock of the whole query', async () => {
    const sql = `SELECT hour(MIN("timestamp")) AS hour, MIN(CAST("timestamp" AS TIMESTAMP)) AS here, MIN("timestamp") AS instant,
      COUNT(*) FILTER (day <> strftime("timestamp", '%Y-%m-%d')) AS apart FROM sessions`;
    const ran = await lakelog(['query', sql, logs, '--json', '--tz', 'Asia/Kolkata']);
    expect(envelope(ran).rows).toEqual([
      { hour: 5, here: '2026-09-01T05:31:59.267', instant: '2026-09-01T00:01:59.267Z', apart: 0 },
    ]);
  });

  test('-p without a name is refused', async () => {
    const ran = await lakelog(['query', 'SELECT 1', logs, '-p', '=3']);
    expect(ran.code).toBe(2);
    expect(ran.stderr).toContain('-p takes name=value');
  });

  test('--limit cuts and says so', async () => {
    const ran = await lakelog([
      'query',
      'SELECT line FROM sessions ORDER BY line',
      logs,
      '--limit',
      '2',
      '--format',
      'csv',
    ]);
    expect(ran).toMatchObject({ code: 3, stdout: 'line\n1\n2\n' });
    expect(ran.stderr).toContain('only the first 2 rows are shown');
    if (!nightly) return;
    const json = await lakelog(['query', 'SELECT line FROM sessions', logs, '--limit', '2', '--json']);
    expect(envelope(json)).toMatchObject({ truncated: true });
    const whole = await lakelog([
      'query',
      'SELECT line FROM sessions LIMIT 2',
      logs,
      '--limit',
      '2',
      '--json',
    ]);
    expect(envelope(whole)).toMatchObject({ truncated: false });
    expect(whole.stderr).toBe('');
  });

  describe('what is no terminal gets all rows', () => {
    const MANY = 'SELECT range AS n FROM range(12000)';
    const lines = (text: string) => text.split('\n').length - 1;

    const FORMATS = [
      ['csv', 12_001],
      ['jsonl', 12_000],
      ['md', 12_002],
    ] as const;
    test.each(byDay(FORMATS, 3))('a pipe, as %s', async (format, count) => {
      const ran = await lakelog(['query', MANY, logs, '--format', format]);
      expect(ran).toMatchObject({ code: 0, stderr: '' });
      expect(lines(ran.stdout)).toBeGreaterThanOrEqual(count);
    });

    test('a file, of columns of any type too', async () => {
      const cwd = newFolder();
      const sql = "SELECT range AS n, [range] AS list, DATE '2026-01-01' AS day FROM range(12000)";
      const ran = await lakelog(['query', sql, logs, '-o', 'r.csv'], { cwd });
      expect(ran.code, ran.stderr).toBe(0);
      expect(lines(readFileSync(path.join(cwd, 'r.csv'), 'utf8'))).toBe(12_001);
    });

    atNight('or less where less is asked for, and then exit 3', async () => {
      const cwd = newFolder();
      const ran = await lakelog(['query', MANY, logs, '--limit', '11000', '-o', 'r.csv'], { cwd });
      expect(ran.code).toBe(3);
      expect(ran.stderr).toContain('only the first 11000 rows are shown');
      expect(lines(readFileSync(path.join(cwd, 'r.csv'), 'utf8'))).toBe(11_001);
    });

    test.runIf(terminals)('a terminal is cut, and the file beside it is not', () => {
      const cwd = newFolder();
      const alone = onTerminal(
        100,
        `lakelog query "${MANY}" ${logs} --format csv | tail -n 1; lakelog query "${MANY}" ${logs} --format csv`,
        { cwd },
      );
      expect(alone.code).toBe(0);
      expect(alone.text).toMatch(/^11999\n/);
      expect(alone.text).toContain('\n9999\n');
      expect(alone.text).not.toContain('\n10000\n');
      expect(alone.text).toContain('only the first 10000 rows are shown');
      if (!nightly) return;
      const beside = onTerminal(100, `lakelog query "${MANY}" ${logs} --format csv -o r.csv`, { cwd });
      expect(beside.code).toBe(0);
      expect(beside.text).toContain('only the first 10000 rows are shown');
      expect(beside.text).not.toContain('\n10000\n');
      expect(lines(readFileSync(path.join(cwd, 'r.csv'), 'utf8'))).toBe(12_001);
    });
  });

  atNight('filters apply to the tables', async () => {
    const ran = await lakelog([
      'query',
      'SELECT DISTINCT kind FROM sessions',
      logs,
      '--kind',
      'email',
      '--format',
      'csv',
    ]);
    expect(ran.stdout).toBe('kind\nemail\n');
  });

  test('--gated-kind reaches the column gated', async () => {
    const ran = await lakelog([
      'query',
      'SELECT DISTINCT kind FROM sessions WHERE gated',
      logs,
      '--gated-kind',
      'email',
      '--format',
      'csv',
    ]);
    expect(ran.stdout).toBe('kind\nemail\n');
  });

  test('rejects are told on stderr, and stop it only with --strict', async () => {
    const folder = newFolder();
    writeLines(folder, 'sessions.jsonl', [call(), '{"torn']);
    const args = [
      'query',
      'SELECT COUNT(*) AS n FROM sessions',
      'sessions.jsonl',
      '--pending-grace',
      '0',
      '--format',
      'csv',
    ];
    const ran = await lakelog(args, { cwd: folder });
    expect(ran).toMatchObject({ code: 0, stdout: 'n\n1\n' });
    expect(ran.stderr).toContain('could not be loaded');
    expect((await lakelog([...args, '--strict'], { cwd: folder })).code).toBe(3);
  });

  test('a missing input is exit 3', async () => {
    const ran = await lakelog(['query', 'SELECT COUNT(*) AS n FROM sessions', 'nowhere.jsonl']);
    expect(ran.code).toBe(3);
    expect(ran.stderr).toContain('the input is missing');
  });

  test('an input that cannot be loaded is exit 2 and says where', async () => {
    const ran = await lakelog(['query', 'SELECT 1 AS a', logs, '--since', 'soon']);
    expect(ran.code).toBe(2);
    expect(ran.stderr).toContain('--since soon is not a time');
  });
});

test('text of the data is shown and not acted on', async () => {
  const folder = newFolder();
  writeLines(folder, 'sessions.jsonl', [call({ kind: '\u001b[31mred' })]);
  const ran = await lakelog(['query', 'SELECT kind, kind AS "\u001b[2J" FROM sessions', 'sessions.jsonl'], {
    cwd: folder,
  });
  expect(ran.code).toBe(0);
  expect(ran.stdout).not.toContain('\u001b');
});

test('replay tables are loaded when they are named', async () => {
  const folder = newFolder();
  writeLines(folder, 'sessions.jsonl', [call()]);
  writeLines(folder, 'replay_runs.jsonl', [replayRun(), replayRun({ run_id: 'second' })]);
  const ran = await lakelog(['query', 'SELECT COUNT(*) AS n FROM replay_runs', '--format', 'csv'], {
    cwd: folder,
  });
  expect(ran).toMatchObject({ code: 0, stdout: 'n\n2\n' });
});

test('SIGTERM ends the query and leaves nothing behind', async () => {
  const child = start(['query', 'SELECT count(*) FROM range(1000000000000) a, range(1000000) b', logs]);
  // To start takes a quarter of a second of CPU time, and then it counts.
  const counting = () => descendants(child.pid!).filter((pid) => cpuSecondsOf(pid) > 0.7);
  await expect.poll(counting, { timeout: 50_000 }).toHaveLength(1);
  const pids = descendants(child.pid!);
  child.kill('SIGTERM');
  await new Promise((resolve) => child.once('exit', resolve));
  await expect.poll(() => pids.filter((pid) => existsSync(`/proc/${pid}`)), { timeout: 50_000 }).toEqual([]);
  expect(readdirSync(child.tmp)).toEqual([]);
});

function descendants(pid: number): string[] {
  return readdirSync('/proc').filter((entry) => {
    if (!/^\d+$/.test(entry)) return false;
    try {
      return parentOf(entry) === pid;
    } catch {
      return false;
    }
  });
}

const parentOf = (pid: string): number => Number(statOf(pid)[1]);

function cpuSecondsOf(pid: string): number {
  const [user, system] = statOf(pid).slice(11, 13).map(Number);
  return (user! + system!) / 100;
}

/** What Linux tells of a process, from its state on. */
function statOf(pid: string): string[] {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
}
