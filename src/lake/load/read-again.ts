/** Lines of logs that were read before, found again by where they begin. */
import { readSync } from 'node:fs';
import type { Readable } from 'node:stream';
import {
  CHANGED,
  cannotBeRead,
  openInput,
  type PlainInput,
  type SourceFile,
  Unreadable,
} from '../input/index.js';
import type { Reading } from './load.js';

export interface LinePlace {
  readonly file: string;
  readonly batch: number;
  readonly line: number;
  readonly byte_offset: number;
}

/** What a pipe gave is gone. */
export const canBeReadAgain = ({ stats }: SourceFile): boolean => stats?.isFile() === true;

interface Options {
  readonly stdin: Readable;
}

/**
 * Opens the plain file of a source as it stands now.
 * @returns null where its bytes come one after the other alone, as those of an archive do.
 * @throws LakelogError (exit 3) where it cannot be read any more.
 */
async function openAgain(source: SourceFile, options: Options): Promise<PlainInput | null> {
  try {
    const input = await openInput(source, options);
    if (input.kind === 'plain') return input;
    input.close();
    return null;
  } catch (error) {
    if (error instanceof Unreadable) throw cannotBeRead(source.name, error.message);
    throw error;
  }
}

/** More lines of one file come faster with all of it. */
const FEW = 500;

/** What to load so that these lines are there: a few lines of a plain file alone, and else the whole file. */
export async function readAgain(
  lines: readonly LinePlace[],
  sources: readonly SourceFile[],
  options: Options,
): Promise<Reading[]> {
  const readings: Reading[] = [];
  for (const [batch, source] of sources.entries()) {
    const own = lines.filter((line) => line.batch === batch);
    if (own.length === 0) continue;
    const input = own.length > FEW ? null : await openAgain(source, options);
    if (input === null) {
      readings.push(source);
      continue;
    }
    try {
      for (const { line, byte_offset } of own) {
        const to = Math.min(input.size, byte_offset + lineAt(input.fd, byte_offset).length + 1);
        readings.push({
          ...source,
          range: { from: markBefore(input.fd, byte_offset), to, linesBefore: line - 1 },
        });
      }
    } finally {
      input.close();
    }
  }
  return readings;
}

/** @throws LakelogError (exit 3) where a line is not what it was. */
export function ensureSame(before: readonly LinePlace[], now: readonly LinePlace[]): void {
  const places = new Set(now.map(placeOf));
  const gone = before.find((line) => !places.has(placeOf(line)));
  if (gone) throw cannotBeRead(gone.file, `${CHANGED}: line ${gone.line} is another by now`);
}

const placeOf = ({ file, line, byte_offset }: LinePlace) => `${byte_offset} ${line} ${file}`;

/** The bytes of the line that begins there, without its line feed. */
export function lineAt(fd: number, offset: number): Buffer {
  for (let room = 4 << 10; ; room *= 4) {
    const bytes = Buffer.allocUnsafe(room);
    const count = readSync(fd, bytes, 0, room, offset);
    const feed = bytes.subarray(0, count).indexOf('\n');
    if (feed < 0 && count === room) continue;
    return bytes.subarray(0, feed < 0 ? count : feed);
  }
}

const MARK = Buffer.from('\ufeff');

/** Where the line begins by its byte order mark, which is no part of it. */
function markBefore(fd: number, offset: number): number {
  const start = offset - MARK.length;
  const bytes = Buffer.alloc(MARK.length);
  if (start < 0 || readSync(fd, bytes, 0, bytes.length, start) < bytes.length) return offset;
  return bytes.equals(MARK) ? start : offset;
}
