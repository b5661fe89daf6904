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

/** Reads straight into the scanner's memory. @param onBytes told what was read. */
export function scanFile(scanner: Scanner, part: FilePart, onBytes?: (count: number) => void): LineCounts {
  const { fd, from, size, isLive } = part;
  const hash = part.hashesBytes ? createHash('sha256') : null;
  scanner.begin(part);
  for (let position = from > 0 ? from - 1 : 0; position < size && !scanner.isDone; ) {
    const room = scanner.room();
    const count = readSync(fd, room, 0, Math.min(room.length, size - position), position);
    // It was cut meanwhile, which is told when all is read.
    if (count === 0) break;
    // Of the byte before the part only the scanner has need.
    hash?.update(room.subarray(position < from ? 1 : 0, count));
    scanner.filled(count);
    position += count;
    onBytes?.(count);
  }
  return { ...scanner.end(isLive), sha256: hash?.digest('hex') ?? null };
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
