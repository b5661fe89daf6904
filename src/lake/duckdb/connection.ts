import duckdb from '@duckdb/node-bindings';
import { adviceFor, asLakelogError, messageOf } from '../../errors.js';
import type { ScanColumn } from '../../scan/columns.js';
import type { Blocks } from '../../schema/block.js';
import { appendRows, type BlockAppender, blockAppender } from './append.js';
import { readBlocks } from './blocks.js';
import { type Rows, readRows, type TypedRows } from './result.js';
import { ident, quote } from './sql.js';

export type { Blocks, Rows, TypedRows };

export interface Database extends Connected {
  /** A database of its own in the same engine: the same names mean other tables, and both work at the same time. */
  beside(): Promise<Connected>;
}

export type Params = Readonly<Record<string, string | number | boolean | null>>;

export interface Connected {
  run(sql: string): Promise<void>;
  /** All rows, cells as plain JSON-like values. */
  rows(sql: string): Promise<Rows>;
  /**
   * At most `most` rows of a SELECT or EXPLAIN, and whether there are more; no more than that is ever held.
   * @param params values of `$name`, by name.
   */
  rowsUpTo(sql: string, params: Params, most: number): Promise<TypedRows>;
  /** All rows of a SELECT or EXPLAIN, as they come; to be read to the end or left by `return`. */
  blocks(sql: string, params: Params): Promise<Blocks>;
  /** Makes a table of a SELECT. */
  tableOf(name: string, sql: string, params: Params): Promise<void>;
  /** The rows as objects; for our own small bookkeeping queries. */
  objects<T>(sql: string): Promise<T[]>;
  /** Fills a table with blocks of scanned rows, whose columns are the table's. @param kind 0 calls, 1 replay runs. */
  blockAppender(table: string, kind: 0 | 1, columns: readonly ScanColumn[]): BlockAppender;
  /** Fills a table of BIGINT, VARCHAR and TIMESTAMPTZ columns; instants are microseconds. */
  appendRows(table: string, rows: readonly (readonly (string | number | bigint | null)[])[]): void;
  close(): void;
}

export interface DatabaseOptions {
  /** Folder for what does not fit in memory, which only the user can read; null: there is none, and nothing spills. */
  readonly tempDir: string | null;
  /** e.g. `1GB`; beyond it DuckDB spills to `tempDir`. */
  readonly memoryLimit: string;
}

let waiting: Promise<duckdb.Database> | undefined;

/** Starts the engine, for who will open a database in a moment and has other things to do first. */
export function startEngine(): Promise<duckdb.Database> {
  waiting ??= duckdb.open(':memory:', duckdb.create_config());
  // Who opens the database hears of it.
  waiting.catch(() => {});
  return waiting;
}

/** Opens an in-memory DuckDB whose clock is UTC and whose memory is bounded. */
export async function openDatabase(options: DatabaseOptions): Promise<Database> {
  const engine = startEngine();
  waiting = undefined;
  const instance = await engine;
  const db = await connect(instance, null, [
    `SET memory_limit = ${quote(options.memoryLimit)}`,
    `SET temp_directory = ${quote(options.tempDir ?? '')}`,
  ]);
  return {
    ...db,
    beside: () => connect(instance, 'beside', ["ATTACH ':memory:' AS beside", 'USE beside']),
    close() {
      db.close();
      duckdb.close_sync(instance);
    },
  };
}

async function connect(
  instance: duckdb.Database,
  catalog: string | null,
  settings: readonly string[],
): Promise<Connected> {
  const connection = await duckdb.connect(instance);
  const run = (sql: string) => duckdb.query(connection, sql).catch(explained);
  // Not at creation: the setting belongs to an extension that is loaded by then.
  await run(["SET TimeZone = 'UTC'", ...settings].join('; '));
  const rows = async (sql: string) => readRows(await readBlocks(await run(sql)));
  return {
    async run(sql) {
      await run(sql);
    },
    rows,
    rowsUpTo: async (sql, params, most) => readRows(await blocks(connection, sql, params), most),
    blocks: (sql, params) => blocks(connection, sql, params),
    tableOf: (name, sql, params) => tableOf(connection, name, sql, params),
    async objects<T>(sql: string) {
      const { names, cells } = await rows(sql);
      return cells.map((row) => Object.fromEntries(names.map((name, i) => [name, row[i]])) as T);
    },
    blockAppender: (table, kind, columns) => blockAppender(connection, catalog, table, kind, columns),
    appendRows: (table, rows) => appendRows(connection, catalog, table, rows),
    close: () => duckdb.disconnect_sync(connection),
  };
}

const READS: readonly number[] = [duckdb.StatementType.SELECT, duckdb.StatementType.EXPLAIN];

/** Streamed, because DuckDB's memory limit does not cover rows that were fetched. */
async function blocks(connection: duckdb.Connection, sql: string, params: Params): Promise<Blocks> {
  const prepared = await duckdb.prepare(connection, sql);
  const end = () => duckdb.destroy_prepare_sync(prepared);
  try {
    const type = duckdb.prepared_statement_type(prepared);
    if (!READS.includes(type)) throw new Error('the statement does not only read');
    bind(prepared, params);
    const read = await readBlocks(await duckdb.execute_prepared_streaming(prepared));
    return { ...read, blocks: andThen(read.blocks, end) };
  } catch (error) {
    end();
    throw error;
  }
}

async function* andThen<T>(all: AsyncIterable<T>, end: () => void): AsyncGenerator<T> {
  try {
    yield* all;
  } finally {
    end();
  }
}

async function tableOf(connection: duckdb.Connection, name: string, sql: string, params: Params) {
  const prepared = await duckdb.prepare(connection, `CREATE TEMP TABLE ${ident(name)} AS ${sql}`);
  try {
    bind(prepared, params);
    await duckdb.execute_prepared(prepared);
  } finally {
    duckdb.destroy_prepare_sync(prepared);
  }
}

function bind(prepared: duckdb.PreparedStatement, params: Params): void {
  for (const [name, value] of Object.entries(params)) bindOne(prepared, name, value);
}

function bindOne(prepared: duckdb.PreparedStatement, name: string, value: Params[string]): void {
  const at = duckdb.bind_parameter_index(prepared, name);
  if (value === null) duckdb.bind_null(prepared, at);
  else if (typeof value === 'boolean') duckdb.bind_boolean(prepared, at, value);
  else if (typeof value === 'string') duckdb.bind_varchar(prepared, at, value);
  else if (Number.isSafeInteger(value)) duckdb.bind_int64(prepared, at, BigInt(value));
  else duckdb.bind_double(prepared, at, value);
}

/** Memory and room are the failures that are the user's to mend, whatever ran. */
function explained(error: unknown): never {
  throw /^(Out of Memory|IO) Error/.test(messageOf(error)) && adviceFor(error)
    ? asLakelogError(error)
    : error;
}
