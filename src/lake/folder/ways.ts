/** Which batches make up a log as far as a host read it: logs that begin alike share batches, and part where their bytes do. */
import type { BatchReceipt } from '../../schema/batch.js';
import type { Chain } from './receipts.js';

export class Ways {
  private readonly byId: ReadonlyMap<string, BatchReceipt>;
  private readonly byHead: ReadonlyMap<string, BatchReceipt>;
  private readonly behind = new Map<string, BatchReceipt[]>();

  constructor(receipts: readonly BatchReceipt[]) {
    this.byId = new Map(receipts.map((receipt) => [receipt.id, receipt]));
    this.byHead = new Map(receipts.map((receipt) => [receipt.file.head, receipt]));
    for (const receipt of receipts) {
      const before = this.beforeOf(receipt);
      if (before !== null) this.behind.set(before.id, [...this.followersOf(before.id), receipt]);
    }
  }

  /** From the first batch of the log on; null where one of them is not there. */
  to(tip: BatchReceipt): Chain | null {
    const batches = [tip];
    for (let first = tip; first.file.before !== null; ) {
      const before = this.beforeOf(first);
      if (before === null) return null;
      batches.push(before);
      first = before;
    }
    return { root: tip.file.root, batches: batches.reverse() };
  }

  /** The batch before it, where the two join: another may have its name. */
  private beforeOf({ file: { before: id, byte_from, root } }: BatchReceipt): BatchReceipt | null {
    const before = id === null ? undefined : this.byId.get(id);
    // Whoever seals receipts may have made a circle of them.
    const joins =
      before !== undefined &&
      before.file.byte_from < byte_from &&
      before.file.byte_to === byte_from &&
      before.file.root === root;
    return joins ? before : null;
  }

  /** Of a log that was read up to the batch with this head. */
  upTo(head: string): Chain | null {
    const tip = this.byHead.get(head);
    return tip === undefined ? null : this.to(tip);
  }

  followersOf(id: string): readonly BatchReceipt[] {
    return this.behind.get(id) ?? [];
  }
}
