import type { Reject } from '../../schema/account.js';
import { type Block, rowsOf } from '../../schema/block.js';
import type { Kind } from '../../schema/formats.js';
import type { Database } from '../duckdb/connection.js';
import { quote } from '../duckdb/sql.js';
import type { SourceFile } from '../input/index.js';

/** In the order of files and lines; loaded with the option `everyReject`. @param ordinal as below. */
export async function rejectsIn(db: Database, ordinal?: string): Promise<Reject[]> {
  const names = ['file', 'line', 'byte_offset', 'reason', 'detail', 'line_sha256', 'blocks'];
  const rejects: Reject[] = [];
  for await (const block of rejectBlocks(db, names, ordinal)) {
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
  readonly ordinal: number;
}

/**
 * Columns of base_rejects, and `file`, in the order of files and lines: there may be very many, and few are ever held.
 * @param ordinal SQL of where a batch `b` stands among all, where its number does not say so.
 */
export async function* rejectBlocks(
  db: Database,
  columns: readonly string[],
  ordinal = 'b.batch',
): AsyncGenerator<Block> {
  const files = await db.objects<OfFile>(
    `SELECT b.batch, b.file, b.rejected, ${ordinal} AS ordinal
     FROM main.base_batches b WHERE b.rejected > 0 ORDER BY ${ordinal}`,
  );
  for (let from = 0, to = 0; from < files.length; from = to) {
    for (let sum = 0; to < files.length && (to === from || sum + files[to]!.rejected <= MOST_SORTED); to++)
      sum += files[to]!.rejected;
    const { blocks } = await db.blocks(selectRejects(columns, files.slice(from, to), ordinal), {});
    yield* blocks;
  }
}

/** Those of one file stand in the order of its lines. */
function selectRejects(
  columns: readonly string[],
  [first, ...more]: readonly OfFile[],
  ordinal: string,
): string {
  const { batch, file } = first!;
  const last = more.at(-1);
  if (last === undefined) {
    const own = `SELECT *, ${quote(file)} AS file FROM main.base_rejects WHERE batch = ${batch}`;
    return `SELECT ${columns.join(', ')} FROM (${own})`;
  }
  return `SELECT ${columns.join(', ')} FROM main.base_rejects r JOIN main.base_batches b USING (batch)
    WHERE ${ordinal} BETWEEN ${first!.ordinal} AND ${last.ordinal} ORDER BY ${ordinal}, line`;
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
