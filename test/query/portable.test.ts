import { writeFileSync } from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import initSqlJs, { type SqliteValue } from 'sql.js';
import { describe, expect, test } from 'vitest';
import { type Lake, openLake } from '../../src/lake/lake.js';
import { needsOf, TABLES } from '../../src/lake/tables.js';
import type { Query } from '../../src/query/header.js';
import { bindParams, type Given } from '../../src/query/params.js';
import type { RunOptions } from '../../src/query/run.js';
import type { Cell } from '../../src/schema/result.js';
import { randomFilters, randomLogs } from '../oracle/random-logs.mjs';
import { catalogue, filtersFrom, root, runOptions, tempFolder } from '../support/lake.js';

const { Database } = await initSqlJs({ useOldExtensionFunctions: false });
const RUNS = process.env.LAKELOG_NIGHTLY === '1' ? 2_000 : 30;

const SETTINGS: Readonly<Record<string, readonly Given[]>> = {
  corpus: [{}, { min_n: ['0'] }, { min_n: ['2'] }],
  'first-shot': [{}, { gated_kind: ['fill', 'email'] }, { gated_kind: ['nothing'] }],
  rejections: [{}, { top: ['2'] }, { top: ['99'] }],
  'triple-rejections': [
    {},
    { streak: ['2'] },
    { streak: ['2'], count_no_candidate: true },
    { streak: ['1'], count_no_candidate: true },
  ],
  alarm: [{}, { gated_kind: ['fill', 'email', ' fill'] }, { gated_kind: ['nothing'], allow_unjudged: true }],
  'first-shot-rate': [
    {},
    { by: ['kind', 'day'] },
    { by: ['provider', 'daemon', 'environment'], min_n: ['0'] },
    { by: ['model'], min_n: ['5'] },
    { by: ['model', 'provider', 'kind', 'daemon', 'environment', 'day'], min_n: ['1'] },
  ],
};

/** Rows of the query on DuckDB and, unchanged, on SQLite over copies of the tables that the query sees. */
async function onBoth(
  query: Query,
  given: Given,
  files: { readonly sessions: string; readonly replays: string },
  options: Partial<RunOptions> = {},
): Promise<{ duckdb: unknown[][]; sqlite: unknown[][] }> {
  const bound = bindParams(query, given);
  const needs = needsOf(query.sql, { showContent: false, alsoColumns: ['environment'] });
  const tables = [...needs.tables];
  const wide = needsOf(tables.map((table) => `SELECT * FROM ${table};`).join(' '), { showContent: false });
  const lake = await openLake({
    ...runOptions(options),
    needs: wide,
    gatedKinds: bound.gatedKinds,
    params: bound.columns,
  });
  try {
    await lake.load([
      { path: files.sessions, as: 'sessions' },
      { path: files.replays, as: 'replay_runs' },
    ]);
    const { names, cells } = await lake.query(query.sql);
    expect(names).toEqual(query.columns.map(({ name }) => name));
    return {
      duckdb: normalised(query, cells),
      sqlite: normalised(query, await inSqlite(lake, tables, query.sql)),
    };
  } finally {
    lake.close();
  }
}

async function inSqlite(lake: Lake, tables: readonly string[], sql: string): Promise<SqliteValue[][]> {
  const db = new Database();
  try {
    for (const table of tables) {
      const { names, cells } = await lake.query(`SELECT * FROM ${table}`);
      const { cells: described } = await lake.query(`SELECT column_type FROM (DESCRIBE ${table})`);
      const types = described.map(([type]) => String(type));
      db.run(`CREATE TABLE ${table} (${names.map((name) => `"${name}"`).join(', ')})`);
      const insert = db.prepare(`INSERT INTO ${table} VALUES (${names.map(() => '?').join(', ')})`);
      for (const row of cells) insert.run(row.map((cell, i) => asSqlite(cell, types[i]!)));
      insert.free();
    }
    return db.exec(sql)[0]?.values ?? [];
  } finally {
    db.close();
  }
}

function asSqlite(cell: Cell, type: string): SqliteValue {
  if (typeof cell === 'boolean') return cell ? 1 : 0;
  if (cell !== null && typeof cell === 'object') return JSON.stringify(cell);
  if (cell !== null && type === 'TIMESTAMP WITH TIME ZONE') return microseconds(String(cell));
  return cell;
}

/** One width, so that the order of the texts is the order of the times. */
const microseconds = (time: string) =>
  time.replace(/\.(\d+)Z$/, (_, digits: string) => `.${digits.padEnd(6, '0')}Z`);

