/** Takes what a log holds as read, without a look at its lines: whoever follows it wants what comes. */
import { createHash } from 'node:crypto';
import { eachOf, withFile } from './bytes.js';
import { compare, endOf, headAfter, lastOf, START_BYTES, sha256, startOf } from './fingerprint.js';
import type { KnownLog, Piece } from './logs.js';
import type { BatchReading } from './read.js';

/** A batch of which nobody knows more than its bytes. */
export interface Skimmed {
  readonly from: number;
  readonly bytes: number;
  readonly lines: number;
  readonly sha256: string;
}

/** How far a log was read by batches, in their order, and how it is known again. */
export type Reached = Pick<KnownLog, 'read_to' | 'lines' | 'head' | 'start_sha256' | 'end_sha256'>;

export function skim(batch: BatchReading): Skimmed {
  const { range, bytes } = batch;
  const hash = createHash('sha256');
  let lines = 0;
  let last = LF;
  const take = (chunk: Uint8Array) => {
    hash.update(chunk);
    for (let at = chunk.indexOf(LF); at >= 0; at = chunk.indexOf(LF, at + 1)) lines++;
    last = chunk.at(-1) ?? last;
  };
  // The first of what is read once is there for the scanner.
  if (bytes !== undefined) for (const chunk of bytes.slice(range.from > 0 ? 1 : 0)) take(chunk);
  else eachOf(batch.path, range.from, range.to, take);
  return {
    from: range.from,
    bytes: range.to - range.from,
    lines: last === LF ? lines : lines + 1,
    sha256: hash.digest('hex'),
  };
}

export function reachedBy(batch: BatchReading, skimmed: Skimmed, before: Reached | undefined): Reached {
  const { range, start, end, path } = batch;
  return {
    read_to: range.to,
    lines: (before?.lines ?? 0) + skimmed.lines,
    head: headAfter(before?.head ?? '', skimmed.sha256),
    ...(start && end
      ? {
          start_sha256: sha256(start.subarray(0, Math.min(START_BYTES, range.to))),
          end_sha256: sha256(end),
        }
      : withFile(path, (fd) => ({ start_sha256: startOf(fd, range.to), end_sha256: endOf(fd, range.to) }))),
  };
}

/** A batch of a log that was taken as read. */
export interface Taken extends Piece {
  readonly lines: number;
}

/** How far a file is what was taken as read of a log, byte for byte; null where it is another. */
export async function takenIn(
  chunks: AsyncIterable<Uint8Array>,
  taken: readonly Taken[],
): Promise<Reached | null> {
  const total = taken.reduce((sum, { bytes }) => sum + bytes, 0);
  let [at, start, end] = [0, Buffer.alloc(0) as Buffer, Buffer.alloc(0) as Buffer];
  async function* upTo() {
    for await (const chunk of chunks) {
      const some = chunk.subarray(0, total - at);
      if (some.length === 0) continue;
      at += some.length;
      if (start.length < START_BYTES) start = Buffer.concat([start, some]).subarray(0, START_BYTES);
      end = lastOf(end, some);
      yield some;
    }
  }
  if (!(await compare(upTo(), taken)).isSame) return null;
  return {
    read_to: total,
    lines: taken.reduce((sum, { lines }) => sum + lines, 0),
    head: taken.reduce((head, { sha256: batch }) => headAfter(head, batch), ''),
    start_sha256: sha256(start),
    end_sha256: sha256(end),
  };
}

const LF = 10;
