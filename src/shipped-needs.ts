/** Run by the build: what all SQL that ships needs to be loaded, so that no run has to ask the engine for its parse. */

import { parseSql } from './lake/box.js';
import { openDatabase } from './lake/duckdb/connection.js';
import { CALLS_SQL, judgedSql } from './lake/lake.js';
import { keyOf, type NeedsTable, namesIn, type Parse } from './lake/tables/needs.js';
import { readCatalogue } from './query/catalogue.js';
import { decisionQueries } from './query/decision-sql.js';
import { RECOMPUTED_SQL } from './query/roster.js';
import { storySql, TRACE_SQL } from './query/story.js';

/** @param root of the package. */
export async function makeNeeds(root: string): Promise<NeedsTable> {
  const questions = readCatalogue(`${root}/queries`).flatMap(({ sql, gate }) => [
    sql,
    ...(gate ? [judgedSql(gate.judges)] : []),
  ]);
  const decisions = [...decisionQueries(root).values()].map(({ widest }) => widest);
  const sql = new Set([
    ...questions,
    ...decisions,
    ...storySql(false),
    ...storySql(true),
    ...TRACE_SQL,
    CALLS_SQL,
    RECOMPUTED_SQL,
  ]);
  const db = await openDatabase(null, '1GB');
  try {
    return await needsTable([...sql], (one) => parseSql(db, one));
  } finally {
    db.close();
  }
}

export async function needsTable(sql: readonly string[], parse: Parse): Promise<NeedsTable> {
  const needs = await Promise.all(sql.map(async (one) => namesIn(await parse(one))));
  return Object.fromEntries(sql.map((one, i) => [keyOf(one), needs[i]!]));
}
