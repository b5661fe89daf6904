/** Entry of a thread that scans parts of files, one after the other, as the pool hands them out. */
import { parentPort, workerData } from 'node:worker_threads';
import type { RowBlock } from './columns.js';
import { type FilePart, type ScannedPart, scanFile } from './file.js';
import type { ScannerModule, ScanOptions } from './machine.js';
import { Scanner } from './scanner.js';

export interface Order {
  readonly part: FilePart;
  /** Buffers of blocks that were taken, to be filled again. */
  readonly buffers: readonly ArrayBuffer[];
}

export interface Delivery {
  readonly counts: ScannedPart;
  readonly blocks: readonly RowBlock[];
}

const { module, options } = workerData as { module: ScannerModule; options: ScanOptions };
const spare: ArrayBuffer[] = [];
let blocks: RowBlock[] = [];
const scanner = new Scanner(module, options, {
  rows: (block) => void blocks.push(copied(block)),
  reject: () => {},
});

/** The cells and texts of a block in a buffer of their own, which can be given away. */
function copied({ buffer, cells, arena, arenaBytes, rows, naming }: RowBlock): RowBlock {
  const { bytes } = scanner.layout;
  const size = bytes + arenaBytes;
  const free = spare.pop();
  const to = free && free.byteLength >= size ? free : new ArrayBuffer(Math.ceil(size * 1.25));
  const target = new Uint8Array(to);
  target.set(new Uint8Array(buffer, cells, bytes));
  target.set(new Uint8Array(buffer, arena, arenaBytes), bytes);
  return { buffer: to, cells: 0, arena: bytes, arenaBytes, rows, naming };
}

parentPort!.on('message', ({ part, buffers }: Order) => {
  spare.push(...buffers);
  const counts = scanFile(scanner, part);
  scanner.flush();
  const delivery: Delivery = { counts, blocks };
  parentPort!.postMessage(
    delivery,
    blocks.map(({ buffer }) => buffer),
  );
  blocks = [];
});
