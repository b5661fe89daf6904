import type { SqlType } from '../../scan/columns.js';
import { type BaseName, baseTable } from './base.js';
import { type Dialect, DUCKDB, PERIODS } from './dialect.js';
import { type Needs, wants } from './needs.js';
import { publishedTables, type Table, type TableColumn } from './published.js';

/** What the slots of the tables are filled with. */
export interface Slots {
  readonly dialect: Dialect;
  readonly gatedKinds: readonly string[];
  readonly tz: string;
  /** Condition over a call `s`, from the filters; `TRUE` without any. It decides, it never hides a call from the health checks. */
  readonly selects: string;
  /** Condition over a replay run `r`: its own timestamp in the window. */
  readonly selectsRun: string;
  /** What a base table is called; in a database of lakelog's own by default. */
  readonly base?: (name: BaseName) => string;
  /** Of a replay run `r`: where its file stands among all, if not by the number of its batch. */
  readonly runOrder?: string | undefined;
}

/** Puts SQL in the place of each slot: `{{gated}}`, `{{base.calls}}`, `{{text s.kind}}`. */
export function fillSlots(sql: string, fill: (name: string, argument: string) => string): string {
  return sql.replace(/\{\{([\w.]+) ?([^}]*)\}\}/g, (_, name, argument) => fill(name, argument));
}

/** A published table as one SELECT over the base tables. */
export function composeView({ columns, from }: Pick<Table, 'columns' | 'from'>, slots: Slots): string {
  const { dialect, base = baseTable } = slots;
  const kinds = slots.gatedKinds.map((kind) => dialect.quote(kind)).join(', ') || dialect.quote('');
  const fillings: Readonly<Record<string, string>> = {
    gated: `s.kind IN (${kinds})`,
    ...Object.fromEntries(PERIODS.map((period) => [period, dialect.period(period, 's.timestamp', slots.tz)])),
    selected: `(${slots.selects})`,
    selected_runs: `(${slots.selectsRun})`,
    run_order: slots.runOrder ?? 'r.batch',
  };
  // COUNT(*) names none, and a view without columns cannot be.
  const list = columns.map(({ sql }) => sql).join(',\n  ') || '1 AS no_column';
  const sql = `SELECT\n  ${list}\n${from.map((piece) => piece.sql).join('')}`;
  return fillSlots(sql, (name, argument) => {
    if (name === 'text') return dialect.text(argument);
    if (name === 'null') return `CAST(NULL AS ${dialect.type(argument as SqlType)})`;
    return fillings[name] ?? base(name.replace('base.', '') as BaseName);
  });
}

export interface UseOptions {
  readonly showContent: boolean;
  /** There is a roster; without one, what it would say of calls is NULL. */
  readonly hasRoster?: boolean | undefined;
  /** Columns of a call that filters read. */
  readonly alsoColumns?: readonly string[];
}

/** A published table that is needed, with the columns and joins that it shall have and all that those read. */
export type TableUse = Table & { readonly reads: readonly string[] };

/** Content that was not asked for does not exist. */
export function tableUses(
  needs: Needs,
  { showContent, hasRoster = false, alsoColumns = [] }: UseOptions,
): TableUse[] {
  const needed = publishedTables().filter(({ name }) => needs.tables.includes(name) && name !== 'params');
  return needed.map((table) => {
    const columns = table.columns
      .filter(({ name, content }) => (showContent || !content) && wants(needs, name))
      .map((column) => (hasRoster || !column.reads.some(isOfRoster) ? column : withoutValue(column)));
    const read = columns.flatMap(({ reads }) => reads);
    const from = table.from.filter(
      ({ lookup }) => lookup === undefined || read.some((name) => name.startsWith(`${lookup}.`)),
    );
    const reads = [...read, ...from.flatMap((piece) => piece.reads)].flatMap((name) =>
      name.endsWith('.selected') ? alsoColumns.map((column) => name.replace('selected', column)) : [name],
    );
    return { ...table, columns, from, reads };
  });
}

const isOfRoster = (read: string) => read.startsWith('recomputed.');

function withoutValue(column: TableColumn): TableColumn {
  return { ...column, sql: `{{null ${column.type}}} AS ${column.name}`, reads: [] };
}

export interface ViewContext extends UseOptions, Omit<Slots, 'dialect' | 'base'> {
  readonly needs: Needs;
  /** False: they stay with the base tables; else they are seen before all others of their names, and go with the connection. */
  readonly temporary: boolean;
}

/** The statements that make the needed tables in DuckDB; the base tables hold what the load plan of the same needs says. */
export function viewStatements(context: ViewContext): string[] {
  return tableUses(context.needs, context).map(
    (use) =>
      `CREATE OR REPLACE ${context.temporary ? 'TEMP VIEW ' : 'VIEW main.'}${use.name} AS ${composeView(use, { ...context, dialect: DUCKDB })}`,
  );
}
