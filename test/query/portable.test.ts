import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { BASE_TABLES } from '../../src/lake/tables/base.js';
import { PERIODS } from '../../src/lake/tables/dialect.js';
import { TABLE_NAMES } from '../../src/lake/tables/published.js';
import { fillSlots } from '../../src/lake/tables/views.js';
import { readCatalogue } from '../../src/query/catalogue.js';
import { decisionQueries } from '../../src/query/decision-sql.js';
import type { Query } from '../../src/query/header.js';
import { yieldedColumns } from '../../src/query/intervals.js';
import { bindParams, type Given } from '../../src/query/params.js';
import { type Filters, type Log, loadLog } from '../oracle/oracle.mjs';
import { GROUPINGS, randomFilters, randomLogs } from '../oracle/random-logs.mjs';
import { nightly } from '../support/cli.js';
import fc from '../support/fast-check.js';
import { baseRows } from '../tables/base-rows.js';
import { alike, type DuckDb, duckDb, type Engine, sqlite } from '../tables/engines.js';

const catalogue = readCatalogue('queries');
const decisions = [...decisionQueries('.').values()];
const RUNS = nightly ? 200 : 5;

const SETTINGS: Readonly<Record<string, readonly Given[]>> = {
  corpus: [
    {},
    { min_n: ['0'] },
    { by: ['kind', 'week'], min_n: ['2'] },
    { by: ['provider', 'daemon', 'environment', 'hour'] },
    { by: ['response_model', 'prompt_version', 'validator_version', 'day', 'month'] },
  ],
  'first-shot': [{}, { gated_kind: ['fill', 'email'] }, { gated_kind: ['nothing'] }],
  rejections: [
    {},
    { top: ['2'] },
    { by: ['kind', 'hour'], top: ['99'] },
    { by: ['provider', 'daemon', 'environment', 'week'], top: ['3'] },
    { by: ['response_model', 'prompt_version', 'validator_version', 'day', 'month'], top: ['99'] },
  ],
  retries: [
    {},
    { by: ['kind', 'day'], min_n: ['2'] },
    { by: ['provider', 'daemon', 'environment', 'week'] },
    { by: ['response_model', 'prompt_version', 'validator_version', 'hour', 'month'] },
  ],
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
    { by: ['response_model', 'prompt_version', 'validator_version', 'hour', 'week', 'month'] },
    { by: GROUPINGS, min_n: ['1'] },
  ],
};

let duck: DuckDb;
let lite: Engine;
beforeAll(async () => {
  duck = await duckDb();
  lite = sqlite();
});
afterAll(() => {
  duck.close();
  lite.close();
});

const readLog = ({ sessions, replays }: { sessions: Buffer; replays: Buffer }) =>
  loadLog(
    [
      { file: 'sessions.jsonl', bytes: sessions, as: 'sessions' },
      { file: 'replay_runs.jsonl', bytes: replays, as: 'replay' },
    ],
    { now: Date.UTC(2026, 9, 1), pendingGraceS: 0 },
  );

const fixtures = new Map<string, Log>();
function fixture(scenario: string): Log {
  const at = (name: string) => readFileSync(path.join('fixtures', scenario, name));
  const log =
    fixtures.get(scenario) ?? readLog({ sessions: at('sessions.jsonl'), replays: at('replay_runs.jsonl') });
  fixtures.set(scenario, log);
  return log;
}

/** Made once for a log, so that engines that hold them need not be filled again. */
const rowsOf = new WeakMap<Log, ReturnType<typeof baseRows>>();

/** Rows of the query, unchanged, on DuckDB and on SQLite, each over the views that are shipped and equal base tables. */
async function onBoth(query: Query, given: Given, log: Log, filters: Filters = {}) {
  const { columns: params, gatedKinds } = bindParams(query, given);
  const rows = rowsOf.get(log) ?? baseRows(log);
  rowsOf.set(log, rows);
  const columns = yieldedColumns(query);
  const kinds = columns.map(({ type }) =>
    type === 'boolean' ? 'boolean' : type === 'fraction' || type === 'number' ? 'number' : 'other',
  );
  const [duckdb, sqlite] = await Promise.all(
    [duck, lite].map(async (engine) => {
      await engine.fill(rows, { filters: { ...filters, tz: 'UTC' }, gatedKinds, params });
      const { names, cells } = await engine.query(query.sql);
      if (engine === duck || cells.length > 0) expect(names).toEqual(columns.map(({ name }) => name));
      return alike(kinds, cells);
    }),
  );
  return { duckdb: duckdb!, sqlite: sqlite! };
}