function normalised(query: Query, rows: readonly (readonly (Cell | SqliteValue)[])[]): unknown[][] {
  return rows.map((row) =>
    row.map((cell, i) => {
      if (cell === null) return null;
      switch (query.columns[i]!.type) {
        case 'boolean':
          return cell === true || cell === 1 ? true : cell === false || cell === 0 ? false : { odd: cell };
        case 'timestamp':
          return microseconds(String(cell));
        case 'fraction':
        case 'number':
          return typeof cell === 'number' ? Number(cell.toPrecision(12)) : { odd: cell };
        default:
          return cell;
      }
    }),
  );
}

describe.each(catalogue)('$name gives the same rows, in the same order, on DuckDB and on SQLite', (query) => {
  test('has settings to run with', () => {
    expect(SETTINGS[query.name]?.length).toBeGreaterThan(1);
  });

  for (const scenario of ['healthy', 'alarm', 'messy']) {
    test(`fixtures/${scenario}`, async () => {
      const at = (name: string) => path.join(root, 'fixtures', scenario, name);
      const files = { sessions: at('sessions.jsonl'), replays: at('replay_runs.jsonl') };
      for (const given of SETTINGS[query.name]!) {
        const { duckdb, sqlite } = await onBoth(query, given, files);
        expect(sqlite).toEqual(duckdb);
        if (query.name !== 'alarm') expect(duckdb.length).toBeGreaterThan(0);
      }
    });
  }

  test('random logs', async () => {
    const folder = tempFolder();
    const files = { sessions: path.join(folder, 's.jsonl'), replays: path.join(folder, 'r.jsonl') };
    let rows = 0;
    await fc.assert(
      fc.asyncProperty(
        randomLogs({ dirty: true }),
        fc.constantFrom(...SETTINGS[query.name]!),
        fc.oneof({ weight: 3, arbitrary: fc.constant({}) }, { weight: 1, arbitrary: randomFilters() }),
        async (log, given, filters) => {
          writeFileSync(files.sessions, log.sessions);
          writeFileSync(files.replays, log.replays);
          const { duckdb, sqlite } = await onBoth(query, given, files, { filters: filtersFrom(filters) });
          expect(sqlite).toEqual(duckdb);
          rows += duckdb.length;
        },
      ),
      { numRuns: RUNS },
    );
    // Or nothing was compared.
    expect(rows).toBeGreaterThan(5);
  });
});

