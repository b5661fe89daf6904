import { open } from 'node:fs/promises';

export const ZSTD_MAGIC = 0xfd2fb528;
const SKIPPABLE = 0x184d2a50;

/**
 * Walks the frames and blocks of a .zst file (RFC 8878 §3.1) without decompressing them. Node's decoder ends
 * without an error when the data stop early, so that a cut copy would load in part and look whole.
 * @throws Error with a plain reason.
 */
export async function ensureWholeZstd(path: string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    const { size } = await handle.stat();
    const bytes = async (position: number, length: number) => {
      const { buffer, bytesRead } = await handle.read(Buffer.alloc(length), 0, length, position);
      if (bytesRead < length) throw cut();
      return buffer;
    };
    let at = 0;
    while (at < size) {
      const magic = (await bytes(at, 4)).readUInt32LE();
      if ((magic & 0xfffffff0) >>> 0 === SKIPPABLE) {
        at += 8 + (await bytes(at + 4, 4)).readUInt32LE();
      } else if (magic === ZSTD_MAGIC) {
        at = await frameEnd(at + 4, bytes);
      } else {
        throw new Error(`holds ${size - at} bytes after the end of the compressed data`);
      }
    }
    if (at !== size) throw cut();
  } finally {
    await handle.close();
  }
}

async function frameEnd(
  start: number,
  bytes: (position: number, length: number) => Promise<Buffer>,
): Promise<number> {
  const descriptor = (await bytes(start, 1))[0]!;
  const singleSegment = (descriptor & 0x20) !== 0;
  const contentSize = [singleSegment ? 1 : 0, 2, 4, 8][descriptor >> 6]!;
  const dictionary = [0, 1, 2, 4][descriptor & 3]!;
  let at = start + 1 + (singleSegment ? 0 : 1) + dictionary + contentSize;
  for (;;) {
    const header = (await bytes(at, 3)).readUIntLE(0, 3);
    const [last, type, length] = [header & 1, (header >> 1) & 3, header >> 3];
    if (type === 3) throw new Error('the compressed data are damaged (reserved block type)');
    at += 3 + (type === 1 ? 1 : length);
    if (last) return at + (descriptor & 4 ? 4 : 0);
  }
}

function cut(): Error {
  return new Error('the compressed data stop before their end (truncated copy?)');
}
