import { DuckDBInstance } from '@duckdb/node-api';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { checkStatement } from '../../src/lake/box.js';
import { runStatement } from '../../src/lake/box-run.js';
import { type Database, openDatabase } from '../../src/lake/duckdb/connection.js';
import { readRows } from '../../src/lake/duckdb/result.js';
import { edited, tokensOf } from '../../src/lake/sql-tokens.js';
import { rewrite } from '../../src/lake/statement.js';

describe('words of a text', () => {
  test.each([
    ['SELECT \'a ON b\' -- ON c\n FROM "ON" /* ON */', ['select', "'a ON b'", 'from', '"ON"']],
    ["E'it\\'s' $x$ ON $x$ 'it''s'", ["E'it\\'s'", '$x$ ON $x$', "'it''s'"]],
    ['größe.x', ['größe', '.', 'x']],
    ['a$b $c', ['a$b', '$', 'c']],
  ])('%j', (sql, words) => expect(tokensOf(sql).map(({ text }) => text)).toEqual(words));

  test('depth', () => {
    expect(tokensOf('a (b [c] ) d').map(({ text, depth }) => `${text}${depth}`)).toEqual([
      'a0',
      '(0',
      'b1',
      '[1',
      'c2',
      ']1',
      ')0',
      'd0',
    ]);
  });
});

test('places of an edited text lead back to where it came from', () => {
  const { text, origin } = edited('äöü one two', [
    { from: 4, to: 7, text: 'eins zwei' },
    { from: 11, to: 11, text: ' three' },
  ]);
  expect(text).toBe('äöü eins zwei two three');
  const place = (word: string) => Buffer.byteLength(text.slice(0, text.indexOf(word)));
  expect(origin(place('two'))).toBe(Buffer.byteLength('äöü one '));
  expect(origin(0)).toBe(0);
  expect(origin(Buffer.byteLength(text))).toBe(Buffer.byteLength('äöü one two'));
});

describe('what is no PIVOT without values and no EXPLAIN stays as it is', () => {
  test.each([
    "FROM t PIVOT (COUNT(*) FOR kind IN ('x')) JOIN u ON a = b",
    "PIVOT t ON a IN ('x'), b IN (1, 2) USING COUNT(*)",
    "SELECT 'PIVOT t ON a'",
    'DELETE FROM t',
  ])('%s', (sql) => expect(rewrite(sql)).toBeNull());
});

/** The same statements, put to the engine as they are. */
describe('a PIVOT answers as the engine itself would', () => {
  const SETUP = `CREATE TABLE sessions AS SELECT * FROM (VALUES
    ('fill', 'm', 1, 0.5e0, true, 9007199254740993), ('email', 'm', 2, 1.5, false, 1), ('fill', 'n', 10, NULL, NULL, 2),
    (NULL, 'n', 9, 2, true, 3), ('it''s', '', 2, -1, false, NULL)) AS t(kind, model, iterations, x, gated, big)`;
  let native: Awaited<ReturnType<DuckDBInstance['connect']>>;
  let db: Database;
  beforeAll(async () => {
    native = await (await DuckDBInstance.create(':memory:')).connect();
    await native.run(SETUP);
    db = await openDatabase(null, '200MB');
    await db.run(SETUP);
  });
  afterAll(() => db.close());

  test.each([
    'PIVOT sessions ON kind USING COUNT(*) GROUP BY model',
    'PIVOT sessions ON kind',
    'PIVOT_WIDER sessions ON kind USING COUNT(*)',
    'pivot sessions on iterations using count(*) group by model -- numbers, in the order of texts',
    'PIVOT sessions ON x, gated USING COUNT(*), MAX(iterations) AS most GROUP BY model',
    "PIVOT sessions ON gated, kind IN ('fill') USING COUNT(*) GROUP BY model",
    'PIVOT sessions ON kind IN (SELECT kind FROM sessions WHERE x > 1) USING COUNT(*) GROUP BY model',
    "PIVOT sessions ON kind IN (WITH k AS (SELECT 'fill') FROM k) USING COUNT(*) GROUP BY model",
    'PIVOT (FROM sessions WHERE FALSE) ON kind USING COUNT(*) GROUP BY model',
    'PIVOT (FROM sessions WHERE big = 9007199254740993) ON kind USING COUNT(*) GROUP BY model',
    'PIVOT (FROM sessions WHERE big < 170141183460469231731687303715884105727) ON kind USING MAX(big) GROUP BY model',
    'PIVOT sessions ON (kind, model) USING COUNT(*) GROUP BY gated',
    'PIVOT sessions ON kind || model USING COUNT(*) GROUP BY gated',
    "PIVOT sessions ON CASE WHEN kind = 'fill' THEN 'yes' ELSE 'no' END USING COUNT(*) GROUP BY gated",
    "PIVOT sessions s JOIN (SELECT 'fill' AS kind, 1 AS w) USING (kind) ON model USING COUNT(*) GROUP BY kind",
    "PIVOT sessions ON kind USING COUNT(*) GROUP BY model UNION ALL BY NAME SELECT 'a' AS model, 5 AS fill",
    'PIVOT sessions ON kind USING COUNT(*) GROUP BY model ORDER BY model DESC LIMIT 1',
    "WITH s AS (FROM sessions WHERE kind <> 'fill'), t AS (FROM s) PIVOT t ON kind USING COUNT(*) GROUP BY model",
    'WITH p AS (PIVOT sessions ON kind USING COUNT(*) GROUP BY model) SELECT * FROM p JOIN (PIVOT sessions ON gated USING COUNT(*) GROUP BY model) q ON p.model = q.model',
    'PIVOT (PIVOT sessions ON kind USING COUNT(*) GROUP BY model) ON model USING SUM(fill)',
    'SELECT "it\'s" FROM (PIVOT sessions ON kind USING COUNT(*) GROUP BY model)',
    'DESCRIBE PIVOT sessions ON kind USING COUNT(*)',
    'UNPIVOT sessions ON iterations, x INTO NAME n VALUE v',
  ])('%s', async (sql) => {
    const expected = await native.runAndReadAll(sql);
    const checked = await checkStatement(db, sql, 'query', []);
    const answer = await readRows(await runStatement(db, checked, {}, { parquet: [], most: null }, false));
    expect(answer.names).toEqual(expected.columnNames());
    const rows = (cells: readonly (readonly unknown[])[]) =>
      cells
        .map((row) => JSON.stringify(row.map((cell) => (typeof cell === 'number' ? String(cell) : cell))))
        .sort();
    expect(rows(answer.cells)).toEqual(rows(expected.getRowsJson() as unknown[][]));
    // A type of its own for each run.
    await db.run([0, 1, 2].map((i) => `DROP TYPE IF EXISTS "lakelog_pivot_${i}"`).join('; '));
  });
});

