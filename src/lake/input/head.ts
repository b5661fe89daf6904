import { closeSync, constants, openSync, readSync } from 'node:fs';
import { type Compression, compressionOf } from './compression.js';
import { unzstd } from './unzstd.js';

/** How much of a file tells what it is. */
export const HEAD_BYTES = 64 << 10;

/** The beginning of a file, decompressed. Its bytes are overwritten by the next one that is read. */
export interface Head {
  readonly bytes: Buffer;
  /** Nothing follows them. */
  readonly whole: boolean;
}

const buffer = Buffer.allocUnsafeSlow(HEAD_BYTES);

/** @throws the system's error where the file cannot be opened or read. */
export function headOf(file: string): Head | Promise<Head> {
  // A pipe that took the file's place meanwhile must not hold everything up.
  const fd = openSync(file, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
  let raw: Head;
  try {
    raw = read(fd);
  } finally {
    closeSync(fd);
  }
  const compression = compressionOf(raw.bytes);
  return compression === null ? raw : decompressed(raw, compression);
}

function read(fd: number): Head {
  let length = 0;
  while (length < HEAD_BYTES) {
    const bytesRead = readSync(fd, buffer, length, HEAD_BYTES - length, null);
    if (bytesRead === 0) return { bytes: buffer.subarray(0, length), whole: true };
    length += bytesRead;
  }
  return { bytes: buffer, whole: false };
}

/** Damaged data end where the damage begins: whoever reads the file tells what is wrong with it. */
async function decompressed(raw: Head, compression: Compression): Promise<Head> {
  const parts: Uint8Array[] = [];
  let length = 0;
  try {
    for await (const part of compression === 'gz' ? gunzipped(raw.bytes) : unzstd(once(raw.bytes))) {
      parts.push(part);
      length += part.length;
      if (length >= HEAD_BYTES) break;
    }
  } catch {}
  const bytes = Buffer.concat(parts, length);
  return { bytes: bytes.subarray(0, HEAD_BYTES), whole: raw.whole && length < HEAD_BYTES };
}

async function* once(bytes: Buffer): AsyncGenerator<Buffer, void, void> {
  yield bytes;
}

/** In steps, because the smallest beginning that holds enough may be a 1,000th of the whole. */
async function* gunzipped(raw: Buffer): AsyncGenerator<Buffer, void, void> {
  const { gunzipSync, constants } = await import('node:zlib');
  let done = 0;
  for (let taken = 1 << 10; done < HEAD_BYTES; taken *= 4) {
    const text = gunzipSync(raw.subarray(0, taken), { finishFlush: constants.Z_SYNC_FLUSH });
    yield text.subarray(done);
    done = text.length;
    if (taken >= raw.length) return;
  }
}
