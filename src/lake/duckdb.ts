import {
  type DuckDBConnection,
  DuckDBDateValue,
  DuckDBDecimalValue,
  DuckDBInstance,
  DuckDBListValue,
  DuckDBStructValue,
  DuckDBTimestampTZValue,
  DuckDBTimestampValue,
  type DuckDBValue,
} from '@duckdb/node-api';
import { LakelogError, messageOf } from '../errors.js';
import type { Cell } from '../schema/result.js';

/** Rows with the types DuckDB gave their columns, e.g. `VARCHAR`, `BIGINT`, `TIMESTAMP WITH TIME ZONE`. */
export interface Rows {
  readonly names: readonly string[];
  readonly types: readonly string[];
  readonly cells: readonly (readonly Cell[])[];
}

export interface Database {
  run(sql: string): Promise<void>;
  /** All rows, cells as plain JSON-like values. */
  rows(sql: string): Promise<Rows>;
  /** At most `most` rows, and whether there are more; no more than that is ever held. */
  rowsUpTo(sql: string, most: number): Promise<Rows & { readonly more: boolean }>;
  /** The rows as objects; for our own small bookkeeping queries. */
  objects<T>(sql: string): Promise<T[]>;
  /** How far the running statement is, 0 to 1; needs `watchProgress`. */
  progress(): number;
  close(): void;
}

export interface DatabaseOptions {
  /** Folder for what does not fit in memory; it exists and only the user can read it. */
  readonly tempDir: string;
  /** e.g. `1GB`; beyond it DuckDB spills to `tempDir`. */
  readonly memoryLimit: string;
  readonly watchProgress: boolean;
}

/** Opens an in-memory DuckDB whose clock is UTC and whose memory is bounded. */
export async function openDatabase(options: DatabaseOptions): Promise<Database> {
  const instance = await DuckDBInstance.create(':memory:', {
    memory_limit: options.memoryLimit,
    temp_directory: options.tempDir,
    // Results are read back by ordinal: the n-th row is the n-th line.
    preserve_insertion_order: 'true',
  });
  const connection = await instance.connect();
  // Not at creation: the setting belongs to an extension that is loaded by then.
  await connection.run("SET TimeZone = 'UTC'");
  if (options.watchProgress) {
    await connection.run(
      'SET enable_progress_bar = true; SET enable_progress_bar_print = false; SET progress_bar_time = 0',
    );
  }
  const rows = (sql: string) => fetchRows(connection, sql);
  return {
    async run(sql) {
      await connection.run(sql).catch(explained);
    },
    rows,
    rowsUpTo: (sql, most) => fetchUpTo(connection, sql, most),
    async objects<T>(sql: string) {
      const { names, cells } = await rows(sql);
      return cells.map((row) => Object.fromEntries(names.map((name, i) => [name, row[i]])) as T);
    },
    progress: () => Math.max(0, connection.progress.percentage) / 100,
    close() {
      connection.closeSync();
      instance.closeSync();
    },
  };
}

async function fetchRows(connection: DuckDBConnection, sql: string): Promise<Rows> {
  const reader = await connection.runAndReadAll(sql).catch(explained);
  return {
    names: reader.columnNames(),
    types: reader.columnTypes().map(String),
    cells: reader.getRows().map((row) => row.map(plain)),
  };
}

/** Streamed, because DuckDB's memory limit does not cover rows that were fetched. */
async function fetchUpTo(connection: DuckDBConnection, sql: string, most: number) {
  const reader = await connection.streamAndReadUntil(sql, most + 1);
  return {
    names: reader.columnNames(),
    // JSON is a VARCHAR by another name.
    types: reader.columnTypes().map((type) => type.alias ?? String(type)),
    cells: reader
      .getRows()
      .slice(0, most)
      .map((row) => row.map(plain)),
    more: reader.currentRowCount > most,
  };
}

/** A DuckDB value as JSON can hold it: numbers where they are exact, else text. */
function plain(value: DuckDBValue): Cell {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return value;
  if (typeof value === 'number') return Number.isFinite(value) ? value : String(value);
  if (typeof value === 'bigint') {
    const number = Number(value);
    return Number.isSafeInteger(number) ? number : String(value);
  }
  if (value instanceof DuckDBTimestampTZValue || value instanceof DuckDBTimestampValue) {
    return rfc3339(value.micros);
  }
  if (value instanceof DuckDBDateValue) return value.toString();
  if (value instanceof DuckDBDecimalValue) return value.toDouble();
  if (value instanceof DuckDBListValue) return value.items.map(plain);
  if (value instanceof DuckDBStructValue) {
    return Object.fromEntries(Object.entries(value.entries).map(([key, entry]) => [key, plain(entry)]));
  }
  return String(value);
}

/** Microseconds since the epoch → RFC 3339 in UTC, with microseconds only where there are any. */
function rfc3339(micros: bigint): string {
  const rest = ((micros % 1000n) + 1000n) % 1000n;
  const iso = new Date(Number((micros - rest) / 1000n)).toISOString();
  return rest === 0n ? iso : iso.replace('Z', `${String(rest).padStart(3, '0')}Z`);
}

/** A SQL string literal; U+0000 would end the statement where it stands. */
export function quote(text: string): string {
  const literals = text.split('\0').map((part) => `'${part.replaceAll("'", "''")}'`);
  return literals.length === 1 ? literals[0]! : `(${literals.join(' || chr(0) || ')})`;
}

/** A quoted SQL identifier. */
export function ident(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** Memory is the one failure that is the user's to mend, whatever ran. */
function explained(error: unknown): never {
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
