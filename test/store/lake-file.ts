/** What stands in a lake, read by the engine alone. */
import duckdb from '@duckdb/node-bindings';
import { type Database, openDatabase } from '../../src/lake/duckdb/connection.js';
import { quote } from '../../src/lake/duckdb/sql.js';

export async function withDatabase<T>(
  file: string,
  mode: 'READ_ONLY' | 'READ_WRITE',
  use: (db: Database) => Promise<T>,
) {
  const db = await openDatabase(null, '1GB');
  try {
    await db.run(`ATTACH ${quote(file)} AS lake (TYPE duckdb, ${mode}); USE lake`);
    return await use(db);
  } finally {
    db.close();
  }
}

/** One line for each base table, and for what is known of the logs: equal where the rows are, whatever their order. */
export function contentOf(file: string): Promise<Record<string, string>> {
  return withDatabase(file, 'READ_ONLY', async (db) => {
    const { cells } = await db.rows(
      `SELECT table_name FROM duckdb_tables() WHERE database_name = 'lake' AND table_name <> 'lake' ORDER BY ALL`,
    );
    const contents: Record<string, string> = {};
    for (const [table] of cells as [string][]) {
      const { cells: found } = await db.rows(
        `SELECT count(*), CAST(sum(CAST(hash(t) AS HUGEINT)) AS VARCHAR) FROM main.${table} t`,
      );
      contents[table] = found[0]!.join(' ');
    }
    return contents;
  });
}

/** A database of somebody else, of the newest format of the engine. */
export async function otherDatabase(file: string): Promise<void> {
  const db = await duckdb.open(file);
  const connection = await duckdb.connect(db);
  await duckdb.query(connection, 'CREATE TABLE lakes AS SELECT 1 AS id');
  duckdb.disconnect_sync(connection);
  duckdb.close_sync(db);
}
