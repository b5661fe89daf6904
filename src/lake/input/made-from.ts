/** Whether an archive is what the file beside it is compressed to, or may become it: as far as it can be read by now. */
import { closeSync, constants, createReadStream, openSync, readSync } from 'node:fs';
import { compressionOf, MAGIC_BYTES } from './decompress.js';
import { CUT } from './reasons.js';
import { unzstd } from './unzstd.js';

/** @returns false where what it holds is another than what the file begins with, or is damaged otherwise than by its end. */
export async function mayBeMadeFrom(archive: string, plain: string): Promise<boolean> {
  try {
    return await beginsWith(plain, contentOf(archive));
  } catch {
    return false;
  }
}

async function beginsWith(plain: string, chunks: AsyncIterable<Uint8Array>): Promise<boolean> {
  const fd = openSync(plain, constants.O_RDONLY);
  try {
    let at = 0;
    for await (const chunk of chunks) {
      const own = Buffer.allocUnsafe(chunk.length);
      const count = readSync(fd, own, 0, own.length, at);
      if (!own.subarray(0, count).equals(chunk)) return false;
      at += count;
    }
    return true;
  } finally {
    closeSync(fd);
  }
}

/** What is there by now, without an error where it ends too early. */
async function* contentOf(archive: string): AsyncGenerator<Uint8Array, void, void> {
  const head = headOf(archive);
  if (head.length < MAGIC_BYTES) return;
  const stream = createReadStream(archive);
  try {
    yield* compressionOf(head) === 'zst' ? untilCut(unzstd(stream)) : await gunzipped(stream);
  } finally {
    stream.destroy();
  }
}

function headOf(file: string): Buffer {
  const fd = openSync(file, constants.O_RDONLY);
  try {
    const head = Buffer.alloc(MAGIC_BYTES);
    return head.subarray(0, readSync(fd, head, 0, MAGIC_BYTES, 0));
  } finally {
    closeSync(fd);
  }
}

async function gunzipped(stream: NodeJS.ReadableStream): Promise<AsyncIterable<Uint8Array>> {
  const { createGunzip, constants: zlib } = await import('node:zlib');
  return stream.pipe(createGunzip({ finishFlush: zlib.Z_SYNC_FLUSH }));
}

async function* untilCut(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, void> {
  try {
    yield* chunks;
  } catch (error) {
    if ((error as Error).message !== CUT) throw error;
  }
}