/** What one of DuckDB, ClickHouse, Trino, Spark and SQLite does not know, or reads differently. */
const FOREIGN: Readonly<Record<string, RegExp>> = {
  'FILTER (WHERE …)': /\bfilter\s*\(/i,
  QUALIFY: /\bqualify\b/i,
  'GROUP BY ALL': /\b(group|order)\s+by\s+all\b/i,
  'a lambda': /->|\blambda\b/i,
  'a :: cast': /::/,
  'struct or table access by more than one dot': /\b\w+\.\w+\.\w+/,
  'a list or struct': /[[\]{}]/,
  'an outer, natural or special join':
    /\b(left|right|full|outer|natural|asof|semi|anti|positional|lateral)\b/i,
  USING: /\busing\b/i,
  'a decimal literal (1.0 is DECIMAL in Trino)': /(?<![\w.])(\d+\.\d*|\.\d+)(?![\de])/i,
  'DISTINCT ON': /\bdistinct\s+on\b/i,
  'SELECT *': /(?:\bselect\b|,|\.)\s*\*/i,
  'EXCLUDE, REPLACE, COLUMNS': /\b(exclude|replace|columns)\b/i,
  'IS DISTINCT FROM': /\bis\s+(not\s+)?distinct\b/i,
  ILIKE: /\bilike\b|~/i,
  '= TRUE': /(=|<>|\bis)\s*(not\s+)?true\b/i,
  'a quoted identifier': /["`]/,
  'a second statement': /;\s*\S/,
  'LIMIT with an expression, TOP, FETCH': /(?<![.\w])(top|fetch|offset)\b|\blimit\s+(?!\d+\s*$)/i,
  'UNION other than UNION ALL': /\bunion\b(?!\s+all\b)/i,
  'INTERSECT, EXCEPT (of sets here, of bags there)': /\b(intersect|except)\b/i,
  'COUNT(DISTINCT …) of several': /\bcount\s*\(\s*distinct\b[^()]*,/i,
  'a window without an explicit frame': /\bover\s*\((?![^()]*\b(rows|range)\b)/i,
  'integer division': /\/\//,
  'FROM first': /^\s*from\b/i,
  PIVOT: /\b(un)?pivot\b/i,
};

/** Functions that all five know with the same meaning. */
const FUNCTIONS = new Set(
  'count sum min max avg coalesce nullif sqrt cast row_number rank dense_rank lag lead first_value last_value abs round'.split(
    ' ',
  ),
);
const NOT_FUNCTIONS = new Set(
  'as and or not in on when then else from where by over case select exists join with values having between'.split(
    ' ',
  ),
);

function foreignIn(sql: string): string[] {
  const code = sql.replace(/--[^\n]*|\/\*[\s\S]*?\*\//g, ' ').replace(/'(?:[^']|'')*'/g, "''");
  const constructs = Object.entries(FOREIGN)
    .filter(([, pattern]) => pattern.test(code))
    .map(([name]) => name);
  const functions = [...code.matchAll(/\b([a-z_]\w*)\s*\(/gi)]
    .map(([, name]) => name!.toLowerCase())
    .filter((name) => !FUNCTIONS.has(name) && !NOT_FUNCTIONS.has(name))
    .map((name) => `function ${name}`);
  const casts = [...code.matchAll(/\bcast\s*\([^()]*\bas\s+(\w+)/gi)]
    .map(([, type]) => type!.toLowerCase())
    .filter((type) => !['bigint', 'integer', 'double', 'varchar'].includes(type))
    .map((type) => `cast to ${type}`);
  const descending = [...code.matchAll(/\border\s+by\b([^()]*?)(?=\)|\brows\b|\brange\b|\blimit\b|$)/gi)];
  // Engines put NULL first or last as they like; a key that can be NULL says so, and a primary place cannot.
  const sorted = descending
    .flatMap(([, keys]) => keys!.split(','))
    .filter(
      (key) =>
        !/\bnulls\s+(first|last)\b/i.test(key) &&
        !/\.(timestamp|file|line|session_id)\s*(asc|desc)?\s*$/i.test(key),
    )
    .map((key) => `NULL order left open: ${key.trim()}`);
  return [...constructs, ...functions, ...casts, ...sorted, ...hidingAliases(code), ...unnamedColumns(code)];
}

interface Selected {
  readonly expression: string;
  readonly alias: string | undefined;
}

/** The parts of `code` from `start` on that stand in no bracket opened behind it, cut at `separator`. */
function cutOutside(code: string, start: number, separator: RegExp, end: RegExp): string[] {
  const parts = [''];
  let depth = 0;
  for (const token of code.slice(start).match(/\w+|\s+|[^\w\s]/g) ?? []) {
    if (token === '(') depth += 1;
    if (token === ')') depth -= 1;
    if (depth < 0 || (depth === 0 && end.test(token))) break;
    if (depth === 0 && separator.test(token)) parts.push('');
    else parts[parts.length - 1] += token;
  }
  return parts.map((part) => part.trim());
}

function selectLists(code: string): Selected[][] {
  return [...code.matchAll(/\bselect\b(?:\s+distinct\b)?/gi)].map((found) =>
    cutOutside(code, found.index + found[0].length, /^,$/, /^from$/i).map((item) => {
      const [, expression = item, alias] = /^(.*\S)\s+as\s+(\w+)$/is.exec(item) ?? [];
      return { expression, alias };
    }),
  );
}

/** ClickHouse takes `answered` for the alias in `SUM(answered) AS answered, SUM(1 - answered)`. */
function hidingAliases(code: string): string[] {
  return selectLists(code).flatMap((list) =>
    list
      .filter(({ alias }) =>
        list.some(
          (other) =>
            alias !== undefined &&
            other.alias !== alias &&
            new RegExp(`(?<![.\\w])${alias}\\b(?!\\s*\\()`, 'i').test(other.expression),
        ),
      )
      .map(({ alias }) => `an alias that hides a column named beside it: ${alias}`),
  );
}

/** ClickHouse calls `k.model` "k.model" where another source has a `model` too. */
function unnamedColumns(code: string): string[] {
  const outermost = [...code.matchAll(/\bselect\b/gi)].find(({ index }) => {
    const before = code.slice(0, index);
    return before.split('(').length === before.split(')').length;
  });
  const main = code.slice(outermost?.index ?? 0);
  return selectLists(main)[0]!
    .filter(({ alias }) => alias === undefined)
    .map(({ expression }) => expression)
    .filter((expression) => {
      const [, source, name] = /^(\w+)\.(\w+)$/.exec(expression) ?? [];
      return source !== undefined && new RegExp(`\\b(?!${source}\\b)\\w+\\.${name}\\b`).test(main);
    })
    .map((expression) => `a column of a join without AS: ${expression}`);
}

describe('the SQL keeps to what DuckDB, ClickHouse, Trino, Spark and SQLite share', () => {
  test.each(catalogue)('$name', ({ sql }) => {
    expect(foreignIn(sql)).toEqual([]);
  });

  test.each(catalogue)('$name reads the tables of the fixed surface and nothing else', ({ sql }) => {
    const code = sql.replace(/--[^\n]*/g, ' ').replace(/'(?:[^']|'')*'/g, "''");
    const own = [...code.matchAll(/(?:\bwith|,)\s+(\w+)\s+as\s*\(/gi)].map(([, name]) => name!);
    const read = [...code.matchAll(/\b(?:from|join)\s+([\w.]+)/gi)].map(([, name]) => name!);
    const known = TABLES.map(({ name }) => name);
    expect(read.filter((name) => !known.includes(name) && !own.includes(name))).toEqual([]);
  });

  test.each<[string, string]>([
    ['SELECT COUNT(*) FILTER (WHERE a) FROM t', 'FILTER (WHERE …)'],
    ['SELECT a FROM t QUALIFY ROW_NUMBER() OVER (ORDER BY t.line ROWS UNBOUNDED PRECEDING) = 1', 'QUALIFY'],
    ['SELECT list_transform(a, x -> x) FROM t', 'a lambda'],
    ['SELECT list_transform(a, lambda x: x) FROM t', 'a lambda'],
    ['SELECT a::DOUBLE FROM t', 'a :: cast'],
    ['SELECT t.a.b FROM t', 'struct or table access by more than one dot'],
    ["SELECT a['b'] FROM t", 'a list or struct'],
    ['SELECT 1 FROM t LEFT JOIN u ON t.a = u.a', 'an outer, natural or special join'],
    ['SELECT 1 FROM t RIGHT JOIN u ON t.a = u.a', 'an outer, natural or special join'],
    ['SELECT 1 FROM t FULL JOIN u ON t.a = u.a', 'an outer, natural or special join'],
    ['SELECT 1.0 * a FROM t', 'a decimal literal (1.0 is DECIMAL in Trino)'],
    ['SELECT .5 * a FROM t', 'a decimal literal (1.0 is DECIMAL in Trino)'],
    ['SELECT * FROM t', 'SELECT *'],
    ['SELECT strftime(a) FROM t', 'function strftime'],
    ['SELECT CAST(a AS UBIGINT) FROM t', 'cast to ubigint'],
    ['SELECT a FROM t ORDER BY a', 'NULL order left open: a'],
    ['SELECT SUM(a) OVER (ORDER BY t.line) FROM t', 'a window without an explicit frame'],
    ['SELECT a FROM t WHERE b = TRUE', '= TRUE'],
    ['SELECT a FROM t; SELECT 1', 'a second statement'],
    ['SELECT a FROM t GROUP BY ALL', 'GROUP BY ALL'],
    ['SELECT TOP 3 a FROM t', 'LIMIT with an expression, TOP, FETCH'],
    ['SELECT a FROM t LIMIT p.top', 'LIMIT with an expression, TOP, FETCH'],
    ['SELECT a FROM t UNION SELECT a FROM u', 'UNION other than UNION ALL'],
    ['SELECT a FROM t EXCEPT SELECT a FROM u', 'INTERSECT, EXCEPT (of sets here, of bags there)'],
    ['SELECT COUNT(DISTINCT a, b) FROM t', 'COUNT(DISTINCT …) of several'],
    ['SELECT SUM(a) AS a, SUM(1 - a) AS b FROM t', 'an alias that hides a column named beside it: a'],
    ['SELECT t.a, u.b FROM t JOIN u ON u.a = t.a', 'a column of a join without AS: t.a'],
    ['SELECT a FROM t ORDER BY n DESC', 'NULL order left open: n DESC'],
  ])('the check finds out %s', (sql, construct) => {
    expect(foreignIn(sql)).toContain(construct);
  });

  test('and takes what is shared', () => {
    const sql = `-- a comment with 1.0, :: and FILTER (
      WITH c AS (SELECT t.a, CAST(t.b AS DOUBLE) AS b, 3.84e0 * t.n AS x FROM t CROSS JOIN params p WHERE t.a <> '::[1.0]')
      SELECT c.a AS a, c.r, SUM(n) AS n, MAX(c.m) AS m, SUM(c.m) AS m_sum, COALESCE(SUM(c.b) OVER (ORDER BY c.line ROWS BETWEEN 1 PRECEDING AND CURRENT ROW), 0e0) AS o
      FROM c JOIN u ON u.a = c.a
      UNION ALL
      SELECT d.a, COUNT(DISTINCT d.s) AS s FROM (SELECT DISTINCT u.a, u.s FROM u) d CROSS JOIN params p
      WHERE d.s <= p.top GROUP BY d.a ORDER BY c.a DESC NULLS LAST, c.line LIMIT 5`;
    expect(foreignIn(sql)).toEqual([]);
  });
});
