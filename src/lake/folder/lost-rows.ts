/** Files of batches that are gone, with whatever they were merged into: their receipts say what is to be there. */
import path from 'node:path';
import type { BatchReceipt, DataFile } from '../../schema/batch.js';
import { movesAmong, readCompactions } from './compactions.js';
import type { FolderLake } from './making.js';

export interface Lost {
  readonly receipt: BatchReceipt;
  readonly files: readonly DataFile[];
}

/** @param receipts of batches that could be had again: where nothing of others stands is not looked at. */
export function lostRows({ place, making }: FolderLake, receipts: readonly BatchReceipt[]): Lost[] {
  const filesOf = ({ tables }: BatchReceipt) => Object.values(tables).flatMap(({ files }) => files);
  // In this order: what commits name was there before them.
  const compactions = readCompactions(place, making.lake_id, (name) => name);
  // What was merged stands in the folder of what it was made of.
  const folders = new Set(receipts.flatMap(filesOf).map((file) => path.posix.dirname(file.path)));
  const names = new Set([...folders].flatMap((folder) => place.list(folder)));
  const { held } = movesAmong(compactions, names, receipts);
  const later = new Map(
    held.flatMap(({ files, replaces }) => replaces.map((name) => [name, files[0]?.path ?? name] as const)),
  );
  const isHeld = (name: string): boolean => {
    const next = later.get(name);
    return names.has(name) || (next !== undefined && next !== name && isHeld(next));
  };
  // What stands in the place of a file is taken away first, by somebody.
  const isLost = ({ path: name }: DataFile) => !isHeld(name) && place.statsOf(name) === undefined;
  return receipts.flatMap((receipt) => {
    const lost = filesOf(receipt).filter(isLost);
    return lost.length === 0 ? [] : [{ receipt, files: lost }];
  });
}
