import { Worker } from 'node:worker_threads';
import { artifact } from './artifact.js';
import type { FilePart } from './file.js';
import type { ScannerModule } from './machine.js';
import type { ScanOptions } from './scanner.js';
import type { Delivery, Order } from './worker.js';

/** Parts that are scanned or wait to be taken, per thread: more would only take memory. */
const AHEAD = 4;

/**
 * Threads that scan parts of files at the same time, and hand over what they found in the order of the parts.
 * Each reads with the descriptor of the main thread, so that all of them read one and the same file.
 */
export class ScanPool {
  private readonly workers: readonly Worker[];
  private readonly idle: Worker[];
  private readonly spare: ArrayBuffer[] = [];

  constructor(module: ScannerModule, options: ScanOptions, threads: number) {
    this.workers = Array.from(
      { length: threads },
      () => new Worker(artifact('worker.js'), { workerData: { module, options } }),
    );
    this.idle = [...this.workers];
  }

  /**
   * @param take called with each part and what was found in it, in order; the blocks are its own until it returns.
   * @throws whatever a thread or `take` failed with.
   */
  async scan(parts: AsyncIterator<FilePart>, take: (part: FilePart, found: Delivery) => void): Promise<void> {
    const waiting: { readonly part: FilePart; readonly found: Promise<Delivery> }[] = [];
    const freed: (() => void)[] = [];
    const order = async (part: FilePart): Promise<Delivery> => {
      while (this.idle.length === 0) await new Promise<void>((resolve) => freed.push(resolve));
      const worker = this.idle.pop()!;
      try {
        return await this.ask(worker, part);
      } finally {
        this.idle.push(worker);
        freed.shift()?.();
      }
    };
    let ended = false;
    const hold = async () => {
      while (!ended && waiting.length < AHEAD * this.workers.length) {
        const { done, value: part } = await parts.next();
        ended = done === true;
        if (done) return;
        const found = order(part);
        // It is heard when its turn comes.
        found.catch(() => {});
        waiting.push({ part, found });
      }
    };
    for (await hold(); waiting.length > 0; await hold()) {
      const { part, found } = waiting.shift()!;
      const delivery = await found;
      take(part, delivery);
      this.spare.push(...delivery.blocks.map(({ buffer }) => buffer));
    }
  }

  async close(): Promise<void> {
    await Promise.all(this.workers.map((worker) => worker.terminate()));
  }

  private ask(worker: Worker, part: FilePart): Promise<Delivery> {
    return new Promise((resolve, reject) => {
      const settle = (act: () => void) => {
        // One by one: without its own listeners a worker hears nothing any more.
        worker.off('message', onMessage).off('error', onError).off('exit', onExit);
        act();
      };
      const onMessage = (delivery: Delivery) => settle(() => resolve(delivery));
      const onError = (error: Error) => settle(() => reject(error));
      const onExit = () => settle(() => reject(new Error('a thread that scans ended early')));
      worker.on('message', onMessage).on('error', onError).on('exit', onExit);
      const buffers = this.spare.splice(0);
      worker.postMessage({ part, buffers } satisfies Order, buffers);
    });
  }
}
