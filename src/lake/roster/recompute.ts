/** What rosters say of the accepted calls of gated kinds, whatever their stamp says. */
import type { Database } from '../duckdb/connection.js';
import { quote } from '../duckdb/sql.js';
import type { Roster, Rosters } from './rosters.js';

/** As `hashWorkerIds` writes an id: it says nothing of who is meant. */
const HASHED = "regexp_full_match(id, 'w_[0-9a-f]{16}')";

const isAsked = (gatedKinds: readonly string[]) =>
  `final_verdict = 'accepted' AND kind IN (${['NULL', ...gatedKinds.map(quote)].join(', ')})`;

/**
 * Fills temporary tables, which a lake that is only read takes too: base_rosters and base_recomputed, from base_calls
 * and base_named_workers. Of a call that nobody is named in nothing can be said, nor of one whose roster is not at hand; one phantom is enough for wrong.
 */
export async function recompute(
  db: Database,
  rosters: Rosters,
  gatedKinds: readonly string[],
): Promise<void> {
  const asked = isAsked(gatedKinds);
  await fillRosters(db, await neededOf(db, rosters, asked));
  const rosterHash = rosters.only === null ? 'roster_hash' : quote(rosters.only.hash);
  await db.run(
    `CREATE OR REPLACE TEMP TABLE base_recomputed AS
     WITH asked AS (
       SELECT batch, line, ${rosterHash} AS roster_hash FROM main.base_calls WHERE ${asked}
     ), looked_up AS (
       SELECT a.batch, a.line, a.roster_hash IN (SELECT roster_hash FROM temp.base_rosters) AS at_hand,
         n.worker, n.source,
         n.source <> 'unread' AND COALESCE(r.standing, '') <> 'active' AS is_missing,
         r.standing IS NULL AND ${HASHED} AND NOT (SELECT count(*) > 0 FROM
           (SELECT worker_id AS id FROM temp.base_rosters) WHERE ${HASHED}) AS is_hashed
       FROM asked a
       LEFT JOIN main.base_named_workers n ON n.batch = a.batch AND n.line = a.line
       LEFT JOIN temp.base_rosters r ON r.roster_hash = a.roster_hash AND r.worker_id = n.id
     ), told AS (
       SELECT batch, line, COALESCE(at_hand, FALSE) AS at_hand, count(source) AS named,
         count(*) FILTER (source = 'unread') AS unread,
         count(*) FILTER (is_missing AND is_hashed) AS hashed,
         list(DISTINCT worker ORDER BY worker) FILTER (is_missing AND NOT COALESCE(is_hashed, FALSE)) AS phantoms
       FROM looked_up GROUP BY ALL
     )
     SELECT batch, line,
       CASE WHEN named = 0 THEN 'nobody' WHEN NOT at_hand THEN 'not_at_hand' WHEN phantoms IS NOT NULL THEN 'wrong'
         WHEN unread > 0 THEN 'unread' WHEN hashed > 0 THEN 'hashed' ELSE 'right' END AS roster_check,
       CASE WHEN at_hand THEN CAST(to_json(phantoms) AS VARCHAR) END AS phantoms
     FROM told`,
  );
}

async function neededOf(db: Database, rosters: Rosters, asked: string): Promise<readonly Roster[]> {
  if (rosters.only !== null) return [rosters.only];
  const hashes = await db.objects<{ roster_hash: string }>(
    `SELECT DISTINCT roster_hash FROM main.base_calls WHERE roster_hash IS NOT NULL AND ${asked}`,
  );
  return rosters.withHashes(hashes.map(({ roster_hash }) => roster_hash));
}

/** All ids of one standing are one cell, which takes a twentieth of the time of a row for each. */
async function fillRosters(db: Database, rosters: readonly Roster[]): Promise<void> {
  await db.run(
    'CREATE OR REPLACE TEMP TABLE base_roster_lists (roster_hash VARCHAR, standing VARCHAR, ids VARCHAR)',
  );
  const lists = db.rowAppender('base_roster_lists', 'temp');
  for (const { hash, workers } of rosters) {
    for (const standing of ['active', 'inactive'] as const) {
      const ids = [...workers.values()].filter(({ active }) => active === (standing === 'active'));
      lists.add([hash, standing, JSON.stringify(ids.map(({ id }) => id))]);
    }
  }
  lists.close();
  await db.run(
    `CREATE OR REPLACE TEMP TABLE base_rosters AS
       SELECT roster_hash, standing, unnest(from_json(ids, '["VARCHAR"]')) AS worker_id FROM temp.base_roster_lists;
     DROP TABLE temp.base_roster_lists`,
  );
}

/** Of a call: a worker whom its roster lacks. */
export interface Phantom {
  readonly file: string;
  readonly line: number;
  readonly worker: string;
  /** `artifact`: proposed_worker_ids leaves it out. */
  readonly named_in: 'ids' | 'artifact';
  readonly standing: 'inactive' | null;
}

/** After `recompute` with the same rosters. @param calls condition over a call `s`. */
export function phantomsAmong(db: Database, rosters: Rosters, calls: string): Promise<Phantom[]> {
  const rosterHash = rosters.only === null ? 's.roster_hash' : quote(rosters.only.hash);
  return db.objects<Phantom>(
    `SELECT DISTINCT b.file, s.line, n.worker, n.source AS named_in, r.standing
     FROM main.base_calls s
     JOIN temp.base_recomputed c ON c.batch = s.batch AND c.line = s.line AND c.roster_check = 'wrong'
     JOIN main.base_batches b ON b.batch = s.batch
     JOIN main.base_named_workers n ON n.batch = s.batch AND n.line = s.line AND n.source <> 'unread'
     LEFT JOIN temp.base_rosters r ON r.roster_hash = ${rosterHash} AND r.worker_id = n.id
     WHERE ${calls} AND COALESCE(r.standing, '') <> 'active' AND list_contains(from_json(c.phantoms, '["VARCHAR"]'), n.worker)
     ORDER BY b.file, s.line, n.worker, n.source DESC`,
  );
}
