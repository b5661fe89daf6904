import duckdb from '@duckdb/node-bindings';
import { adviceFor, asLakelogError, messageOf } from '../../errors.js';
import type { Layout } from '../../scan/columns.js';
import type { Blocks } from '../../schema/block.js';
import { blockAppender, rowAppender } from './append.js';
import { readBlocks } from './blocks.js';
import { type Rows, readRows, type TypedRows } from './result.js';
import { ident, quote } from './sql.js';

export type { Blocks, Rows, TypedRows };

export type Params = Readonly<Record<string, string | number | boolean | null>>;

let waiting: Promise<duckdb.Database> | undefined;

/** Starts the engine, for who will open a database in a moment and has other things to do first. */
export function startEngine(): Promise<duckdb.Database> {
  if (waiting) return waiting;
  const config = duckdb.create_config();
  // Threads share out 122,880 rows at a time; below that, others only cost: they wait busily.
  duckdb.set_config(config, 'threads', '1');
  waiting = duckdb.open(':memory:', config);
  // Who opens the database hears of it.
  waiting.catch(() => {});
  return waiting;
}

/** A database in memory, whose clock is UTC. */
export type Database = Awaited<ReturnType<typeof connect>>;

/**
 * @param tempDir for what does not fit in memory, a folder that only the user can read; null: nothing spills.
 * @param memoryLimit e.g. `1GB`; beyond it DuckDB spills.
 */
export async function openDatabase(tempDir: string | null, memoryLimit: string): Promise<Database> {
  const engine = startEngine();
  waiting = undefined;
  return connect(await engine, null, [
    `SET memory_limit = ${quote(memoryLimit)}`,
    `SET temp_directory = ${quote(tempDir ?? '')}`,
  ]);
}

/** A database of its own in the same engine: the same names mean other tables, and both work at the same time. */
export function openBeside({ engine }: Database, catalog: string): Promise<Database> {
  return connect(engine, catalog, [`ATTACH ':memory:' AS ${catalog}`, `USE ${catalog}`]);
}

/** Another connection to the same databases: with one thread for each, both work at the same time. */
export async function openAnother({ engine, explained }: Database): Promise<Database> {
  const other = await connect(engine, 'memory', []);
  other.explainFailures(explained);
  return other;
}

/** @param catalog null for the engine's own, which is closed with it. */
async function connect(engine: duckdb.Database, catalog: string | null, settings: readonly string[]) {
  const connection = await duckdb.connect(engine);
  let toldOf = (error: unknown): unknown => error;
  let whenClosed = () => {};
  const fail = (error: unknown): never => explained(toldOf(error));
  const run = (sql: string) => duckdb.query(connection, sql).catch(fail);
  // Not at creation: the setting belongs to an extension that is loaded by then.
  await run(["SET TimeZone = 'UTC'", ...settings].join('; '));
  /** All rows, cells as plain JSON-like values. */
  const rows = async (sql: string): Promise<Rows> => readRows(await readBlocks(await run(sql)).catch(fail));
  return {
    engine,
    run,
    /** For much to do: it begins with one thread. */
    useAllThreads: () => run('RESET threads'),
    explained: (error: unknown) => toldOf(error),
    /** What failures of the engine mean, for who knows more of them. */
    explainFailures(told: (error: unknown) => unknown) {
      toldOf = told;
    },
    rows,
    /**
     * At most `most` rows of a SELECT or EXPLAIN, and whether there are more; no more than that is ever held.
     * @param params values of `$name`, by name.
     */
    rowsUpTo: async (sql: string, params: Params, most: number) =>
      readRows(await blocks(connection, sql, params).catch(fail), most).catch(fail),
    /** All rows of a SELECT or EXPLAIN, as they come; to be read to the end or left by `return`. */
    blocks: (sql: string, params: Params) => blocks(connection, sql, params).catch(fail),
    /** Makes a table of a SELECT. */
    tableOf: (name: string, sql: string, params: Params) =>
      tableOf(connection, name, sql, params).catch(fail),
    /** The rows as objects; for our own small bookkeeping queries. */
    async objects<T>(sql: string): Promise<T[]> {
      const { names, cells } = await rows(sql);
      return cells.map((row) => Object.fromEntries(names.map((name, i) => [name, row[i]])) as T);
    },
    /** Fills base_calls and base_runs. */
    blockAppender: (layout: Layout) => blockAppender(connection, catalog, layout),
    /** @param of the catalog of the table, where it is not the connection's own. */
    rowAppender: (table: string, of = catalog) => rowAppender(connection, of, table),
    /** What is to be done with a file of the engine once that has let go of it. */
    whenClosed(then: () => void) {
      whenClosed = then;
    },
    close() {
      duckdb.disconnect_sync(connection);
      if (catalog === null) duckdb.close_sync(engine);
      whenClosed();
    },
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
