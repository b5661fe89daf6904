/** Traces that were replayed and never logged: their calls are lost, or stand in a log that was not read. */
import type { UnknownTraces } from '../../schema/result.js';
import type { Database } from '../duckdb/connection.js';
import { baseTable } from '../tables/base.js';

/** Null where there are none; the first in the order of files and lines. */
export async function unknownTraces(db: Database): Promise<UnknownTraces | null> {
  const [found] = await db.objects<{ traces: number; session_id: string; file: string; line: number }>(
    `SELECT traces, place.session_id, b.file, place.line FROM
       (SELECT count(DISTINCT session_id) AS traces,
          arg_min({batch: batch, line: line, session_id: session_id}, (batch, line)) AS place
        FROM ${baseTable('runs')} r
        WHERE NOT EXISTS (SELECT 1 FROM ${baseTable('calls')} s WHERE s.session_id = r.session_id)) t
     JOIN ${baseTable('batches')} b ON b.batch = place.batch`,
  );
  if (found === undefined || found.traces === 0) return null;
  const { traces, session_id, file, line } = found;
  return { traces, first: { session_id, where: `${file}:${line}` } };
}
