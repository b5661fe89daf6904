import { readSync } from 'node:fs';
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
  scanner.begin(part);
  for (let position = from > 0 ? from - 1 : 0; position < size && !scanner.isDone; ) {
    const room = scanner.room();
    const count = readSync(fd, room, 0, Math.min(room.length, size - position), position);
    // It was cut meanwhile, which is told when all is read.
    if (count === 0) break;
    scanner.filled(count);
    position += count;
    onBytes?.(count);
  }
  return scanner.end(isLive);
}

/** Scans what can be read once. @returns the counts, and how many bytes there were. */
export async function scanStream(
  scanner: Scanner,
  chunks: AsyncIterable<Uint8Array>,
  part: Omit<Part, 'from' | 'to'>,
  onBytes?: (count: number) => void,
): Promise<{ readonly counts: LineCounts; readonly bytes: number }> {
  let bytes = 0;
  scanner.begin({ ...part, from: 0, to: Number.POSITIVE_INFINITY });
  for await (const chunk of chunks) {
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
  return { counts: scanner.end(false), bytes };
}

const NOTHING: LineCounts = {
  lines: 0,
  blank: 0,
  pending: 0,
  rejected: 0,
  loaded: [0, 0],
  marks: 0,
  firstMark: 0,
  newest: null,
  groups: [],
};

/** Counts of a file from those of its parts, in their order. */
export function addCounts(sum: LineCounts | undefined, part: LineCounts): LineCounts {
  const before = sum ?? NOTHING;
  const groups = [...before.groups];
  for (const group of part.groups) {
    const at = groups.findIndex(({ reason, kind }) => reason === group.reason && kind === group.kind);
    if (at < 0) groups.push(group);
    else groups[at] = { ...group, count: group.count + groups[at]!.count };
  }
  const { newest } = before;
  return {
    lines: before.lines + part.lines,
    blank: before.blank + part.blank,
    pending: before.pending + part.pending,
    rejected: before.rejected + part.rejected,
    loaded: [before.loaded[0] + part.loaded[0], before.loaded[1] + part.loaded[1]],
    marks: before.marks + part.marks,
    firstMark: before.marks > 0 ? before.firstMark : part.marks > 0 ? before.lines + part.firstMark : 0,
    newest: newest === null || (part.newest !== null && part.newest > newest) ? part.newest : newest,
    groups,
  };
}
