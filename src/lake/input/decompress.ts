import { readSync } from 'node:fs';
import { createRequire } from 'node:module';
import { Readable } from 'node:stream';
import { CUT, damaged, TRAILING, Unreadable } from './reasons.js';
import { unzstd } from './unzstd.js';

export type Compression = 'gz' | 'zst';

/** Bytes by which it is known. */
export const MAGIC_BYTES = 4;

const ZSTD_FRAME = 0xfd2fb528;
/** The last hex digit is free (RFC 8878 §3.1.2). */
const ZSTD_SKIPPABLE = 0x184d2a5;

/** By position, so that the first bytes are read again by whoever reads the file. */
export function headOf(fd: number): Uint8Array {
  const head = Buffer.alloc(MAGIC_BYTES);
  try {
    return head.subarray(0, readSync(fd, head, 0, MAGIC_BYTES, 0));
  } catch (error) {
    // Some files of /proc can be read from where they are only.
    if ((error as NodeJS.ErrnoException).code === 'ESPIPE') return head.subarray(0, 0);
    throw error;
  }
}

/** By content, because rotated logs carry any name. */
export function compressionOf(head: Uint8Array): Compression | null {
  if (head[0] === 0x1f && head[1] === 0x8b) return 'gz';
  if (head.length < MAGIC_BYTES) return null;
  const magic = new DataView(head.buffer, head.byteOffset).getUint32(0, true);
  return magic === ZSTD_FRAME || magic >>> 4 === ZSTD_SKIPPABLE ? 'zst' : null;
}

/** What others compress to, by its first bytes; how its files are called, and what decompresses these and removes them. */
const OTHERS: readonly (readonly [format: string, magic: string, ending: string, by: string])[] = [
  ['xz', 'fd377a58', '.xz', 'unxz'],
  ['bzip2', '425a68', '.bz2', 'bunzip2'],
  ['lz4', '04224d18', '.lz4', 'unlz4 -m --rm'],
  ['zip', '504b0304', '.zip', 'unzip, and remove the archive'],
  ['7z', '377abcaf', '.7z', '7z x, and remove the archive'],
  ['lzop', '894c5a4f', '.lzo', 'lzop -dU'],
  ['lzip', '4c5a4950', '.lz', 'lzip -d'],
  ['compress', '1f9d', '.Z', 'uncompress'],
  ['lzma', '5d0000', '.lzma', 'unlzma'],
];

/** How files are called that nothing here decompresses; brotli has no first bytes to be known by. */
export const OTHER_ENDINGS: readonly string[] = [...OTHERS.map(([, , ending]) => ending), '.br'];

/** Bytes that a text may begin with: a byte order mark, an object, or what stands in front of it. */
const TEXT = /^([\t\n\r -~]|\xef\xbb|\xfe\xff|\xff\xfe)/;

/**
 * @param head of a file that nothing here decompresses.
 * @throws Unreadable for what is compressed in another way, or called compressed and no text.
 */
export function ensurePlain(head: Uint8Array, isSaidCompressed: boolean): void {
  const hex = Buffer.from(head).toString('hex');
  const [format, , ending, by] = OTHERS.find(([, magic]) => hex.startsWith(magic)) ?? [];
  if (format !== undefined) {
    const rename = isSaidCompressed ? '' : `let its name end in ${ending}, and `;
    throw new Unreadable(`it is compressed by ${format}, which is not read here`, {
      next: `${rename}decompress it: ${by}`,
    });
  }
  if (isSaidCompressed && head.length > 0 && !TEXT.test(Buffer.from(head).toString('latin1')))
    throw new Unreadable(
      'it is called compressed, and holds neither compressed data nor text (damaged copy?)',
    );
}

/**
 * Decompresses while it is read, checksums included; no more than a few MB are in memory, whatever the ratio.
 * @throws Error with a plain reason where the data are cut, damaged, followed by other bytes or compressed twice.
 */
export function decompress(
  chunks: AsyncIterable<Uint8Array>,
  compression: Compression,
): AsyncGenerator<Uint8Array, void, void> {
  return compressedOnce(compression === 'gz' ? gunzip(chunks) : unzstd(chunks), compression);
}

async function* compressedOnce(
  chunks: AsyncIterable<Uint8Array>,
  outer: Compression,
): AsyncGenerator<Uint8Array, void, void> {
  let head: Uint8Array = new Uint8Array(0);
  for await (const chunk of chunks) {
    if (head.length >= MAGIC_BYTES) {
      yield chunk;
      continue;
    }
    head = Buffer.concat([head, chunk]);
    if (compressionOf(head) !== null) {
      const next = `decompress it once: ${outer === 'gz' ? 'gunzip' : 'unzstd --rm'}`;
      throw new Unreadable('it is compressed twice', { next });
    }
    if (head.length >= MAGIC_BYTES) yield head;
  }
  if (head.length > 0 && head.length < MAGIC_BYTES) yield head;
}

/**
 * The text of the first bytes of a .gz, as far as they go; at once it takes half the time of a stream.
 * @throws zlib's error where they are damaged.
 */
export function gunzipBeginning(packed: Uint8Array): Buffer {
  // node:zlib takes 2 ms to load.
  const { gunzipSync, constants } = createRequire(import.meta.url)('node:zlib') as typeof import('node:zlib');
  return gunzipSync(packed, { finishFlush: constants.Z_SYNC_FLUSH });
}

const OUTPUT = 256 << 10;

/**
 * All members of a .gz as one. Zero bytes behind the last one, as tape blocks and `dd` leave them, are passed over as
 * gzip(1) does (it warns); any other bytes are an error, because they may be lines that somebody appended.
 */
async function* gunzip(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, void> {
  // node:zlib takes 2 ms to load.
  const { createGunzip } = await import('node:zlib');
  const engine = createGunzip({ chunkSize: OUTPUT });
  let given = 0;
  /** Where the zero bytes begin that all of the data so far end with. */
  let zeros = 0;
  const watched = async function* () {
    for await (const chunk of chunks) {
      const last = chunk.findLastIndex((byte) => byte !== 0);
      if (last >= 0) zeros = given + last + 1;
      given += chunk.length;
      yield chunk;
    }
  };
  const source = Readable.from(watched(), { highWaterMark: 1 });
  source.on('error', (error) => engine.destroy(error)).pipe(engine);
  try {
    yield* engine as AsyncIterable<Uint8Array>;
    // The engine ends without a word at bytes that are no further member.
    source.unpipe(engine);
    for await (const _ of source);
    if (zeros > engine.bytesWritten) throw new Error(TRAILING);
  } catch (error) {
    throw zlibError(error);
  } finally {
    engine.destroy();
    source.destroy();
  }
}

function zlibError(error: unknown): unknown {
  const { code, message } = error as NodeJS.ErrnoException;
  if (!code?.startsWith('Z_')) return error;
  // The first header was seen: these bytes stand where a further one would.
  if (message === 'incorrect header check') return new Error(TRAILING, { cause: error });
  return new Error(code === 'Z_BUF_ERROR' ? CUT : damaged(message), { cause: error });
}
