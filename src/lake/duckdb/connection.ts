import duckdb from '@duckdb/node-bindings';
import { adviceFor, LakelogError, messageOf } from '../../errors.js';
import type { ScanColumn } from '../../scan/columns.js';
import type { Cell } from '../../schema/result.js';
import { appendRows, type BlockAppender, blockAppender } from './append.js';
import { formatsOf, readChunk } from './result.js';
import { quote } from './sql.js';

export interface Rows {
  readonly names: readonly string[];
  readonly cells: readonly (readonly Cell[])[];
}

export interface TypedRows extends Rows {
  /** As DuckDB names them, e.g. `VARCHAR`, `BIGINT`, `TIMESTAMP WITH TIME ZONE`, `JSON`. */
  readonly types: readonly string[];
  readonly more: boolean;
}

export interface Database extends Connected {
  /** A database of its own in the same engine: the same names mean other tables, and both work at the same time. */
  beside(): Promise<Connected>;
}

export interface Connected {
  run(sql: string): Promise<void>;
  /** All rows, cells as plain JSON-like values. */
  rows(sql: string): Promise<Rows>;
  /** At most `most` rows, and whether there are more; no more than that is ever held. */
  rowsUpTo(sql: string, most: number): Promise<TypedRows>;
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
export function startEngine(): void {
  waiting ??= duckdb.open(':memory:', duckdb.create_config());
  // Who opens the database hears of it.
  waiting.catch(() => {});
}

function takeEngine(): Promise<duckdb.Database> {
  startEngine();
  const engine = waiting!;
  waiting = undefined;
  return engine;
}

/** Opens an in-memory DuckDB whose clock is UTC and whose memory is bounded. */
export async function openDatabase(options: DatabaseOptions): Promise<Database> {
  const instance = await takeEngine();
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
  const rows = async (sql: string) => fetchRows(await run(sql));
  return {
    async run(sql) {
      await run(sql);
    },
    rows,
    rowsUpTo: (sql, most) => fetchUpTo(connection, sql, most),
    async objects<T>(sql: string) {
      const { names, cells } = await rows(sql);
      return cells.map((row) => Object.fromEntries(names.map((name, i) => [name, row[i]])) as T);
    },
    blockAppender: (table, kind, columns) => blockAppender(connection, catalog, table, kind, columns),
    appendRows: (table, rows) => appendRows(connection, catalog, table, rows),
    close: () => duckdb.disconnect_sync(connection),
  };
}

function namesOf(result: duckdb.Result): string[] {
  return Array.from({ length: duckdb.column_count(result) }, (_, i) => duckdb.column_name(result, i));
}

async function fetchRows(result: duckdb.Result): Promise<Rows> {
  const names = namesOf(result);
  const formats = formatsOf(result);
  if (formats === null) {
    const { readAll } = await import('./any-result.js');
    return { names, cells: await readAll(result) };
  }
  const cells: Cell[][] = [];
  while (await readChunk(result, formats, cells));
  return { names, cells };
}

/** Streamed, because DuckDB's memory limit does not cover rows that were fetched. */
async function fetchUpTo(connection: duckdb.Connection, sql: string, most: number) {
  const prepared = await duckdb.prepare(connection, sql);
  try {
    const result = await duckdb.execute_prepared_streaming(prepared);
    const names = namesOf(result);
    const formats = formatsOf(result);
    let types: readonly string[];
    let cells: Cell[][] = [];
    if (formats === null) {
      const any = await import('./any-result.js');
      types = any.typeNames(result);
      cells = await any.readUntil(result, most + 1);
    } else {
      // JSON is a VARCHAR by another name.
      types = formats.map(
        ({ name }, i) => duckdb.logical_type_get_alias(duckdb.column_logical_type(result, i)) ?? name,
      );
      while (cells.length <= most && (await readChunk(result, formats, cells)));
    }
    return { names, types, cells: cells.slice(0, most), more: cells.length > most };
  } finally {
    duckdb.destroy_prepare_sync(prepared);
  }
}

/** Memory and room are the failures that are the user's to mend, whatever ran. */
function explained(error: unknown): never {
  const advice = /^(Out of Memory|IO) Error/.test(messageOf(error)) ? adviceFor(error) : null;
  if (advice !== null) throw new LakelogError(advice.what, { next: advice.next, cause: error });
  if (!messageOf(error).startsWith('Out of Memory')) throw error;
  throw new LakelogError(`DuckDB needs more memory: ${firstLine(messageOf(error))}`, {
    next: 'set LAKELOG_MEMORY_LIMIT to more than the 1GB it is by default, e.g. 4GB',
    cause: error,
  });
}

export function engineError(what: string, error: unknown): LakelogError {
  if (error instanceof LakelogError) return error;
  return new LakelogError(`${what}: ${firstLine(messageOf(error))}`, {
    next: 'run it again; if it stays, report it with the file',
    cause: error,
  });
}

function firstLine(text: string): string {
  return text.split('\n', 1)[0] ?? text;
}
