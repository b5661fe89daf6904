import { once } from 'node:events';
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
  /** Who waits for an idle thread, the longest first. */
  private readonly queue: { resolve(worker: Worker): void; reject(error: unknown): void }[] = [];
  private readonly spare: ArrayBuffer[] = [];
  private failure: { readonly error: unknown } | null = null;

  constructor(module: ScannerModule, options: ScanOptions, threads: number) {
    this.workers = Array.from(
      { length: threads },
      () => new Worker(artifact('worker.js'), { workerData: { module, options } }),
    );
    this.idle = [...this.workers];
    for (const worker of this.workers) worker.once('error', (error) => this.fail(error));
  }

  /**
   * @param take called with each part and what was found in it, in order; the blocks are its own until it returns.
   * @throws whatever a thread or `take` failed with; the pool is of no more use then.
   */
  async scan(parts: AsyncIterator<FilePart>, take: (part: FilePart, found: Delivery) => void): Promise<void> {
    const waiting: { readonly part: FilePart; readonly found: Promise<Delivery> }[] = [];
    let ended = false;
    const hold = async () => {
      while (!ended && waiting.length < AHEAD * this.workers.length) {
        const { done, value: part } = await parts.next();
        ended = done === true;
        if (done) return;
        const found = this.order(part);
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

  private async order(part: FilePart): Promise<Delivery> {
    if (this.failure) throw this.failure.error;
    const worker =
      this.idle.pop() ??
      (await new Promise<Worker>((resolve, reject) => this.queue.push({ resolve, reject })));
    try {
      const delivery = await this.ask(worker, part);
      const next = this.queue.shift();
      if (next) next.resolve(worker);
      else this.idle.push(worker);
      return delivery;
    } catch (error) {
      this.fail(error);
      throw error;
    }
  }

  /** A thread is gone, and with the part that it had the whole file. */
  private fail(error: unknown): void {
    this.failure ??= { error };
    for (const { reject } of this.queue.splice(0)) reject(error);
  }

  private async ask(worker: Worker, part: FilePart): Promise<Delivery> {
    const settled = new AbortController();
    const { signal } = settled;
    const buffers = this.spare.splice(0);
    worker.postMessage({ part, buffers } satisfies Order, buffers);
    try {
      // Both fail with what the thread fails with.
      const answer = once(worker, 'message', { signal });
      const ending = once(worker, 'exit', { signal }).then(() => {
        throw new Error('a thread that scans ended early');
      });
      const [delivery] = (await Promise.race([answer, ending])) as [Delivery];
      return delivery;
    } finally {
      settled.abort();
    }
  }
}
