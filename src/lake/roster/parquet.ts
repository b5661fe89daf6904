import { randomUUID } from 'node:crypto';
import { rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { messageOf } from '../../errors.js';
import {
  type RosterColumns,
  RosterError,
  type TableRow,
  type Workers,
  workersInTable,
} from '../../roster/read.js';
import type { Database } from '../duckdb/connection.js';
import { quote } from '../duckdb/sql.js';

export const isParquet = (bytes: Buffer): boolean => bytes.subarray(0, 4).toString('latin1') === 'PAR1';

/** Types of a column that ids may stand in: a number as text would be another id than the one that was meant. */
const ID_TYPES: readonly unknown[] = ['VARCHAR', 'UUID'];

/**
 * A roster as Parquet, read by the engine from a copy: the bytes that were looked at, under a name without wildcards.
 * @throws RosterError for what is no Parquet, and for whatever looks odd.
 */
export async function workersInParquet(
  db: Database,
  bytes: Buffer,
  columns: RosterColumns,
  tempDir: string | null,
): Promise<Workers> {
  if (tempDir === null) throw new RosterError('Parquet needs a folder for temporary files: set TMPDIR');
  const copy = path.join(tempDir, `${randomUUID()}.parquet`);
  await writeFile(copy, bytes, { mode: 0o600 });
  try {
    const { names, types, cells } = await tableIn(db, copy);
    return workersInTable(rowsOf(names, types, cells), columns);
  } catch (error) {
    throw inRows(error);
  } finally {
    await rm(copy, { force: true });
  }
}

async function tableIn(db: Database, file: string) {
  const from = `read_parquet(${quote(file)}, hive_partitioning = false)`;
  const described = await db.rows(`SELECT column_type FROM (DESCRIBE SELECT * FROM ${from})`);
  // The engine gives columns of the same name new ones.
  const schema = await db.rows(`SELECT name, num_children FROM parquet_schema(${quote(file)})`);
  const { cells } = await db.rows(`SELECT * FROM ${from}`);
  return { names: topNames(schema.cells), types: described.cells.map(([type]) => type), cells };
}

/** Of a tree in the order of its text, root first, the names right below the root. */
function topNames(nodes: readonly (readonly unknown[])[]): string[] {
  let at = 1;
  const skip = (): void => {
    const children = Number(nodes[at++]?.[1] ?? 0);
    for (let i = 0; i < children; i++) skip();
  };
  const names: string[] = [];
  while (at < nodes.length) {
    names.push(String(nodes[at]![0]));
    skip();
  }
  return names;
}

/** A value that cannot be an id is none, wherever it stands. */
function* rowsOf(
  names: readonly string[],
  types: readonly unknown[],
  cells: readonly (readonly unknown[])[],
): Generator<TableRow> {
  for (const [i, row] of cells.entries()) {
    const values = row.map((cell, at) =>
      typeof cell === 'string' && !ID_TYPES.includes(types[at]) ? { [String(types[at])]: cell } : cell,
    );
    yield { line: i + 1, names, namesLine: 0, values };
  }
}

/** Rows are no lines of the file. */
function inRows(error: unknown): unknown {
  if (!(error instanceof RosterError)) return new RosterError(messageOf(error).split('\n')[0]!);
  const { line, what } = error;
  return new RosterError(line === null || line === 0 ? what : `row ${line}: ${what}`);
}
