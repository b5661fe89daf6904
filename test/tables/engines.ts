import { DuckDBInstance, DuckDBTimestampTZValue } from '@duckdb/node-api';
import initSqlJs, { type SqliteValue } from 'sql.js';
import { BASE_TABLES, type BaseColumn, type BaseName, baseTable } from '../../src/lake/tables/base.js';
import { type Dialect, DUCKDB } from '../../src/lake/tables/dialect.js';
import { EVERYTHING, type Needs } from '../../src/lake/tables/needs.js';
import { type LoadPlan, loadPlan } from '../../src/lake/tables/plan.js';
import { publishedTables, TABLE_NAMES } from '../../src/lake/tables/published.js';
import { composeView, viewStatements } from '../../src/lake/tables/views.js';
import { type Filters, formatInstant } from '../oracle/oracle.mjs';
import { type BaseRows, cellsOf, type Value } from './base-rows.js';

/** What a run asks of its tables. */
export interface Asked {
  readonly filters?: Filters;
  readonly gatedKinds?: readonly string[];
  readonly params?: Readonly<Record<string, string | number | boolean | null>>;
  readonly needs?: Needs;
  readonly showContent?: boolean;
}

export interface Answered {
  readonly names: readonly string[];
  readonly cells: readonly (readonly Value[])[];
}

/** An engine in which base tables are filled and the published ones stand over them. */
export interface Engine {
  /** Rows that are there already, the very same object, are not written again. */
  fill(rows: BaseRows, asked?: Asked): Promise<void>;
  query(sql: string): Promise<Answered>;
  close(): void;
}

const FILTERED = ['model', 'kind', 'daemon', 'environment'] as const;

const instantMicros = (milliseconds: number) => BigInt(milliseconds) * 1000n;

function conditions(filters: Filters, dialect: Dialect) {
  const instant = (micros: bigint) => dialect.instant(formatInstant(micros));
  const within = (alias: string) => [
    ...(filters.since === undefined
      ? []
      : [`${alias}.timestamp >= ${instant(instantMicros(filters.since))}`]),
    ...(filters.until === undefined ? [] : [`${alias}.timestamp < ${instant(instantMicros(filters.until))}`]),
  ];
  const oneOf = FILTERED.filter((name) => (filters[name] ?? []).length > 0).map(
    (name) => `s.${name} IN (${filters[name]!.map((value) => dialect.quote(value)).join(', ')})`,
  );
  return {
    tz: filters.tz ?? 'UTC',
    selects: [...within('s'), ...oneOf].join(' AND ') || 'TRUE',
    selectsRun: within('r').join(' AND ') || 'TRUE',
  };
}

const literal = (dialect: Dialect, value: string | number | boolean | null) =>
  typeof value === 'string' ? dialect.quote(value) : String(value);

const paramsSql = (dialect: Dialect, { params = {} }: Asked) =>
  `CREATE TABLE params AS SELECT ${
    Object.entries(params)
      .map(([name, value]) => `${literal(dialect, value)} AS ${name}`)
      .join(', ') || 'NULL AS none'
  }`;

export interface DuckDb extends Engine {
  parse(sql: string): Promise<string>;
}

/** DuckDB as lakelog uses it: base tables of the planned columns only, and views of the needed ones. */
export async function duckDb(): Promise<DuckDb> {
  const instance = await DuckDBInstance.create(':memory:', { threads: '1' });
  const db = await instance.connect();
  // The tables are small: threads would only wait for each other.
  await db.run("SET TimeZone = 'UTC'; SET threads = 1");
  const runAll = (statements: readonly string[]) => db.run(statements.join(';\n'));
  const query = async (sql: string): Promise<Answered> => {
    const reader = await db.runAndReadAll(sql);
    return { names: reader.columnNames(), cells: reader.getRows().map((row) => row.map(plain)) };
  };
  const parse = async (sql: string) =>
    (await query(`SELECT json_serialize_sql(${DUCKDB.quote(sql)})`)).cells[0]![0] as string;
  const append = async (name: BaseName, columns: readonly BaseColumn[], rows: BaseRows) => {
    if (rows[name].length === 0) return;
    const appender = await db.createAppender(`base_${name}`);
    for (const row of rows[name]) {
      for (const [i, value] of cellsOf(name, row, columns).entries()) {
        if (value === null) appender.appendNull();
        else if (typeof value === 'bigint') appender.appendTimestampTZ(new DuckDBTimestampTZValue(value));
        else if (typeof value === 'string') appender.appendVarchar(value);
        else if (typeof value === 'boolean') appender.appendBoolean(value);
        else if (columns[i]!.type === 'DOUBLE') appender.appendDouble(value);
        else appender.appendBigInt(BigInt(value));
      }
      appender.endRow();
    }
    appender.closeSync();
  };
  let held: { rows: BaseRows; plan: string } | undefined;
  const hold = async (rows: BaseRows, plan: LoadPlan) => {
    const wanted = JSON.stringify(plan);
    if (held?.rows === rows && held.plan === wanted) return;
    held = undefined;
    const planned = Object.entries(plan) as [BaseName, readonly BaseColumn[]][];
    await runAll([
      ...Object.keys(BASE_TABLES).map((name) => `DROP TABLE IF EXISTS ${baseTable(name as BaseName)}`),
      ...planned.map(([name, columns]) => {
        const list = columns.map((column) => `"${column.name}" ${column.type}`).join(', ');
        return `CREATE TABLE ${baseTable(name)} (${list})`;
      }),
    ]);
    for (const [name, columns] of planned) await append(name, columns, rows);
    held = { rows, plan: wanted };
  };
  return {
    async fill(rows, asked = {}) {
      const { filters = {}, gatedKinds = ['fill'], needs = EVERYTHING, showContent = true } = asked;
      const alsoColumns = [
        ...FILTERED.filter((name) => (filters[name] ?? []).length > 0),
        ...(filters.since === undefined && filters.until === undefined ? [] : ['timestamp']),
      ];
      const plan = loadPlan(needs, { showContent, alsoColumns, hasRoster: true });
      await runAll(
        TABLE_NAMES.map((name) => `DROP ${name === 'params' ? 'TABLE' : 'VIEW'} IF EXISTS ${name}`),
      );
      await hold(rows, plan);
      const said = conditions(filters, DUCKDB);
      const context = {
        ...{ needs, showContent, alsoColumns, hasRoster: true, gatedKinds, ...said },
        temporary: false,
      };
      await runAll([...viewStatements(context), paramsSql(DUCKDB, asked)]);
    },
    query,
    parse,
    close() {
      db.closeSync();
      instance.closeSync();
    },
  };
}

