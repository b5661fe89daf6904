/** A question as another engine gets it, with all that filters and parameters say written out. */
import { parseSql } from './box.js';
import { openDatabase } from './duckdb/connection.js';
import { memoryLimit } from './duckdb/memory.js';
import { type Filters, filteredColumns, filterSql, resolveWindow } from './filters.js';
import { composeStatement, type ParamValues } from './tables/compose.js';
import type { Dialect } from './tables/dialect.js';
import { needsOf, shippedNeeds } from './tables/needs.js';

export { DIALECT_NAMES, DIALECTS, type DialectName } from './tables/dialects.js';

export interface PrintOptions {
  readonly dialect: Dialect;
  readonly filters: Filters;
  readonly gatedKinds: readonly string[];
  readonly params: ParamValues;
  readonly showContent: boolean;
  readonly now: Date;
}

/**
 * @param where the file of the SQL.
 * @throws LakelogError (exit 2) for filters that cannot be meant, and SQL that cannot be put behind the tables.
 */
export async function printedStatement(sql: string, where: string, options: PrintOptions): Promise<string> {
  const { dialect, filters, now } = options;
  const db = await openDatabase(null, memoryLimit(undefined));
  try {
    const window = await resolveWindow(db, filters, now);
    const needs = await needsOf([sql], (one) => parseSql(db, one), shippedNeeds());
    return composeStatement(sql, where, {
      ...{ ...options, needs, tz: filters.tz, alsoColumns: filteredColumns(filters) },
      ...filterSql(filters, window, dialect),
    });
  } finally {
    db.close();
  }
}
