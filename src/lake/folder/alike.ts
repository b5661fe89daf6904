/** Lines that several batches hold, and calls that share a call_id: found among all batches, whenever it is asked. */
import type { Database } from '../duckdb/connection.js';
import { REPEATED_IDS } from '../load/duplicates.js';
import { baseTable } from '../tables/base.js';
import { ordinalOf } from './ordinal.js';

/** Lines that an earlier batch (by its number) holds byte for byte; every table is seen without them. */
export const TAKEN = { calls: 'main.base_taken_calls', runs: 'main.base_taken_runs' } as const;

type Counts = ReadonlyMap<number, number>;

/** Calls that have a call_id, and whether no two have the same: then no two of them can be the same line. */
export interface Ids {
  readonly ids: number;
  readonly areDifferent: boolean;
}

export async function countIds(db: Database, from: string): Promise<Ids> {
  // Different hashes are those of different ids.
  const { cells } = await db.rows(
    `SELECT count(*), count(DISTINCT hash(call_id)) FROM ${from} WHERE call_id IS NOT NULL`,
  );
  const [ids, different] = cells[0] as [number, number];
  return { ids, areDifferent: ids === different };
}

/**
 * Equal lines have equal timestamps, so only lines whose instant is not theirs alone are compared.
 * @param from the rows of files of days that several batches have, with their columns `batch`, `line`, `timestamp`
 * and `line_sha256`; null where there is no such day.
 * @returns how many lines of each batch, by its number, fall out; TAKEN holds which.
 */
export async function findTaken(db: Database, base: 'calls' | 'runs', from: string | null): Promise<Counts> {
  const none = `CREATE OR REPLACE TABLE ${TAKEN[base]} (number BIGINT, line BIGINT)`;
  if (from === null) {
    await db.run(none);
    return new Map();
  }
  await db.run(
    `CREATE OR REPLACE TEMP TABLE shared_instants AS
       SELECT "timestamp" FROM ${from} GROUP BY "timestamp" HAVING count(*) > 1`,
  );
  const { cells } = await db.rows('SELECT count(*) FROM temp.shared_instants');
  const hasSome = (cells[0]![0] as number) > 0;
  await db.run(
    hasSome
      ? `CREATE OR REPLACE TABLE ${TAKEN[base]} AS SELECT number, line FROM (
           SELECT batch AS number, line,
             row_number() OVER (PARTITION BY "timestamp", line_sha256 ORDER BY batch, line) AS nth
           FROM ${from} WHERE "timestamp" IN (FROM temp.shared_instants)) WHERE nth > 1`
      : none,
  );
  await db.run('DROP TABLE temp.shared_instants');
  if (!hasSome) return new Map();
  const counts = await db.objects<{ number: number; count: number }>(
    `SELECT number, count(*) AS count FROM ${TAKEN[base]} GROUP BY number`,
  );
  return new Map(counts.map(({ number, count }) => [number, count]));
}

export interface Conflicts {
  /** By the number of the batch. */
  readonly counts: Counts;
  readonly first: { readonly batch: number; readonly line: number } | null;
}

/** Fills base_conflicts. @param none it is known that there are none. */
export async function findConflicts(db: Database, none: boolean): Promise<Conflicts> {
  await db.run('CREATE OR REPLACE TABLE main.base_conflicts (batch BIGINT, line BIGINT, call_id VARCHAR)');
  if (none) return { counts: new Map(), first: null };
  await db.run(
    `INSERT INTO main.base_conflicts SELECT batch, line, call_id FROM ${baseTable('calls')} WHERE call_id IN (${REPEATED_IDS})`,
  );
  const counts = await db.objects<{ batch: number; count: number }>(
    'SELECT batch, count(*) AS count FROM main.base_conflicts GROUP BY batch',
  );
  const [first = null] = await db.objects<{ batch: number; line: number }>(
    `SELECT batch, line FROM (SELECT *, ${ordinalOf('c')} AS nth FROM main.base_conflicts c)
     QUALIFY row_number() OVER (PARTITION BY call_id ORDER BY nth, line) = 2 ORDER BY nth, line LIMIT 1`,
  );
  return { counts: new Map(counts.map(({ batch, count }) => [batch, count])), first };
}

/** Fills base_twins with the keys of calls whose call_id, or all that is required, another one has too. */
export async function fillTwins(db: Database): Promise<void> {
  await db.run(
    `INSERT INTO ${baseTable('twins')} SELECT batch, line, call_key_base || '#' || number FROM
       (SELECT batch, line, call_key_base,
          row_number() OVER (PARTITION BY call_key_base ORDER BY line_sha256) AS number
        FROM ${baseTable('calls')} WHERE call_key_base IN
          (SELECT call_key_base FROM ${baseTable('calls')} GROUP BY call_key_base HAVING count(*) > 1))
       WHERE number > 1`,
  );
}
