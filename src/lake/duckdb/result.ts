import type { Blocks } from '../../schema/block.js';
import { rowsOf } from '../../schema/block.js';
import type { Cell } from '../../schema/result.js';

export interface Rows {
  readonly names: readonly string[];
  readonly cells: readonly (readonly Cell[])[];
}

export interface TypedRows extends Rows {
  /** As DuckDB names them. */
  readonly types: readonly string[];
  readonly more: boolean;
}

/** The first rows, at most `most` of them; of a streamed result hardly more are ever held. */
export async function readRows(
  { names, types, blocks }: Blocks,
  most = Number.POSITIVE_INFINITY,
): Promise<TypedRows> {
  const cells: Cell[][] = [];
  for await (const block of blocks) {
    for (const row of rowsOf(block)) cells.push(row);
    if (cells.length > most) break;
  }
  return { names, types, cells: cells.slice(0, most), more: cells.length > most };
}
