import { on } from 'node:events';
import { Worker } from 'node:worker_threads';
import { artifact } from '../artifact.js';
import type { FilePart } from './file.js';
import type { ScannerModule, ScanOptions } from './machine.js';
import type { Delivery, Order } from './worker.js';

/** Parts that are scanned or wait to be taken, per thread: more would only take memory. */
const AHEAD = 4;

/**
 * Scans parts of files in threads, which take turns, and hands over what they found in the order of the parts. Each
 * thread reads with the descriptor of this one, so that all of them read one and the same file.
 * @param take called with each part and what was found in it; the blocks are its own until it returns.
 * @throws whatever a thread, `parts` or `take` failed with.
 */
export async function scanInThreads(
  module: ScannerModule,
  options: ScanOptions,
  count: number,
  parts: AsyncIterable<FilePart>,
  take: (part: FilePart, found: Delivery) => void,
): Promise<void> {
  const threads = Array.from({ length: count }, () => {
    const worker = new Worker(artifact('worker.js'), { workerData: { module, options } });
    // An error of the thread is thrown where its next message is awaited.
    return { worker, found: on(worker, 'message', { close: ['exit'] }) };
  });
  const ordered: FilePart[] = [];
  const spare: ArrayBuffer[] = [];
  let taken = 0;
  const takeNext = async () => {
    const { done, value } = await threads[taken++ % count]!.found.next();
    if (done) throw new Error('a thread that scans ended early');
    const [delivery] = value as [Delivery];
    take(ordered.shift()!, delivery);
    spare.push(...delivery.blocks.map(({ buffer }) => buffer));
  };
  try {
    for await (const part of parts) {
      if (ordered.length === AHEAD * count) await takeNext();
      const buffers = spare.splice(0);
      const { worker } = threads[(taken + ordered.length) % count]!;
      worker.postMessage({ part, buffers } satisfies Order, buffers);
      ordered.push(part);
    }
    while (ordered.length > 0) await takeNext();
  } finally {
    await Promise.all(threads.map(({ worker }) => worker.terminate()));
  }
}
