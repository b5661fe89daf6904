/** Traces that were replayed and never logged: their calls are lost, or stand in a log that was not read. */
import type { UnknownTraces } from '../../schema/result.js';
import type { Database } from '../duckdb/connection.js';
import { baseTable } from '../tables/base.js';

/** Replay runs that no call belongs to. */
export const runsWithoutCall = (runs: string): string =>
  `FROM ${runs} r WHERE NOT EXISTS (SELECT 1 FROM ${baseTable('calls')} s WHERE s.session_id = r.session_id)`;

/**
 * Null where there are none; the first in the order of files and lines.
 * @param runs a table of replay runs, those without a call among them.
 */
export async function unknownTraces(db: Database, runs: string): Promise<UnknownTraces | null> {
  const [found] = await db.objects<{ traces: number; session_id: string; file: string; line: number }>(
    `SELECT traces, place.session_id, b.file, place.line FROM
       (SELECT count(DISTINCT session_id) AS traces,
          arg_min({batch: batch, line: line, session_id: session_id}, (batch, line)) AS place
        ${runsWithoutCall(runs)}) t
     JOIN ${baseTable('batches')} b ON b.batch = place.batch`,
  );
  if (found === undefined || found.traces === 0) return null;
  const { traces, session_id, file, line } = found;
  return { traces, first: { session_id, where: `${file}:${line}` } };
}
