/** How a log is known again: by its first bytes, and by the last of what was read. */
import { createHash } from 'node:crypto';
import { readSync } from 'node:fs';
import type { KnownLog, Piece } from './logs.js';

/** Bytes at either end that are compared at every run; `lake verify` compares all. */
const WINDOW = 4096;

export const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

/** As many as there are. */
export function bytesAt(fd: number, from: number, to: number): Buffer {
  const bytes = Buffer.allocUnsafe(to - from);
  let length = 0;
  for (let count = 1; count > 0 && length < bytes.length; length += count)
    count = readSync(fd, bytes, length, bytes.length - length, from + length);
  return bytes.subarray(0, length);
}

/** Of the first bytes of a log of which so many are in the lake. */
export const startOf = (fd: number, readTo: number): string =>
  sha256(bytesAt(fd, 0, Math.min(WINDOW, readTo)));
export const endOf = (fd: number, readTo: number): string =>
  sha256(bytesAt(fd, Math.max(0, readTo - WINDOW), readTo));

/** Of a log of which nothing was read yet. */
export const NOTHING_READ = { start_sha256: sha256(Buffer.alloc(0)), end_sha256: sha256(Buffer.alloc(0)) };

/** The last of the bytes that came so far, as many as `endOf` hashes. */
export const lastOf = (before: Buffer, bytes: Uint8Array): Buffer =>
  bytes.length < WINDOW
    ? Buffer.concat([before, bytes]).subarray(-WINDOW)
    : Buffer.from(bytes.subarray(-WINDOW));

/** How many first bytes `startOf` hashes. */
export const startLength = ({ read_to }: Pick<KnownLog, 'read_to'>): number => Math.min(WINDOW, read_to);
export const START_BYTES = WINDOW;
/** How many last bytes `endOf` hashes. */
export const endLength = startLength;

/** Whether what was read of a log stands in a file, as far as its ends tell, with as much behind it as was seen. */
export function isSame(fd: number, size: number, log: KnownLog): boolean {
  return (
    size >= log.read_to + log.rest &&
    startOf(fd, log.read_to) === log.start_sha256 &&
    endOf(fd, log.read_to) === log.end_sha256
  );
}

export interface Compared {
  /** Every batch of the log stands in them, byte for byte. */
  readonly isSame: boolean;
  /** The first batch that does not; null where all do. */
  readonly differs: Piece | null;
  readonly bytes: number;
  /** What the log holds ends with a line. */
  readonly endsLine: boolean;
}

const LF = 10;

/** Compares all bytes of a file with the batches of a log. @param pieces in their order, without a hole. */
export async function compare(
  chunks: AsyncIterable<Uint8Array>,
  pieces: readonly Piece[],
): Promise<Compared> {
  let [bytes, at, left] = [0, 0, pieces[0]?.bytes ?? 0];
  let hash = createHash('sha256');
  let differs: Piece | null = null;
  let last = LF;
  for await (const chunk of chunks) {
    bytes += chunk.length;
    for (let from = 0; from < chunk.length && at < pieces.length; ) {
      const some = chunk.subarray(from, from + left);
      hash.update(some);
      last = some.at(-1) ?? last;
      from += some.length;
      left -= some.length;
      if (left > 0) continue;
      const piece = pieces[at++]!;
      if (!isNamed(piece, hash.digest('hex'))) differs ??= piece;
      hash = createHash('sha256');
      left = pieces[at]?.bytes ?? 0;
    }
  }
  differs ??= pieces[at] ?? null;
  return { isSame: differs === null, differs, bytes, endsLine: last === LF };
}

/** What a batch is called whose bytes another place has already, of this log or of another: all hosts call it alike. */
export const nameBehind = (before: string | null, bytes: string): string =>
  sha256(Buffer.from(`${before ?? ''}\n${bytes}`, 'latin1'));

/** @param bytes their SHA-256. */
export const isNamed = ({ sha256: name, before }: Pick<Piece, 'sha256' | 'before'>, bytes: string): boolean =>
  name === bytes || (before !== undefined && name === nameBehind(before, bytes));

/** The hash of the batches of a log up to and with this one. */
export const headAfter = (head: string, batch: string): string => sha256(Buffer.from(head + batch, 'latin1'));
