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
      const { before } = receipt.file;
      if (before !== null) this.behind.set(before, [...this.followersOf(before), receipt]);
    }
  }

  /** From the first batch of the log on; null where one of them is not there. */
  to(tip: BatchReceipt): Chain | null {
    const batches = [tip];
    for (let first = tip; first.file.before !== null; ) {
      const before = this.byId.get(first.file.before);
      // Whoever seals receipts may have made a circle of them.
      if (before === undefined || before.file.byte_from >= first.file.byte_from) return null;
      batches.push(before);
      first = before;
    }
    return { root: tip.file.root, batches: batches.reverse() };
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