test('a PIVOT of what the engine writes and cannot read again is refused with what helps', async () => {
  const db = await openDatabase(null, '200MB');
  await db.run('CREATE TABLE sessions (kind VARCHAR, x DOUBLE)');
  await expect(
    checkStatement(db, 'PIVOT (FROM sessions WHERE x < 1e400) ON kind USING COUNT(*)', 'query', []),
  ).rejects.toMatchObject({ exitCode: 2, message: expect.stringContaining('cannot be found out') });
  db.close();
});

describe('what a SELECT unnests may be grouped by', () => {
  let db: Database;
  beforeAll(async () => {
    db = await openDatabase(null, '200MB');
    await db.run(
      "CREATE TABLE sessions AS SELECT * FROM (VALUES ('a-b', 1), ('b-c', 2), (NULL, 3)) AS t(model, line)",
    );
  });
  afterAll(() => db.close());

  test.each([
    ["SELECT unnest(string_split(model, '-')) AS p, COUNT(*) AS n FROM sessions GROUP BY p", 'a1 b2 c1'],
    [
      "SELECT UNNEST(string_split(model, '-')) p, COUNT(*) FROM sessions WHERE line > 1 GROUP BY ALL",
      'b1 c1',
    ],
    ["SELECT COUNT(*), unnest(string_split(model, '-')) FROM sessions GROUP BY 2", '1a 1c 2b'],
    [
      "SELECT unnest(string_split(model, '-')), COUNT(*) FROM sessions GROUP BY unnest(string_split(model, '-'))",
      'a1 b2 c1',
    ],
    [
      "SELECT upper(p), n FROM (SELECT unnest(string_split(model, '-')) AS p, COUNT(*) AS n FROM sessions GROUP BY p) ORDER BY 1",
      'A1 B2 C1',
    ],
    [
      "SELECT 'ä' AS x, unnest([line, line + 1]) AS v, COUNT(*) FROM sessions s JOIN sessions t USING (line) GROUP BY x, v HAVING COUNT(*) > 1",
      'ä22 ä32',
    ],
    ['SELECT unnest([1, 2]) AS a, unnest([3, 4]) AS b, COUNT(*) FROM sessions GROUP BY a, b', '133 243'],
    // What is unnested behind the grouping stays as it is.
    ['SELECT line % 2 AS odd, unnest(list(line ORDER BY line)) AS l FROM sessions GROUP BY odd', '02 11 13'],
    ["SELECT unnest(string_split(model, '-')) AS p FROM sessions", 'a b b c'],
  ])('%s', async (sql, expected) => {
    const checked = await checkStatement(db, sql, 'query', []);
    const { cells } = await readRows(await runStatement(db, checked, {}, { parquet: [], most: null }, false));
    expect(
      cells
        .map((row) => row.join(''))
        .sort()
        .join(' '),
    ).toBe(expected);
  });

  test('is looked into like all else', async () => {
    const sql = "SELECT unnest(string_split(content, '-')) AS p, COUNT(*) FROM read_text('x') GROUP BY p";
    await expect(checkStatement(db, sql, 'query', [])).rejects.toThrow('read_text');
  });
});
