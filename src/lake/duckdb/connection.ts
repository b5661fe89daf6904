import duckdb from '@duckdb/node-bindings';
import { adviceFor, asLakelogError, messageOf } from '../../errors.js';
import type { Layout } from '../../scan/columns.js';
import { blockAppender, rowAppender } from './append.js';
import { type Rows, readRows, type TypedRows } from './result.js';
import { quote } from './sql.js';

export type { Rows, TypedRows };

export type Params = Readonly<Record<string, string | number | boolean | null>>;

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

/** A database in memory, whose clock is UTC. */
export type Database = Awaited<ReturnType<typeof connect>>;

export async function openDatabase({ memoryLimit, tempDir }: DatabaseOptions): Promise<Database> {
  const engine = startEngine();
  waiting = undefined;
  return connect(await engine, null, [
    `SET memory_limit = ${quote(memoryLimit)}`,
    `SET temp_directory = ${quote(tempDir ?? '')}`,
  ]);
}

/** A database of its own in the same engine: the same names mean other tables, and both work at the same time. */
export function openBeside({ engine }: Database): Promise<Database> {
  return connect(engine, 'beside', ["ATTACH ':memory:' AS beside", 'USE beside']);
}

/** @param catalog null for the engine's own, which is closed with it. */
async function connect(engine: duckdb.Database, catalog: string | null, settings: readonly string[]) {
  const connection = await duckdb.connect(engine);
  const run = (sql: string) => duckdb.query(connection, sql).catch(explained);
  // Not at creation: the setting belongs to an extension that is loaded by then.
  await run(["SET TimeZone = 'UTC'", ...settings].join('; '));
  /** All rows, cells as plain JSON-like values. */
  const rows = async (sql: string): Promise<Rows> => readRows(await run(sql));
  return {
    engine,
    run,
    rows,
    /**
     * At most `most` rows of a SELECT or EXPLAIN, and whether there are more; streamed, because the memory limit does not
     * cover fetched rows. @param params values of `$name`, by name.
     */
    async rowsUpTo(sql: string, params: Params, most: number): Promise<TypedRows> {
      const prepared = await duckdb.prepare(connection, sql);
      try {
        if (!READS.includes(duckdb.prepared_statement_type(prepared)))
          throw new Error('the statement does not only read');
        for (const [name, value] of Object.entries(params)) bind(prepared, name, value);
        return await readRows(await duckdb.execute_prepared_streaming(prepared), most);
      } finally {
        duckdb.destroy_prepare_sync(prepared);
      }
    },
    /** The rows as objects; for our own small bookkeeping queries. */
    async objects<T>(sql: string): Promise<T[]> {
      const { names, cells } = await rows(sql);
      return cells.map((row) => Object.fromEntries(names.map((name, i) => [name, row[i]])) as T);
    },
    /** Fills base_calls and base_runs. */
    blockAppender: (layout: Layout) => blockAppender(connection, catalog, layout),
    rowAppender: (table: string) => rowAppender(connection, catalog, table),
    close() {
      duckdb.disconnect_sync(connection);
      if (catalog === null) duckdb.close_sync(engine);
    },
  };
}

const READS: readonly number[] = [duckdb.StatementType.SELECT, duckdb.StatementType.EXPLAIN];

function bind(prepared: duckdb.PreparedStatement, name: string, value: Params[string]): void {
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
