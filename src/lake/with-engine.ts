/** An engine for one task, with a folder to spill to; both are gone when it is done. */
import { openTempFolder } from '../temp-folder.js';
import { type Database, openDatabase } from './duckdb/connection.js';
import { memoryLimit } from './duckdb/memory.js';

export async function withEngine<T>(
  env: Readonly<Record<string, string | undefined>>,
  use: (db: Database) => Promise<T>,
): Promise<T> {
  const spill = openTempFolder(env);
  const db = await openDatabase(spill.dir, memoryLimit(env.LAKELOG_MEMORY_LIMIT));
  try {
    await db.run('SET autoinstall_known_extensions = false; SET autoload_known_extensions = false');
    return await use(db);
  } finally {
    db.close();
    spill.remove();
  }
}
