import { createHash } from 'node:crypto';
import { readSync } from 'node:fs';
import { COUNTERS, type Counter } from './machine.js';
import type { LineCounts, Part, Scanner } from './scanner.js';

/** A part of a plain file. */
export interface FilePart extends Part {
  readonly fd: number;
  /** Where to stop; later bytes belong to the next run. */
  readonly size: number;
  /** Somebody may still be writing the last line of the file. */
  readonly isLive: boolean;
}

/** What the system says where bytes cannot be read; an error does not come out of a thread whole. */
export type ReadFailure = Pick<NodeJS.ErrnoException, 'code' | 'message' | 'syscall'>;

export interface ScannedPart extends LineCounts {
  /** The counts are those of the bytes before. */
  readonly failure: ReadFailure | null;
}

/** Reads straight into the scanner's memory. @param onBytes told what was read. */
export function scanFile(scanner: Scanner, part: FilePart, onBytes?: (count: number) => void): ScannedPart {
  const { fd, from, size, isLive } = part;
  const hash = part.hashesBytes ? createHash('sha256') : null;
  let failure: ReadFailure | null = null;
  scanner.begin(part);
  for (let position = from > 0 ? from - 1 : 0; position < size && !scanner.isDone; ) {
    const room = scanner.room();
    const count = readAt(fd, room, size - position, position);
    if (typeof count !== 'number') failure = count;
    // It was cut meanwhile, which is told when all is read.
    if (typeof count !== 'number' || count === 0) break;
    // Of the byte before the part only the scanner has need.
    hash?.update(room.subarray(position < from ? 1 : 0, count));
    scanner.filled(count);
    position += count;
    onBytes?.(count);
  }
  return { ...scanner.end(isLive), sha256: hash?.digest('hex') ?? null, failure };
}

function readAt(fd: number, room: Uint8Array, most: number, position: number): number | ReadFailure {
  try {
    return readSync(fd, room, 0, Math.min(room.length, most), position);
  } catch (error) {
    const { code, message, syscall } = error as NodeJS.ErrnoException;
    if (syscall !== 'read') throw error;
    return { ...(code && { code }), message, syscall };
  }
}

/** Scans what can be read once. @returns the counts, and how many bytes there were, one before the part not counted. */
export async function scanStream(
  scanner: Scanner,
  chunks: AsyncIterable<Uint8Array>,
  part: Omit<Part, 'to'>,
  onBytes?: (count: number) => void,
): Promise<{ readonly counts: LineCounts; readonly bytes: number }> {
  const hash = part.hashesBytes ? createHash('sha256') : null;
  let bytes = part.from > 0 ? -1 : 0;
  scanner.begin({ ...part, to: Number.POSITIVE_INFINITY });
  for await (const chunk of chunks) {
    hash?.update(chunk.subarray(Math.max(0, -bytes)));
    for (let at = 0; at < chunk.length; ) {
      const room = scanner.room();
      const some = chunk.subarray(at, at + room.length);
      room.set(some);
      scanner.filled(some.length);
      at += some.length;
    }
    bytes += chunk.length;
    onBytes?.(chunk.length);
  }
  return { counts: { ...scanner.end(false), sha256: hash?.digest('hex') ?? null }, bytes };
}

/** Counts of a file up to and with a part of it; lines of the part count from its own first. */
export function addCounts(before: LineCounts | undefined, part: LineCounts): LineCounts {
  if (before === undefined) return part;
  const groups = [...before.groups];
  for (const group of part.groups) {
    const at = groups.findIndex(({ reason, kind }) => reason === group.reason && kind === group.kind);
    if (at < 0) groups.push({ ...group, line: group.line + before.lines });
    else groups[at] = { ...groups[at]!, count: groups[at]!.count + group.count };
  }
  const sums = COUNTERS.map((name) => [name, before[name] + part[name]]);
  const isLater = before.newest === null || (part.newest !== null && part.newest > before.newest);
  const isEarlier = before.oldest === null || (part.oldest !== null && part.oldest < before.oldest);
  // Whatever stands in the part, its earliest record is the one that is furthest behind those before it.
  const between = before.newest === null || part.oldest === null ? 0n : before.newest - part.oldest;
  return {
    ...(Object.fromEntries(sums) as Record<Counter, number>),
    firstMark: before.firstMark || (part.firstMark && before.lines + part.firstMark),
    newest: isLater ? part.newest : before.newest,
    sha256: null,
    oldest: isEarlier ? part.oldest : before.oldest,
    lag: [before.lag, part.lag, between].reduce((most, lag) => (lag > most ? lag : most)),
    groups,
  };
}
