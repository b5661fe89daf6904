import { close, closeSync, createReadStream, fstatSync } from 'node:fs';
import type { Readable } from 'node:stream';
import { compressionOf, decompress, ensurePlain, headOf, MAGIC_BYTES } from './decompress.js';
import { CUT_SINCE, openFound } from './moved.js';
import { Changed, Unreadable, unreadable } from './reasons.js';
import type { SourceFile } from './resolve.js';
import { isCompressed, isSaidCompressed } from './rotation.js';

/** A plain file: its bytes stand where they are, to be read by as many as like. */
export interface PlainInput {
  readonly kind: 'plain';
  readonly fd: number;
  /** Where to stop; later bytes belong to the next run. */
  readonly size: number;
  readonly mtimeMs: number;
  readonly maybeEmpty: boolean;
  /** @throws Changed where what was read may not be what stood there. Before `close`. */
  ensureUnchanged(): void;
  close(): void;
}

/** Bytes that can be read once, decompressed: of a pipe, an archive, or a file that does not know its size. */
export interface StreamInput {
  readonly kind: 'stream';
  /** Throws Unreadable. Closed when read to the end or left. */
  readonly chunks: AsyncIterable<Uint8Array>;
  readonly maybeEmpty: boolean;
  /** For one that nobody began to read. */
  close(): void;
}

export type OpenedInput = PlainInput | StreamInput;

export const CHANGED = 'it changed while it was read';

/** Pieces in which streams are read. */
const CHUNK = 256 << 10;

/**
 * Opens a file once; whatever becomes of its name, this is what a run speaks about.
 * @throws Unreadable with a plain reason.
 */
export async function openInput(
  file: SourceFile,
  { stdin }: { readonly stdin: Readable },
): Promise<OpenedInput> {
  if (file.path === '-') return streamed(file, stdin, file.maybeEmpty);
  // Opening a pipe waits for its writer: never synchronously, or no signal would be heard.
  if (file.stats?.isFile() === false)
    return streamed(file, createReadStream(file.path, { highWaterMark: CHUNK }), false);
  const fd = await openFound(file).catch((error) => {
    throw unreadable(error);
  });
  try {
    return opened(file, fd);
  } catch (error) {
    closeSync(fd);
    throw unreadable(error);
  }
}

function opened(file: SourceFile, fd: number): OpenedInput {
  const kind = fstatSync(fd);
  if (!kind.isFile()) throw new Unreadable(kind.isDirectory() ? 'is a folder' : 'is no file any more');
  const head = headOf(fd);
  // Behind the reading: a log that is written to for the first time just now has a size by now.
  const { size, mtimeMs, mtimeNs } = fstatSync(fd, { bigint: true });
  if (file.stats && size < file.stats.size) throw new Changed(CUT_SINCE);
  const compression = compressionOf(head);
  if (size === 0n || compression !== null) {
    const chunks = createReadStream(file.path, { fd, highWaterMark: CHUNK });
    return streamed(file, chunks, file.maybeEmpty && compression === null);
  }
  ensurePlain(head, isSaidCompressed(file.name));
  return {
    kind: 'plain',
    fd,
    size: Number(size),
    mtimeMs: Number(mtimeMs),
    maybeEmpty: file.maybeEmpty,
    ensureUnchanged: () => {
      const now = fstatSync(fd, { bigint: true });
      if (now.size < size) throw new Changed(`${CHANGED}: ${size} bytes at the start, ${now.size} now`);
      if (now.size === size && now.mtimeNs !== mtimeNs)
        throw new Changed(`${CHANGED}: it was written to and did not grow`);
    },
    close: () => close(fd),
  };
}

function streamed(file: SourceFile, stream: Readable, maybeEmpty: boolean): StreamInput {
  // Thrown again to whoever reads; until then it must not be an uncaught one.
  stream.on('error', () => {});
  return {
    kind: 'stream',
    chunks: contentOf(file.name, stream),
    maybeEmpty,
    close: () => stream.destroy(),
  };
}

async function* contentOf(name: string, stream: Readable): AsyncGenerator<Uint8Array, void, void> {
  try {
    const source = stream[Symbol.asyncIterator]() as AsyncIterableIterator<Uint8Array>;
    let head: Uint8Array = new Uint8Array(0);
    while (head.length < MAGIC_BYTES) {
      const { done, value } = await source.next();
      if (done) break;
      head = Buffer.concat([head, value]);
    }
    if (head.length === 0 && isCompressed(name))
      throw new Unreadable('is empty, and even nothing compresses to more (damaged copy?)');
    const all = (async function* () {
      if (head.length > 0) yield head;
      yield* source;
    })();
    const compression = compressionOf(head);
    if (compression === null) ensurePlain(head, isSaidCompressed(name));
    yield* compression === null ? all : decompress(all, compression);
  } catch (error) {
    throw unreadable(error);
  } finally {
    stream.destroy();
  }
}
