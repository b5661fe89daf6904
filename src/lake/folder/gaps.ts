/** A batch whose receipt is gone between two others, or before the first: those say where it stood and what its bytes are. */
import type { BatchReceipt } from '../../schema/batch.js';
import { type Chain, isWhole, tipOf } from './receipts.js';

export interface Gap {
  /** The name of the batch. */
  readonly id: string;
  readonly from: number;
  readonly to: number;
  /** In the same log; null before its first. */
  readonly before: Chain | null;
  readonly after: BatchReceipt;
}

/** Of several in a row only the last is known, and of what of them one cannot say where it begins. */
export function gapsIn(chains: readonly Chain[]): Gap[] {
  const there = new Set(chains.flatMap(({ batches }) => batches.map((one) => one.id)));
  return chains.flatMap(({ batches: [after] }) => {
    const { before: id, byte_from: to, root } = after!.file;
    // Where it is there, two batches follow the same one.
    if (id === null || there.has(id)) return [];
    const before =
      chains.find((one) => isWhole(one) && one.root === root && tipOf(one).file.byte_to < to) ?? null;
    if (!before && id !== root) return [];
    return [{ id, from: before ? tipOf(before).file.byte_to : 0, to, before, after: after! }];
  });
}
