import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { DUCKDB_LITERALS, decisionQueries, type Filling, filled } from '../../src/query/decision-sql.js';
import { type Literals, possibleSql, selectionSql } from '../../src/query/selection.js';
import { decisionLogs, momentOf, selections } from '../oracle/decision-logs.mjs';
import {
  compareCounts,
  driftDays,
  driftMoment,
  driftVersion,
  neverFirst,
  type OracleSelection,
  overlapRow,
  unrecordedRow,
  versionCounts,
} from '../oracle/decisions.mjs';
import { type Log, loadLog } from '../oracle/oracle.mjs';
import fc from '../support/fast-check.js';
import { baseRows } from '../tables/base-rows.js';
import { alike, type DuckDb, duckDb, type Engine, microseconds, sqlite } from '../tables/engines.js';

const RUNS = process.env.LAKELOG_NIGHTLY === '1' ? 250 : 8;
const queries = decisionQueries('.');

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

const readLog = (bytes: Buffer) =>
  loadLog([{ file: 'sessions.jsonl', bytes, as: 'any' }], { now: Date.UTC(2026, 9, 1), pendingGraceS: 0 });

/** SQLite's instants are texts of one width. */
const SQLITE_LITERALS: Literals = {
  quote: (text) => `'${text.replaceAll("'", "''")}'`,
  instant: (time) => `'${microseconds(time)}'`,
};

const iso = (time: number | undefined) => (time === undefined ? null : new Date(time).toISOString());

const sqlOf =
  (sql: typeof selectionSql) =>
  ({ values = {}, since, until }: OracleSelection, literals: Literals) =>
    sql({ values, since: undefined, until: undefined }, { since: iso(since), until: iso(until) }, literals);
const conditionOf = sqlOf(selectionSql);
const possibleOf = sqlOf(possibleSql);

/** Rows on DuckDB and on SQLite, each with its own literals in the slots. */
async function onBoth(name: string, log: Log, filling: (literals: Literals) => Filling) {
  const query = queries.get(name)!;
  const rows = baseRows(log);
  const kinds = query.columns.map(({ type }) => (type === 'number' ? 'number' : 'other'));
  const [duckdb, sqlite] = await Promise.all(
    (
      [
        [duck, DUCKDB_LITERALS],
        [lite, SQLITE_LITERALS],
      ] as const
    ).map(async ([engine, literals]) => {
      await engine.fill(rows, {});
      const { names, cells } = await engine.query(filled(query.sql, filling(literals)));
      if (engine === duck || cells.length > 0)
        expect(names).toEqual(query.columns.map((column) => column.name));
      return alike(kinds, cells);
    }),
  );
  return { kinds, duckdb: duckdb!, sqlite: sqlite! };
}

const withMicroseconds = (cells: readonly (readonly (string | number | null)[])[]) =>
  cells.map((row) =>
    row.map((cell) =>
      typeof cell === 'string' && /^\d{4}-\d\d-\d\dT/.test(cell) ? microseconds(cell) : cell,
    ),
  );

async function ensureSame(
  name: string,
  log: Log,
  expected: (string | number | null)[][],
  filling: (literals: Literals) => Filling,
): Promise<number> {
  const { kinds, duckdb, sqlite } = await onBoth(name, log, filling);
  expect(sqlite).toEqual(duckdb);
  expect(duckdb).toEqual(alike(kinds, withMicroseconds(expected)));
  return duckdb.length;
}

/** Checks random logs; fails where nothing was ever compared. */
async function onRandomLogs<T>(arbitrary: fc.Arbitrary<T>, check: (log: Log, drawn: T) => Promise<number>) {
  let rows = 0;
  const all = fc.asyncProperty(decisionLogs(), arbitrary, async (bytes, drawn) => {
    rows += await check(readLog(bytes), drawn);
  });
  // By chance a few logs may hold next to nothing that is asked for.
  for (let rounds = 0; rounds < 3 && rows <= RUNS / 20; rounds++) await fc.assert(all, { numRuns: RUNS });
  expect(rows).toBeGreaterThan(RUNS / 20);
}

const arms = fc.record({ baseline: selections(), candidate: selections() });
const ofArms =
  (given: { baseline: OracleSelection; candidate: OracleSelection }) =>
  (literals: Literals): Filling => ({
    baseline: conditionOf(given.baseline, literals),
    candidate: conditionOf(given.candidate, literals),
  });

const oftenUnrecorded = fc.record({
  baseline: fc.constantFrom<OracleSelection[]>(
    { values: { prompt_version: ['p1'] } },
    { values: { provider: ['a'], response_model: ['r1'] } },
  ),
  candidate: selections(),
});

describe('counts of decisions equal the oracle, on DuckDB and on SQLite', () => {
  test('compare', () =>
    onRandomLogs(arms, (log, given) => ensureSame('compare', log, compareCounts(log, given), ofArms(given))));

  test('compare of one arm alone', () =>
    onRandomLogs(selections(), (log, baseline) =>
      ensureSame('compare', log, compareCounts(log, { baseline, candidate: null }), (literals) => ({
        baseline: conditionOf(baseline, literals),
        candidate: 'FALSE',
      })),
    ));

  test('versions', () =>
    onRandomLogs(arms, (log, given) =>
      ensureSame('versions', log, versionCounts(log, given), ofArms(given)),
    ));

  test('overlap', () =>
    onRandomLogs(fc.record({ baseline: selections(), candidate: fc.constant({}) }), (log, given) =>
      ensureSame('overlap', log, overlapRow(log, given), ofArms(given)),
    ));

  test('unrecorded', () =>
    onRandomLogs(oftenUnrecorded, (log, given) =>
      ensureSame('unrecorded', log, unrecordedRow(log, given), (literals) => ({
        ...ofArms(given)(literals),
        possible: `(${[given.baseline, given.candidate].map((arm) => possibleOf(arm, literals)).join(' OR ')})`,
      })),
    ));

  const since = fc.option(momentOf(), { nil: undefined });
  const epochOf = (epoch: number | undefined, literals: Literals) =>
    epoch === undefined ? 'TRUE' : `r.ended >= ${literals.instant(iso(epoch)!)}`;

  test('drift-days', () =>
    onRandomLogs(since, (log, epoch) =>
      ensureSame('drift-days', log, driftDays(log, epoch), (literals) => ({
        epoch: epochOf(epoch, literals),
      })),
    ));

  test('never-first', () =>
    onRandomLogs(since, (log, epoch) => {
      // In so few traces some kinds begin none.
      const sessions = log.sessions.map((call, i) => ({ ...call, session_id: `trace-${i % 2}` }));
      const few = { ...log, sessions };
      return ensureSame('never-first', few, neverFirst(few, epoch), (literals) => ({
        epoch: epochOf(epoch, literals),
      }));
    }));

  test('drift-moment', () =>
    onRandomLogs(fc.tuple(momentOf(), since), (log, [change, epoch]) =>
      ensureSame('drift-moment', log, driftMoment(log, change, epoch), (literals) => ({
        change: literals.instant(iso(change)!),
        epoch: epochOf(epoch, literals),
      })),
    ));

  test('drift-version', () =>
    onRandomLogs(
      fc.tuple(fc.constantFrom('prompt_version', 'validator_version', 'response_model', 'model'), since),
      (log, [field, epoch]) =>
        ensureSame('drift-version', log, driftVersion(log, field, epoch), (literals) => ({
          version: `s.${field}`,
          epoch: epochOf(epoch, literals),
        })),
    ));
});
