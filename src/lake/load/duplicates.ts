import type { Database } from '../duckdb/connection.js';
import type { LoadedFile } from './load.js';

/** What is alike among the loaded lines. */
export interface Alike {
  /** Lines by file that are byte-identical to an earlier one: they were taken out. */
  readonly duplicates: ReadonlyMap<number, number>;
  /** Loaded calls by file whose call_id another line carries too. */
  readonly conflicts: ReadonlyMap<number, number>;
  /** The first call that does not come first with its call_id. */
  readonly firstConflict: { readonly batch: number; readonly line: number } | null;
}

const countsOf = (rows: readonly { readonly batch: number; readonly count: number }[]) =>
  new Map(rows.map(({ batch, count }) => [batch, count]));

/** Every `call_id` that stands in several lines. */
export const REPEATED_IDS = `SELECT call_id FROM main.base_calls WHERE call_id IS NOT NULL GROUP BY call_id HAVING count(*) > 1`;

/** Takes out byte-identical lines, all but the first in the order of files and lines, and counts conflicts. */
export async function findAlike(db: Database, files: readonly LoadedFile[]): Promise<Alike> {
  const sumOf = (name: 'loadedCalls' | 'loadedRuns') =>
    files.reduce((sum, { counts }) => sum + counts[name], 0);
  const calls = sumOf('loadedCalls');
  const duplicates = new Map<number, number>();
  const none: Alike = { duplicates, conflicts: new Map(), firstConflict: null };
  if (sumOf('loadedRuns') > 0) await takeOut(db, 'base_runs', duplicates);
  if (calls === 0) return none;
  const [{ ids } = { ids: 0 }] = await db.objects<{ ids: number }>(
    'SELECT count(DISTINCT hash(call_id)) AS ids FROM main.base_calls',
  );
  // Different hashes are those of different ids: no two lines are alike, and none can conflict.
  if (ids === calls) return none;
  await takeOut(db, 'base_calls', duplicates);
  const conflicts = await db.objects<{ batch: number; count: number }>(
    `SELECT batch, count(*) AS count FROM main.base_calls WHERE call_id IN (${REPEATED_IDS}) GROUP BY batch`,
  );
  if (conflicts.length === 0) return none;
  const [firstConflict = null] = await db.objects<{ batch: number; line: number }>(
    `SELECT batch, line FROM main.base_calls WHERE call_id IN (${REPEATED_IDS})
     QUALIFY row_number() OVER (PARTITION BY call_id ORDER BY batch, line) = 2 ORDER BY batch, line LIMIT 1`,
  );
  return { duplicates, conflicts: countsOf(conflicts), firstConflict };
}

/** Takes out byte-identical lines alone. @returns how many of each file. */
export async function countDuplicates(
  db: Database,
  files: readonly LoadedFile[],
): Promise<Alike['duplicates']> {
  const duplicates = new Map<number, number>();
  const has = (name: 'loadedCalls' | 'loadedRuns') => files.some(({ counts }) => counts[name] > 0);
  if (has('loadedRuns')) await takeOut(db, 'base_runs', duplicates);
  if (has('loadedCalls')) await takeOut(db, 'base_calls', duplicates);
  return duplicates;
}

async function takeOut(db: Database, table: string, duplicates: Map<number, number>): Promise<void> {
  const [{ extra } = { extra: 0 }] = await db.objects<{ extra: number }>(
    `SELECT count(*) - count(DISTINCT line_key) AS extra FROM main.${table}`,
  );
  if (extra === 0) return;
  const twins = `SELECT rowid FROM main.${table} WHERE line_key IN
      (SELECT line_key FROM main.${table} GROUP BY line_key HAVING count(*) > 1)
    QUALIFY row_number() OVER (PARTITION BY line_key ORDER BY batch, line) > 1`;
  const counts = await db.objects<{ batch: number; count: number }>(
    `SELECT batch, count(*) AS count FROM main.${table} WHERE rowid IN (${twins}) GROUP BY batch`,
  );
  await db.run(`DELETE FROM main.${table} WHERE rowid IN (${twins})`);
  for (const { batch, count } of counts) duplicates.set(batch, (duplicates.get(batch) ?? 0) + count);
}
