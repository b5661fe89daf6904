/** Which batches a lake has while one publishes into it: their receipts may be merged at any time. */
import type { BatchPlace, BatchReceipt } from '../../schema/batch.js';
import { nameBehind } from '../store/fingerprint.js';
import { readCompactions, receiptFiles } from './compactions.js';
import { COMPACTIONS, receiptName } from './layout.js';
import type { FolderLake } from './making.js';
import { type ReadReceipts, readReceipts, textsOf } from './receipts.js';
import { unsealed } from './seal.js';

/** Where the bytes of a batch stand, whichever host has them. The root is null for the first of a log. */
type Place = Pick<BatchPlace, 'before' | 'byte_to'> & { readonly root: string | null };

/**
 * A receipt is committed create-only under the name of its batch, and this name is free again only when the receipt
 * stands in a merged file that a compaction names. Whoever commits and finds no such file later was the first.
 */
export class Committed {
  readonly read: ReadReceipts;
  /** Batches that are gone, as those behind them tell. */
  private readonly missed = new Map<string, Omit<Place, 'before'>>();
  private readonly lake: FolderLake;
  private readonly known: Map<string, BatchReceipt>;
  private compactions: ReadonlySet<string>;

  constructor(lake: FolderLake) {
    const { place, making } = lake;
    this.lake = lake;
    // Before receipts: what is merged later is looked for among compactions that came later.
    this.compactions = new Set(place.list(COMPACTIONS));
    this.read = readReceipts(place, making.lake_id, (name) => place.at(name));
    this.known = new Map(this.read.receipts.map((receipt) => [receipt.id, receipt]));
    for (const { file } of this.read.receipts)
      if (file.before !== null && !this.known.has(file.before))
        this.missed.set(file.before, { root: file.root, byte_to: file.byte_from });
  }

  /**
   * The same bytes at the same place are one batch, whoever publishes it, and are called by their SHA-256; where another
   * place has this name, they are called by the batch before them too.
   * @param bytes their SHA-256.
   */
  nameOf(bytes: string, at: Place): string {
    const other = nameBehind(at.before, bytes);
    return this.has(other) || this.isOfAnother(bytes, at) ? other : bytes;
  }

  /** Whether a name is that of a batch at another place. */
  isOfAnother(id: string, { before, root, byte_to }: Place): boolean {
    if (this.has(id)) {
      const there = this.receiptOf(id);
      return there !== null && there.file.before !== before;
    }
    const gone = this.missed.get(id);
    return gone !== undefined && (gone.root !== (root ?? id) || gone.byte_to !== byte_to);
  }

  has(id: string): boolean {
    return this.known.has(id) || this.lake.place.has(receiptName(id)) || this.isMerged(id);
  }

  /** The receipt of a batch that is there; null where it cannot be read. */
  receiptOf(id: string): BatchReceipt | null {
    const known = this.known.get(id);
    const { place } = this.lake;
    if (known !== undefined || !place.has(receiptName(id))) return known ?? null;
    const receipt = unsealed<BatchReceipt>(place.read(receiptName(id)));
    return typeof receipt === 'string' ? null : receipt;
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
    for (const { path } of receiptFiles(commits.flatMap(({ moves }) => moves)))
      for (const text of textsOf(place, path).lines) {
        const receipt = unsealed<BatchReceipt>(text);
        if (typeof receipt !== 'string') this.known.set(receipt.id, receipt);
      }
  }
}
