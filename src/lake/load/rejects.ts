import type { Reject } from '../../schema/account.js';
import { type Block, rowsOf } from '../../schema/block.js';
import type { Kind } from '../../schema/formats.js';
import type { Database } from '../duckdb/connection.js';
import { quote } from '../duckdb/sql.js';
import type { SourceFile } from '../input/index.js';

/** In the order of files and lines; loaded with the option `everyReject`. */
export async function rejectsIn(db: Database): Promise<Reject[]> {
  const names = ['file', 'line', 'byte_offset', 'reason', 'detail', 'line_sha256', 'blocks'];
  const rejects: Reject[] = [];
  for await (const block of rejectBlocks(db, names)) {
    for (const row of rowsOf(block))
      rejects.push(Object.fromEntries(names.map((name, i) => [name, row[i]])) as unknown as Reject);
  }
  return rejects;
}

/** Rejects of several files that are sorted at once. */
const MOST_SORTED = 1 << 16;

interface OfFile {
  readonly batch: number;
  readonly file: string;
  readonly rejected: number;
}

/** Columns of base_rejects, and `file`, in the order of files and lines: there may be very many, and few are ever held. */
export async function* rejectBlocks(db: Database, columns: readonly string[]): AsyncGenerator<Block> {
  const files = await db.objects<OfFile>(
    'SELECT batch, file, rejected FROM main.base_batches WHERE rejected > 0 ORDER BY batch',
  );
  for (let from = 0, to = 0; from < files.length; from = to) {
    for (let sum = 0; to < files.length && (to === from || sum + files[to]!.rejected <= MOST_SORTED); to++)
      sum += files[to]!.rejected;
    const { blocks } = await db.blocks(selectRejects(columns, files.slice(from, to)), {});
    yield* blocks;
  }
}

/** Those of one file stand in the order of its lines. */
function selectRejects(columns: readonly string[], [first, ...more]: readonly OfFile[]): string {
  const { batch, file } = first!;
  const last = more.at(-1);
  if (last === undefined) {
    const own = `SELECT *, ${quote(file)} AS file FROM main.base_rejects WHERE batch = ${batch}`;
    return `SELECT ${columns.join(', ')} FROM (${own})`;
  }
  return `SELECT ${columns.join(', ')} FROM main.base_rejects JOIN main.base_batches USING (batch)
    WHERE batch BETWEEN ${batch} AND ${last.batch} ORDER BY batch, line`;
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