/** UTC only: SQLite knows no time zones. */
const SQLITE: Dialect = {
  name: 'SQLite',
  ident: (name) => `"${name.replaceAll('"', '""')}"`,
  instant: (time) => SQLITE.quote(microseconds(time)),
  type: (type) => type,
  ending: '',
  quote: (text) => `'${text.replaceAll("'", "''")}'`,
  period: (period, instant) =>
    period === 'week'
      ? `STRFTIME('%G-W%V', ${instant})`
      : `SUBSTR(${instant}, 1, ${{ hour: 13, day: 10, month: 7 }[period]})`,
  text: (expression) => `CAST(${expression} AS TEXT)`,
};

const { Database } = await initSqlJs({ useOldExtensionFunctions: false });

/** SQLite over whole base tables, by the same templates; its instants are texts of one width, so that they sort. */
export function sqlite(): Engine {
  let db = new Database();
  let held: BaseRows | undefined;
  const published = publishedTables().filter(({ columns }) => columns.length > 0);
  const hold = (rows: BaseRows) => {
    if (held === rows) return;
    held = undefined;
    db.close();
    db = new Database();
    for (const name of Object.keys(BASE_TABLES) as BaseName[]) {
      const columns = BASE_TABLES[name].map((column) => `"${column.name}"`);
      db.run(`CREATE TABLE base_${name} (${columns.join(', ')})`);
      const insert = db.prepare(`INSERT INTO base_${name} VALUES (${columns.map(() => '?').join(', ')})`);
      for (const row of rows[name]) insert.run(cellsOf(name, row).map(stored));
      insert.free();
    }
    held = rows;
  };
  return {
    async fill(rows, asked = {}) {
      hold(rows);
      for (const { name } of published) db.run(`DROP VIEW IF EXISTS ${name}`);
      db.run('DROP TABLE IF EXISTS params');
      const { filters = {}, gatedKinds = ['fill'] } = asked;
      const said = conditions(filters, SQLITE);
      const slots = { dialect: SQLITE, gatedKinds, ...said };
      for (const table of published) db.run(`CREATE VIEW ${table.name} AS ${composeView(table, slots)}`);
      db.run(paramsSql(SQLITE, asked));
    },
    async query(sql) {
      const [result] = db.exec(sql);
      return { names: result?.columns ?? [], cells: result?.values ?? [] };
    },
    close: () => db.close(),
  };
}

function stored(value: Value): SqliteValue {
  if (typeof value === 'boolean') return value ? 1 : 0;
  return typeof value === 'bigint' ? microseconds(formatInstant(value)) : value;
}

export const microseconds = (time: string) =>
  time.replace(/\.(\d+)Z$/, (_, digits: string) => `.${digits.padEnd(6, '0')}Z`);

function plain(value: unknown): Value {
  if (typeof value === 'bigint') return Number(value);
  if (value instanceof DuckDBTimestampTZValue) return microseconds(formatInstant(value.micros));
  if (value === null || ['string', 'number', 'boolean'].includes(typeof value)) return value as Value;
  throw new Error(`no plain value: ${value}`);
}

export type ColumnKind = 'boolean' | 'number' | 'other';

/** Cells as both engines can say them: SQLite has no booleans, and sums of fractions differ in their last bits. */
export function alike(kinds: readonly ColumnKind[], cells: Answered['cells']): unknown[][] {
  return cells.map((row) =>
    row.map((cell, i) => {
      if (cell === null || kinds[i] === 'other') return cell;
      if (kinds[i] === 'number')
        return typeof cell === 'number' ? Number(cell.toPrecision(12)) : { odd: cell };
      return cell === true || cell === 1 ? true : cell === false || cell === 0 ? false : { odd: cell };
    }),
  );
}
