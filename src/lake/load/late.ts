/**
 * Records that stand behind much newer ones: held back by a writer, sent again, or joined from several files. Whoever
 * asked for their day before they came had a smaller answer.
 */
import { LATE_MINUTES } from '../../schema/result.js';
import type { Database } from '../duckdb/connection.js';
import { baseTable } from '../tables/base.js';
import type { LoadedFile } from './load.js';

/**
 * A call is logged when it ends: others that run beside it end minutes later at most, and clocks of hosts differ by
 * seconds. What is later than this has waited somewhere.
 */
const LATE_US = BigInt(LATE_MINUTES) * 60_000_000n;

/** @param lag how far, at most, a record stands behind a newer one of its file. */
export const mayBeLate = (lag: bigint) => lag > LATE_US;

/** What a file held before a batch of it. */
export interface Before {
  readonly batch: number;
  /** Microseconds since 1970 of the latest record of batches before; null where there is none. */
  readonly newest: bigint | null;
}

/**
 * Batches that may hold records which stand behind much newer ones, of earlier batches of their log too.
 * @param newest of what each log held before; it goes on with these batches, which stand in their order.
 */
export function behindOf<K>(
  files: readonly LoadedFile[],
  logOf: (file: LoadedFile) => K,
  newest: Map<K, bigint>,
): Before[] {
  return files.flatMap((file) => {
    const { batch, counts } = file;
    const key = logOf(file);
    const before = newest.get(key) ?? null;
    if (counts.newest !== null && (before === null || counts.newest > before)) newest.set(key, counts.newest);
    const isBehind = before !== null && counts.oldest !== null && mayBeLate(before - counts.oldest);
    return isBehind || mayBeLate(counts.lag) ? [{ batch, newest: before }] : [];
  });
}

/** Late records of some batches: how many, and the line of the first. Only who may have some pays for the sorting. */
export async function lateIn(
  db: Database,
  batches: readonly Before[],
): Promise<Map<number, { readonly late: number; readonly line: number }>> {
  if (batches.length === 0) return new Map();
  const before = batches.map(({ batch, newest }) => `(${batch}, ${newest ?? 'NULL::BIGINT'})`).join(', ');
  const records = (['calls', 'runs'] as const).map(
    (base) => `SELECT batch, line, epoch_us("timestamp") AS time FROM ${baseTable(base)}`,
  );
  const rows = await db.objects<{ batch: number; late: number; line: number }>(
    `WITH before(batch, newest) AS (VALUES ${before}),
     records AS (
       SELECT r.batch, r.line, r.time, greatest(b.newest, max(r.time) OVER
         (PARTITION BY r.batch ORDER BY r.line ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)) AS newest
       FROM (${records.join(' UNION ALL ')}) r JOIN before b ON b.batch = r.batch)
     SELECT batch, count(*) AS late, min(line) AS line FROM records WHERE newest - time > ${LATE_US} GROUP BY batch`,
  );
  return new Map(rows.map(({ batch, late, line }) => [batch, { late, line }]));
}
