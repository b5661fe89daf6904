/** Rows of base tables as literals of a dialect, for a statement that holds them beside those of files. */

import type { Lake } from '../lake/lake.js';
import { BASE_TABLES, type BaseColumn, type BaseName } from '../lake/tables/base.js';
import type { Dialect } from '../lake/tables/dialect.js';
import type { LiteralRow } from '../lake/tables/sources.js';

import type { Cell } from '../schema/result.js';

/** The number of the batch of rows that stand in no file. */
const NO_BATCH = -1;

/** All that a lake in memory holds. */
export async function literalRows(
  lake: Pick<Lake, 'query'>,
  dialect: Dialect,
): Promise<Partial<Record<BaseName, LiteralRow[]>>> {
  const { cells: tables } = await lake.query(
    `SELECT table_name FROM duckdb_tables() WHERE database_name = current_database()`,
  );
  const made = new Set(tables.map(([name]) => name));
  const found: Partial<Record<BaseName, LiteralRow[]>> = {};
  for (const name of (Object.keys(BASE_TABLES) as BaseName[]).filter((one) => made.has(`base_${one}`))) {
    const { names, cells } = await lake.query(`SELECT * FROM main.base_${name}`);
    found[name] = cells.map((row) =>
      literalRow(name, new Map(names.map((column, i) => [column, row[i]!])), dialect),
    );
  }
  return found;
}

function literalRow(base: BaseName, row: ReadonlyMap<string, Cell>, dialect: Dialect): LiteralRow {
  return Object.fromEntries(
    BASE_TABLES[base].map(({ name, type }) => [
      name,
      name === 'batch'
        ? `CAST(${NO_BATCH} AS ${dialect.type(type)})`
        : literal(row.get(name) ?? null, type, dialect),
    ]),
  );
}

function literal(value: Cell, type: BaseColumn['type'], dialect: Dialect): string {
  const cast = (text: string) => `CAST(${text} AS ${dialect.type(type)})`;
  if (value === null) return cast('NULL');
  if (type === 'TIMESTAMPTZ') return cast(dialect.instant(String(value)));
  if (type === 'VARCHAR') return cast(dialect.quote(String(value)));
  return cast(String(value));
}
