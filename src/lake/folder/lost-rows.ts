/** Files of batches that are gone, with whatever they were merged into: their receipts say what is to be there. */
import type { BatchReceipt, DataFile } from '../../schema/batch.js';
import { heldNames, movesAmong, readCompactions } from './compactions.js';
import type { FolderLake } from './making.js';

export interface Lost {
  readonly receipt: BatchReceipt;
  readonly files: readonly DataFile[];
}

export function lostRows({ place, making }: FolderLake, receipts: readonly BatchReceipt[]): Lost[] {
  // In this order: what commits name was there before them.
  const compactions = readCompactions(place, making.lake_id, (name) => name);
  const names = heldNames(place);
  const { held } = movesAmong(compactions, names, receipts);
  const later = new Map(
    held.flatMap(({ files, replaces }) => replaces.map((path) => [path, files[0]?.path ?? path] as const)),
  );
  const isHeld = (path: string): boolean => {
    const next = later.get(path);
    return names.has(path) || (next !== undefined && next !== path && isHeld(next));
  };
  return receipts.flatMap((receipt) => {
    const files = Object.values(receipt.tables).flatMap((table) => table.files);
    const lost = files.filter(({ path }) => !isHeld(path));
    return lost.length === 0 ? [] : [{ receipt, files: lost }];
  });
}
