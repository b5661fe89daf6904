import type { Database } from '../duckdb/connection.js';
import type { Place } from './account.js';
import type { LoadedFile } from './load.js';

/** What is alike among the loaded lines. */
export interface Alike {
  /** Lines by file that are byte-identical to an earlier one: they were taken out. */
  readonly duplicates: ReadonlyMap<number, number>;
  /** Loaded calls by file whose call_id another line carries too. */
  readonly conflicts: ReadonlyMap<number, number>;
  /** The first call that does not come first with its call_id. */
  readonly firstConflict: Place | null;
}

/** Every `call_id` that stands in several lines. */
export const REPEATED_IDS = `SELECT call_id FROM main.base_calls WHERE call_id IS NOT NULL GROUP BY call_id HAVING count(*) > 1`;

/** Takes out byte-identical lines, all but the first in the order of files and lines, and counts conflicts. */
export async function findAlike(db: Database, files: readonly LoadedFile[]): Promise<Alike> {
  const calls = files.reduce((sum, { counts }) => sum + counts.loadedCalls, 0);
  const [ids] = calls === 0 ? [0] : await numbersOf(db, 'count(DISTINCT hash(call_id))', 'base_calls');
  // Different hashes are those of different ids: no two lines are alike, and none can conflict.
  const mayRepeat = ids !== calls;
  const duplicates = await countDuplicates(db, files, mayRepeat);
  const conflicts = mayRepeat
    ? await db.objects<{ batch: number; count: number; again: number | null }>(
        `SELECT batch, count(*) AS count, min(line) FILTER (number > 1) AS again FROM
           (SELECT batch, line, row_number() OVER (PARTITION BY call_id ORDER BY batch, line) AS number
            FROM main.base_calls WHERE call_id IN (${REPEATED_IDS}))
         GROUP BY batch ORDER BY batch`,
      )
    : [];
  const [firstConflict = null] = conflicts.flatMap(({ batch, again: line }) =>
    line === null ? [] : [{ batch, line }],
  );
  return { duplicates, conflicts: countsOf(conflicts), firstConflict };
}

/** Takes out byte-identical lines alone. @returns how many of each file. */
export async function countDuplicates(db: Database, files: readonly LoadedFile[], ofCalls = true) {
  return takeOutAll(db, files, ofCalls, 'line_key');
}

/** The same within each file, whatever others hold. */
export async function countOwnDuplicates(db: Database, files: readonly LoadedFile[]) {
  return takeOutAll(db, files, true, 'batch, line_key');
}

type LineKey = 'line_key' | 'batch, line_key';

async function takeOutAll(db: Database, files: readonly LoadedFile[], ofCalls: boolean, key: LineKey) {
  const has = (name: 'loadedCalls' | 'loadedRuns') => files.some(({ counts }) => counts[name] > 0);
  const ofRuns = has('loadedRuns') ? await takeOut(db, 'base_runs', key) : [];
  // A file may hold both.
  return countsOf([
    ...ofRuns,
    ...(ofCalls && has('loadedCalls') ? await takeOut(db, 'base_calls', key) : []),
  ]);
}

async function takeOut(db: Database, table: string, key: LineKey) {
  const [extra] = await numbersOf(db, `count(*) - count(DISTINCT (${key}))`, table);
  if (extra === 0) return [];
  const twins = `SELECT rowid FROM main.${table} WHERE (${key}) IN
      (SELECT (${key}) FROM main.${table} GROUP BY ${key} HAVING count(*) > 1)
    QUALIFY row_number() OVER (PARTITION BY ${key} ORDER BY batch, line) > 1`;
  const counts = await db.objects<{ batch: number; count: number }>(
    `SELECT batch, count(*) AS count FROM main.${table} WHERE rowid IN (${twins}) GROUP BY batch`,
  );
  await db.run(`DELETE FROM main.${table} WHERE rowid IN (${twins})`);
  return counts;
}

const numbersOf = async (db: Database, numbers: string, table: string) =>
  (await db.rows(`SELECT ${numbers} FROM main.${table}`)).cells[0] as number[];

function countsOf(rows: readonly { readonly batch: number; readonly count: number }[]) {
  const counts = new Map<number, number>();
  for (const { batch, count } of rows) counts.set(batch, (counts.get(batch) ?? 0) + count);
  return counts;
}
