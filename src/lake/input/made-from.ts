/** Whether an archive is what the file beside it is compressed to, or may become it: as far as it can be read by now. */
import { closeSync, constants, createReadStream, fstatSync, openSync, readSync } from 'node:fs';
import { type Compression, compressionOf, decompress, headOf, MAGIC_BYTES } from './decompress.js';
import { CUT } from './reasons.js';
import { unzstd } from './unzstd.js';

/**
 * @returns false where what it holds is another than what the file begins with, or is damaged otherwise than by its
 * end: as long as it is made it holds less than all.
 */
export async function mayBeMadeFrom(archive: string, plain: string): Promise<boolean> {
  try {
    const head = headIn(archive);
    const compression = compressionOf(head);
    if (compression === null || head.length < MAGIC_BYTES) return head.length < MAGIC_BYTES;
    const common = await commonOf(plain, contentOf(archive, compression));
    if (common === null) return false;
    if (await isReadable(archive, compression)) return true;
    // A .gz shows something of its text from some hundred bytes on; a block of a .zst holds up to 128 KiB of it.
    return common.left > 0 && (common.bytes > 0 || compression === 'gz');
  } catch {
    return false;
  }
}

function headIn(file: string): Uint8Array {
  const fd = openSync(file, constants.O_RDONLY);
  try {
    return headOf(fd);
  } finally {
    closeSync(fd);
  }
}

/** How many bytes these are, and how many of the file follow them; null where it does not begin with them. */
async function commonOf(
  plain: string,
  chunks: AsyncIterable<Uint8Array>,
): Promise<{ readonly bytes: number; readonly left: number } | null> {
  const fd = openSync(plain, constants.O_RDONLY);
  try {
    let at = 0;
    for await (const chunk of chunks) {
      const own = Buffer.allocUnsafe(chunk.length);
      const count = readSync(fd, own, 0, own.length, at);
      if (!own.subarray(0, count).equals(chunk)) return null;
      at += count;
    }
    return { bytes: at, left: fstatSync(fd).size - at };
  } finally {
    closeSync(fd);
  }
}

/** As a log is read: false where it ends too early. @throws where it is damaged otherwise. */
async function isReadable(archive: string, compression: Compression): Promise<boolean> {
  try {
    for await (const _ of decompress(createReadStream(archive), compression));
    return true;
  } catch (error) {
    if ((error as Error).message !== CUT) throw error;
    return false;
  }
}

/** What is there by now, without an error where it ends too early: with one a stream may keep the last of it. */
async function* contentOf(archive: string, compression: Compression): AsyncGenerator<Uint8Array, void, void> {
  const stream = createReadStream(archive);
  try {
    yield* compression === 'zst' ? untilCut(unzstd(stream)) : await gunzipped(stream);
  } finally {
    stream.destroy();
  }
}

async function gunzipped(stream: NodeJS.ReadableStream): Promise<AsyncIterable<Uint8Array>> {
  const { createGunzip, constants: zlib } = await import('node:zlib');
  const engine = createGunzip({ finishFlush: zlib.Z_SYNC_FLUSH });
  stream.on('error', (error) => engine.destroy(error)).pipe(engine);
  return engine;
}

async function* untilCut(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, void> {
  try {
    yield* chunks;
  } catch (error) {
    if ((error as Error).message !== CUT) throw error;
  }
}
