import type zlib from 'node:zlib';
import { CUT, damaged, TRAILING } from './damage.js';

const OUTPUT = 256 << 10;

/**
 * All members of a .gz as one. Zero bytes behind the last one, as tape blocks and `dd` leave them, are passed over as
 * gzip(1) does (it warns); any other bytes are an error, because they may be lines that somebody appended.
 * @throws Error with a plain reason.
 */
export async function* gunzip(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, void> {
  // node:zlib takes 2 ms to load.
  const { createGunzip } = await import('node:zlib');
  const engine = createGunzip({ chunkSize: OUTPUT });
  const source = chunks[Symbol.asyncIterator]();
  const fed = new Feeder(source, engine);
  try {
    fed.start();
    yield* engine as AsyncIterable<Buffer>;
    // The engine ends without a word at bytes that are no further member.
    for await (const rest of fed.rest()) {
      if (rest.some((byte) => byte !== 0)) throw new Error(TRAILING);
    }
  } catch (error) {
    throw zlibError(error);
  } finally {
    engine.destroy();
    // Not awaited: it would wait for a chunk that is on its way, and a pipe may never send one.
    source.return?.().catch(() => {});
  }
}

/** Hands chunks to the engine, each when the one before is used up, and knows what the engine did not take. */
class Feeder {
  private readonly source: AsyncIterator<Uint8Array>;
  private readonly engine: zlib.Gunzip;
  private given = 0;
  private last: Uint8Array = new Uint8Array(0);

  constructor(source: AsyncIterator<Uint8Array>, engine: zlib.Gunzip) {
    this.source = source;
    this.engine = engine;
  }

  start(): void {
    this.feed().catch((error) => this.engine.destroy(error));
  }

  private async feed(): Promise<void> {
    for (;;) {
      const { done, value } = await this.source.next();
      if (done) break;
      this.given += value.length;
      this.last = value;
      // Never called back for a chunk that is not taken whole: then the engine ends, and this wait is given up.
      await new Promise<void>((resolve, reject) => {
        this.engine.write(value, (error) => (error ? reject(error) : resolve()));
      });
    }
    this.engine.end();
  }

  async *rest(): AsyncGenerator<Uint8Array, void, void> {
    const left = this.given - this.engine.bytesWritten;
    if (left === 0) return;
    yield this.last.subarray(this.last.length - left);
    for (;;) {
      const { done, value } = await this.source.next();
      if (done) return;
      yield value;
    }
  }
}

function zlibError(error: unknown): unknown {
  const { code, message } = error as NodeJS.ErrnoException;
  if (!code?.startsWith('Z_')) return error;
  return new Error(code === 'Z_BUF_ERROR' ? CUT : damaged(message), { cause: error });
}