describe.each(catalogue)('$name gives the same rows, in the same order, on DuckDB and on SQLite', (query) => {
  test('has settings to run with', () => {
    expect(SETTINGS[query.name]?.length).toBeGreaterThan(1);
  });

  test.each(['healthy', 'alarm', 'messy'].map((scenario, i) => [scenario, i] as const))(
    'fixtures/%s',
    async (scenario, turn) => {
      const log = fixture(scenario);
      // By day each of them over one of the fixtures.
      for (const given of SETTINGS[query.name]!.filter((_, i) => nightly || i % 3 === turn)) {
        const { duckdb, sqlite } = await onBoth(query, given, log);
        expect(sqlite).toEqual(duckdb);
        if (query.name !== 'alarm') expect(duckdb.length).toBeGreaterThan(0);
      }
    },
  );

  test('random logs', async () => {
    let rows = 0;
    await fc.assert(
      fc.asyncProperty(
        randomLogs({ dirty: true }),
        fc.constantFrom(...SETTINGS[query.name]!),
        fc.oneof({ weight: 3, arbitrary: fc.constant({}) }, { weight: 1, arbitrary: randomFilters() }),
        async (log, given, filters) => {
          const { duckdb, sqlite } = await onBoth(query, given, readLog(log), filters);
          expect(sqlite).toEqual(duckdb);
          rows += duckdb.length;
        },
      ),
      { numRuns: RUNS },
    );
    // Or nothing was compared.
    expect(rows).toBeGreaterThan(0);
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
  'a join other than INNER, LEFT or CROSS':
    /\b(right|full|outer|natural|asof|semi|anti|positional|lateral)\b/i,
  'text joined by ||': /\|\|/,
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
    .filter((type) => !['bigint', 'integer', 'double'].includes(type))
    .map((type) => `cast to ${type}`);
  const frames = windowsIn(code)
    .filter(({ name, over }) => UNFRAMED.has(name) === /\b(rows|range)\b/i.test(over))
    .map(({ name }) =>
      UNFRAMED.has(name) ? `a frame on ${name}, which Trino refuses` : `no explicit frame on ${name}`,
    );
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
  return [
    ...[...constructs, ...functions, ...casts, ...frames, ...sorted],
    ...[...hidingAliases(code), ...unnamedColumns(code), ...circular(code)],
  ];
}

/** Their order says all; a frame would mean nothing. */
const UNFRAMED = new Set(['row_number', 'rank', 'dense_rank', 'lag', 'lead']);

/** Window functions with what stands in the brackets of their OVER. */
function windowsIn(code: string): { name: string; over: string }[] {
  return [...code.matchAll(/\)\s*over\s*\(/gi)].map(({ index, 0: found }) => {
    let depth = 1;
    let at = index;
    while (depth > 0 && at > 0) {
      at -= 1;
      depth += code[at] === ')' ? 1 : code[at] === '(' ? -1 : 0;
    }
    const [name = ''] = /\w+\s*$/.exec(code.slice(0, at)) ?? [];
    const [over] = cutOutside(code, index + found.length, /^$/, /^$/);
    return { name: name.trim().toLowerCase(), over: over! };
  });
}

/** SQLite takes the table in `t AS (SELECT … FROM t)` for the name that is being explained. */
function circular(code: string): string[] {
  return [...code.matchAll(/(?:\bwith|,)\s+(\w+)\s+as\s*\(/gi)]
    .filter(({ 0: found, 1: name, index }) => {
      const [body] = cutOutside(code, index + found.length, /^$/, /^$/);
      return new RegExp(`\\b(?:from|join)\\s+${name}\\b`, 'i').test(body!);
    })
    .map(([, name]) => `a WITH clause called like the table that it reads: ${name}`);
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

/** The tables that SQL reads which it does not make itself. */
function tablesRead(sql: string): string[] {
  const code = sql.replace(/--[^\n]*/g, ' ').replace(/'(?:[^']|'')*'/g, "''");
  const own = [...code.matchAll(/(?:\bwith|,)\s+(\w+)\s+as\s*\(/gi)].map(([, name]) => name!);
  const read = [...code.matchAll(/\b(?:from|join)\s+([\w.]+)/gi)].map(([, name]) => name!);
  return read.filter((name) => !own.includes(name));
}

const views = readdirSync('queries/tables').map((file) => {
  return { file, text: readFileSync(path.join('queries/tables', file), 'utf8') };
});

/** A slot stands where such SQL can stand, and for nothing else. */
const SLOTS: Readonly<Record<string, string>> = {
  gated: "s.kind IN ('fill')",
  ...Object.fromEntries(PERIODS.map((period) => [period, 's.timestamp'])),
  text: 's.line',
  selected: "(s.model IN ('m'))",
  selected_runs: '(r.line > 0)',
  run_order: 'r.batch',
  ...Object.fromEntries(Object.keys(BASE_TABLES).map((name) => [`base.${name}`, `base_${name}`])),
};

function filled(text: string): string {
  return fillSlots(text, (name) => {
    if (SLOTS[name] === undefined) throw new Error(`there is no slot {{${name}}}`);
    return SLOTS[name];
  });
}

describe('the SQL keeps to what DuckDB, ClickHouse, Trino, Spark and SQLite share', () => {
  test.each(catalogue)('$name', ({ sql }) => {
    expect(foreignIn(sql)).toEqual([]);
  });

  test.each(decisions)('$name, with its slots filled', ({ widest }) => {
    expect(foreignIn(widest.replaceAll('TIMESTAMPTZ ', ''))).toEqual([]);
    expect(widest).not.toContain('{{');
  });

  test.each(catalogue)('$name reads the tables of the fixed surface and nothing else', ({ sql }) => {
    const known: readonly string[] = TABLE_NAMES;
    expect(tablesRead(sql).filter((name) => !known.includes(name))).toEqual([]);
  });

  test.each(views)('the view in $file', ({ text }) => {
    expect(foreignIn(filled(text))).toEqual([]);
    const known = Object.keys(BASE_TABLES).map((name) => `base_${name}`);
    expect(tablesRead(filled(text)).filter((name) => !known.includes(name))).toEqual([]);
  });

  test.each(views)('$file says first, in one or two lines, what the table is', ({ text }) => {
    expect(text).toMatch(/^(-- [^\n]+\n){1,2}SELECT\n/);
  });

  test.each(views)('$file has a column a line, below its type and a sentence', ({ text }) => {
    const [, list = ''] = /^SELECT\n(.*?)^FROM /ms.exec(text) ?? [];
    expect(list).toMatch(
      /^( {2}(-- (BIGINT|DOUBLE|BOOLEAN|VARCHAR|TIMESTAMPTZ): [^\n]+\.\n {2})?[^-\n]+\n)+$/,
    );
  });

  test('there is a view for every published table, and for nothing else', () => {
    const tables = TABLE_NAMES.filter((name) => name !== 'params');
    expect(views.map(({ file }) => file).sort()).toEqual(tables.map((name) => `${name}.sql`).sort());
  });

  test.each<[string, string]>([
    ['SELECT COUNT(*) FILTER (WHERE a) FROM t', 'FILTER (WHERE …)'],
    ['SELECT a FROM t QUALIFY ROW_NUMBER() OVER (ORDER BY t.line) = 1', 'QUALIFY'],
    ['SELECT list_transform(a, x -> x) FROM t', 'a lambda'],
    ['SELECT list_transform(a, lambda x: x) FROM t', 'a lambda'],
    ['SELECT a::DOUBLE FROM t', 'a :: cast'],
    ['SELECT t.a.b FROM t', 'struct or table access by more than one dot'],
    ["SELECT a['b'] FROM t", 'a list or struct'],
    ['SELECT 1 FROM t RIGHT JOIN u ON t.a = u.a', 'a join other than INNER, LEFT or CROSS'],
    ['SELECT 1 FROM t FULL JOIN u ON t.a = u.a', 'a join other than INNER, LEFT or CROSS'],
    ['SELECT 1 FROM t NATURAL JOIN u', 'a join other than INNER, LEFT or CROSS'],
    ["SELECT t.a || 'x' AS b FROM t", 'text joined by ||'],
    ['SELECT CAST(a AS VARCHAR) FROM t', 'cast to varchar'],
    ['WITH t AS (SELECT a FROM t) SELECT a FROM t', 'a WITH clause called like the table that it reads: t'],
    [
      'WITH u AS (SELECT a FROM t), t AS (SELECT a FROM u JOIN (SELECT b FROM t) v ON v.b = u.a) SELECT a FROM t',
      'a WITH clause called like the table that it reads: t',
    ],
    ['SELECT 1.0 * a FROM t', 'a decimal literal (1.0 is DECIMAL in Trino)'],
    ['SELECT .5 * a FROM t', 'a decimal literal (1.0 is DECIMAL in Trino)'],
    ['SELECT * FROM t', 'SELECT *'],
    ['SELECT strftime(a) FROM t', 'function strftime'],
    ['SELECT CAST(a AS UBIGINT) FROM t', 'cast to ubigint'],
    ['SELECT a FROM t ORDER BY a', 'NULL order left open: a'],
    ['SELECT SUM(a) OVER (ORDER BY t.line) FROM t', 'no explicit frame on sum'],
    ['SELECT COALESCE(SUM(COALESCE(a, 0)) OVER (PARTITION BY b), 0) FROM t', 'no explicit frame on sum'],
    [
      'SELECT ROW_NUMBER() OVER (ORDER BY t.line ROWS UNBOUNDED PRECEDING) FROM t',
      'a frame on row_number, which Trino refuses',
    ],
    [
      'SELECT RANK() OVER (ORDER BY t.line RANGE UNBOUNDED PRECEDING) FROM t',
      'a frame on rank, which Trino refuses',
    ],
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
      SELECT c.a AS a, c.r, SUM(n) AS n, MAX(c.m) AS m, SUM(c.m) AS m_sum, COALESCE(SUM(c.b) OVER (ORDER BY c.line ROWS BETWEEN 1 PRECEDING AND CURRENT ROW), 0e0) AS o, ROW_NUMBER() OVER (PARTITION BY c.a ORDER BY c.line DESC) AS p_no
      FROM c LEFT JOIN u ON u.a = c.a
      UNION ALL
      SELECT d.a, COUNT(DISTINCT d.s) AS s FROM (SELECT DISTINCT u.a, u.s FROM u) d CROSS JOIN params p
      WHERE d.s <= p.top GROUP BY d.a ORDER BY c.a DESC NULLS LAST, c.line LIMIT 5`;
    expect(foreignIn(sql)).toEqual([]);
  });
});
