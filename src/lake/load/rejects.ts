import type { Reject } from '../../schema/account.js';
import type { Kind } from '../../schema/formats.js';
import type { Database } from '../duckdb/connection.js';
import type { SourceFile } from '../input/index.js';

/** In the order of files and lines; loaded with the option `everyReject`. */
export function rejectsIn(db: Database): Promise<Reject[]> {
  return db.objects<Reject>(
    `SELECT b.file, r.line, r.byte_offset, r.reason, r.detail, r.line_sha256, r.blocks
     FROM main.base_rejects r JOIN main.base_batches b ON b.batch = r.batch ORDER BY r.batch, r.line`,
  );
}

/**
 * Whether a reject could hide a call. A line of a file that was named as replay runs cannot, nor one that says
 * itself that it is a replay run; an unknown schema always could.
 */
export function blocksGates(as: SourceFile['as'], kind: Kind | null, reason: string): boolean {
  if (reason === 'value:schema') return true;
  if (as === 'replay_runs') return reason === 'wrong_kind';
  return reason === 'wrong_kind' || kind !== 'replay_runs';
}
