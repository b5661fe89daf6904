import type { Reject } from '../../schema/account.js';
import type { Kind } from '../../schema/formats.js';
import { rowsOf } from '../duckdb/blocks.js';
import type { Database } from '../duckdb/connection.js';
import type { SourceFile } from '../input/index.js';

/** As they are selected below. */
type Row = [number, number, number, string, string, string, boolean];

/** In the order of files and lines; loaded with the option `everyReject`. There may be very many: the engine sorts none. */
export async function rejectsIn(db: Database): Promise<Reject[]> {
  const { cells } = await db.rows('SELECT batch, file FROM main.base_batches');
  const files = new Map(cells as readonly [number, string][]);
  const byBatch: Reject[][] = [];
  const select =
    'SELECT batch, line, byte_offset, reason, detail, line_sha256, blocks FROM main.base_rejects';
  for await (const block of (await db.blocks(select, {})).blocks) {
    for (const row of rowsOf(block)) {
      const [batch, line, byte_offset, reason, detail, line_sha256, blocks] = row as Row;
      byBatch[batch] ??= [];
      const file = files.get(batch)!;
      byBatch[batch].push({ file, line, byte_offset, reason, detail, line_sha256, blocks });
    }
  }
  return byBatch.flatMap((rejects) => rejects.sort((a, b) => a.line - b.line));
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
