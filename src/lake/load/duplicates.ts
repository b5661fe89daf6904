import type { Connected } from '../duckdb/connection.js';

/** What is alike among the loaded lines. */
export interface Alike {
  /** Lines by file that are byte-identical to an earlier one: they were taken out. */
  readonly duplicates: ReadonlyMap<number, number>;
  /** Loaded calls by file whose call_id another line carries too. */
  readonly conflicts: ReadonlyMap<number, number>;
  /** The first call that does not come first with its call_id. */
  readonly firstConflict: { readonly batch: number; readonly line: number } | null;
}

const NONE: Alike = { duplicates: new Map(), conflicts: new Map(), firstConflict: null };

/** Every `call_id` that stands in several lines. */
export const REPEATED_IDS = `SELECT call_id FROM main.base_calls WHERE call_id IS NOT NULL GROUP BY call_id HAVING count(*) > 1`;

/** Takes out byte-identical lines, all but the first in the order of files and lines, and counts conflicts. */
export async function findAlike(db: Connected, calls: number, runs: number): Promise<Alike> {
  const duplicates = new Map<number, number>();
  if (runs > 0) await takeOut(db, 'base_runs', duplicates);
  if (calls === 0) return { ...NONE, duplicates };
  const [{ ids } = { ids: 0 }] = await db.objects<{ ids: number }>(
    'SELECT count(DISTINCT hash(call_id)) AS ids FROM main.base_calls',
  );
  // Different hashes are those of different ids: no two lines are alike, and none can conflict.
  if (ids === calls) return { ...NONE, duplicates };
  await takeOut(db, 'base_calls', duplicates);
  const conflicts = await db.objects<{ batch: number; count: number }>(
    `SELECT batch, count(*) AS count FROM main.base_calls WHERE call_id IN (${REPEATED_IDS}) GROUP BY batch`,
  );
  if (conflicts.length === 0) return { ...NONE, duplicates };
  const [firstConflict] = await db.objects<{ batch: number; line: number }>(
    `SELECT batch, line FROM main.base_calls WHERE call_id IN (${REPEATED_IDS})
     QUALIFY row_number() OVER (PARTITION BY call_id ORDER BY batch, line) = 2 ORDER BY batch, line LIMIT 1`,
  );
  return {
    duplicates,
    conflicts: new Map(conflicts.map(({ batch, count }) => [batch, count])),
    firstConflict: firstConflict ?? null,
  };
}

async function takeOut(db: Connected, table: string, duplicates: Map<number, number>): Promise<void> {
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

/** A call whose key other lines have too. */
export interface Twin {
  readonly batch: number;
  readonly line: number;
  readonly key: string;
  readonly line_sha256: string | null;
}

export function twins(db: Connected): Promise<Twin[]> {
  return db.objects<Twin>(
    `SELECT batch, line, call_key_base AS key, line_sha256 FROM main.base_calls WHERE call_key_base IN
       (SELECT call_key_base FROM main.base_calls GROUP BY call_key_base HAVING count(*) > 1)
     ORDER BY batch, line`,
  );
}

/** All but the first of twins, by the hashes of their lines, get a key of their own: none is ever hidden. */
export function numberTwins(
  found: readonly (Twin & { readonly line_sha256: string })[],
): [number, number, string][] {
  const sorted = [...found].sort((a, b) => (a.line_sha256 < b.line_sha256 ? -1 : 1));
  const counts = new Map<string, number>();
  return sorted.flatMap(({ batch, line, key }) => {
    const count = (counts.get(key) ?? 0) + 1;
    counts.set(key, count);
    return count === 1 ? [] : [[batch, line, `${key}#${count}`] as [number, number, string]];
  });
}
