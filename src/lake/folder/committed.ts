/** Which batches a lake has while one publishes into it: their receipts may be merged at any time. */
import { readCompactions, receiptFiles } from './compactions.js';
import { COMPACTIONS, receiptName } from './layout.js';
import type { FolderLake } from './making.js';
import { type ReadReceipts, readReceipts, textsOf } from './receipts.js';

/**
 * A receipt is committed create-only under the name of its batch, and this name is free again only when the receipt
 * stands in a merged file that a compaction names. Whoever commits and finds no such file later was the first.
 */
export class Committed {
  readonly read: ReadReceipts;
  private readonly lake: FolderLake;
  private readonly known: Set<string>;
  private compactions: ReadonlySet<string>;

  constructor(lake: FolderLake) {
    const { place, making } = lake;
    this.lake = lake;
    // Before receipts: what is merged later is looked for among compactions that came later.
    this.compactions = new Set(place.list(COMPACTIONS));
    this.read = readReceipts(place, making.lake_id, (name) => place.at(name));
    this.known = new Set(this.read.receipts.map(({ id }) => id));
  }

  has(id: string): boolean {
    return this.known.has(id) || this.lake.place.has(receiptName(id)) || this.isMerged(id);
  }

  /** Whether a receipt of the batch was merged. Where its own name was just free, that was before. */
  isMerged(id: string): boolean {
    this.readMerged();
    return this.known.has(id);
  }

  private readMerged(): void {
    const { place, making } = this.lake;
    const names = place.list(COMPACTIONS);
    if (names.every((name) => this.compactions.has(name))) return;
    this.compactions = new Set(names);
    const { commits } = readCompactions(place, making.lake_id, (name) => name);
    for (const { path } of receiptFiles({ commits }))
      for (const text of textsOf(place, path).lines) {
        const [, id] = /"id":"([0-9a-f]{64})"/.exec(text.toString('latin1')) ?? [];
        if (id !== undefined) this.known.add(id);
      }
  }
}
