import { type FileHandle, open } from 'node:fs/promises';
import { LakelogError } from '../errors.js';

const CHUNK = 4 << 20;
const LF = 10;

/** What a physical line starts with: nothing but white space, JSON, or white space that JSON does not know. */
export type LineStart = 'blank' | 'ink' | 'not_json';

/**
 * A physical line: where it starts and how long it is without its `\n`, in bytes. `open`: it begins with `{` and
 * surely does not end with `}`. False stops the walk.
 */
export type OnLine = (
  offset: number,
  length: number,
  start: LineStart,
  terminated: boolean,
  open: boolean,
) => unknown;

/** A file as it was when it was opened first: what a run speaks about, whatever happens to the name meanwhile. */
export interface Snapshot {
  /** As the user named it. */
  readonly name: string;
  /** Where its uncompressed bytes stand. */
  readonly path: string;
  readonly dev: number;
  readonly ino: number;
  /** Where the first line starts: behind a byte order mark. */
  readonly start: number;
  /** Where to stop; later bytes belong to the next run. */
  readonly size: number;
}

/** @throws LakelogError when the path leads to another file by now, or to less of it. */
export async function openAgain(snapshot: Snapshot): Promise<FileHandle> {
  const handle = await open(snapshot.path, 'r').catch(() => {
    throw changedWhileRead(snapshot.name, 'it is gone');
  });
  const stats = await handle.stat();
  if (stats.dev === snapshot.dev && stats.ino === snapshot.ino && stats.size >= snapshot.size) return handle;
  await handle.close();
  const what =
    stats.ino === snapshot.ino
      ? `${snapshot.size} bytes at the start, ${stats.size} now`
      : 'the name leads to another file';
  throw changedWhileRead(snapshot.name, what);
}

/** Makes sure that what DuckDB read by name was the file that was counted. */
export async function ensureUnchanged(snapshot: Snapshot): Promise<void> {
  await (await openAgain(snapshot)).close();
}

export function changedWhileRead(name: string, what: string): LakelogError {
  return new LakelogError(`the file changed while it was read: ${what}; nothing is said about it`, {
    where: name,
    next: 'run the same command again',
  });
}

/**
 * Calls back once per physical line. Needs one chunk of memory however long a line is.
 * @throws LakelogError when the file was truncated or replaced meanwhile.
 */
export async function walkLines(file: Snapshot, onLine: OnLine): Promise<void> {
  const handle = await openAgain(file);
  try {
    const buffer = Buffer.allocUnsafe(Math.min(CHUNK, Math.max(file.size, 1)));
    let position = file.start;
    let lineStart = file.start;
    let start: LineStart = 'blank';
    let odd = false;
    let first = 0;
    while (position < file.size) {
      const wanted = Math.min(buffer.length, file.size - position);
      const { bytesRead } = await handle.read(buffer, 0, wanted, position);
      if (bytesRead === 0)
        throw changedWhileRead(file.name, `${file.size} bytes at the start, ${position} now`);
      const chunk = buffer.subarray(0, bytesRead);
      let from = 0;
      for (;;) {
        const end = chunk.indexOf(LF, from);
        const stop = end < 0 ? bytesRead : end;
        if (start === 'blank') {
          const ink = skipBlanks(chunk, from, stop);
          // DuckDB passes over form feeds and vertical tabs in front of a record; JSON does not know them.
          odd ||= ink > from && hasOddSpace(chunk, from, ink);
          if (ink < stop) {
            start = odd ? 'not_json' : 'ink';
            first = chunk[ink]!;
          }
        }
        if (end < 0) break;
        const open = start === 'ink' && first === OPENING && isOpen(chunk, from, end);
        if (onLine(lineStart, position + end - lineStart, start, true, open) === false) return;
        from = end + 1;
        lineStart = position + from;
        start = 'blank';
        odd = false;
      }
      position += bytesRead;
    }
    if (lineStart < file.size) onLine(lineStart, file.size - lineStart, start, false, false);
  } finally {
    await handle.close();
  }
}

const OPENING = 0x7b;
const CLOSING = 0x7d;

/** Whether the last byte that is no white space, where this chunk shows it, is anything but `}`. */
function isOpen(bytes: Buffer, from: number, end: number): boolean {
  let i = end - 1;
  while (i >= from && (bytes[i] === 32 || bytes[i] === 13 || bytes[i] === 9)) i--;
  return i >= from && bytes[i] !== CLOSING;
}

/** Index of the first byte that is not C's `isspace`, which is what DuckDB passes over between records. */
function skipBlanks(bytes: Buffer, from: number, to: number): number {
  let i = from;
  while (i < to && (bytes[i] === 32 || (bytes[i]! >= 9 && bytes[i]! <= 13))) i++;
  return i;
}

function hasOddSpace(bytes: Buffer, from: number, to: number): boolean {
  const space = bytes.subarray(from, to);
  return space.includes(11) || space.includes(12);
}

export interface LineSpan {
  /** Position among the lines that are not blank, from 0: the row that DuckDB makes of it. */
  readonly ordinal: number;
  /** Physical line, from 1. */
  readonly line: number;
  /** Of the line's first byte in the uncompressed file. */
  readonly offset: number;
  /** Bytes without the terminator. */
  readonly length: number;
}

export interface Scan {
  readonly lines: number;
  readonly blank: number;
  /** Lines that are not blank: the rows that must arrive. */
  readonly records: number;
  /** `[ordinal, blank lines before it]`, one entry per change; from ordinal to physical line. */
  readonly shifts: readonly (readonly [number, number])[];
  readonly tooLong: readonly LineSpan[];
  /** Lines that begin like an object and do not end like one: torn, whatever else they hold. */
  readonly open: readonly LineSpan[];
  /** Bytes of the longest line that is not too long. */
  readonly longest: number;
  /** Lines that DuckDB would take for a record although they are not JSON. */
  readonly notJson: readonly number[];
  /** The unterminated last line, if it is not blank. */
  readonly tail: LineSpan | null;
}

/** Counts what must be accounted for, before anything is believed. */
export async function scanLines(file: Snapshot, maxLineBytes: number): Promise<Scan> {
  let lines = 0;
  let records = 0;
  let longest = 0;
  let blanks = 0;
  let shifted = 0;
  const shifts: [number, number][] = [];
  const tooLong: LineSpan[] = [];
  const open: LineSpan[] = [];
  const notJson: number[] = [];
  let tail: LineSpan | null = null;
  await walkLines(file, (offset, length, lineStart, terminated, isOpen) => {
    lines++;
    if (lineStart === 'blank') {
      blanks++;
      return;
    }
    if (blanks !== shifted) {
      shifts.push([records, blanks]);
      shifted = blanks;
    }
    if (length > maxLineBytes || !terminated || isOpen) {
      const span = { ordinal: records, line: lines, offset, length };
      if (length > maxLineBytes) tooLong.push(span);
      else if (isOpen) open.push(span);
      if (!terminated) tail = span;
    }
    if (length > longest && length <= maxLineBytes) longest = length;
    if (lineStart === 'not_json') notJson.push(records);
    records++;
  });
  return { lines, blank: blanks, records, shifts, tooLong, open, longest, notJson, tail };
}

/** Finds the given ordinals (ascending) again: from row to physical line and byte offset. */
export async function locate(
  file: Snapshot,
  scan: Scan,
  ordinals: readonly number[],
): Promise<readonly LineSpan[]> {
  const noted = new Map(
    [...scan.open, ...scan.tooLong, ...(scan.tail ? [scan.tail] : [])].map((span) => [span.ordinal, span]),
  );
  const known = ordinals.flatMap((ordinal) => noted.get(ordinal) ?? []);
  if (known.length === ordinals.length) return known;
  const found: LineSpan[] = [];
  let ordinal = 0;
  let line = 0;
  await walkLines(file, (offset, length, start) => {
    line++;
    if (start === 'blank') return true;
    if (ordinal === ordinals[found.length]) found.push({ ordinal, line, offset, length });
    ordinal++;
    return found.length < ordinals.length;
  });
  return found;
}

/** Finds physical lines again. */
export async function locateLines(file: Snapshot, lines: ReadonlySet<number>): Promise<LineSpan[]> {
  const found: LineSpan[] = [];
  let line = 0;
  await walkLines(file, (offset, length) => {
    line++;
    if (lines.has(line)) found.push({ ordinal: -1, line, offset, length });
    return found.length < lines.size;
  });
  return found;
}

/** Reads the bytes of a span; `limit` bounds what a very long line may take. */
export async function readSpan(
  handle: FileHandle,
  span: Pick<LineSpan, 'offset' | 'length'>,
  limit: number,
): Promise<Buffer> {
  const wanted = Math.min(span.length, limit);
  const bytes = await readAt(handle, span.offset, wanted);
  return bytes.subarray(0, wanted);
}

const WINDOW = 1 << 20;

/** The bytes of many spans (ascending), read in large pieces and not one by one. */
export async function* readSpans(
  handle: FileHandle,
  spans: readonly LineSpan[],
  limit: number,
): AsyncGenerator<readonly [LineSpan, Buffer]> {
  let window: Buffer = Buffer.alloc(0);
  let from = 0;
  for (const span of spans) {
    const length = Math.min(span.length, limit);
    if (span.offset < from || span.offset + length > from + window.length) {
      from = span.offset;
      window = await readAt(handle, from, Math.max(length, WINDOW));
    }
    yield [span, window.subarray(span.offset - from, span.offset - from + length)];
  }
}

async function readAt(handle: FileHandle, position: number, length: number): Promise<Buffer> {
  const buffer = Buffer.allocUnsafe(length);
  let done = 0;
  while (done < length) {
    const { bytesRead } = await handle.read(buffer, done, length - done, position + done);
    if (bytesRead === 0) break;
    done += bytesRead;
  }
  return buffer.subarray(0, done);
}

/** Without the `\r` of a CRLF terminator. */
export function stripLine(bytes: Buffer): Buffer {
  return bytes[bytes.length - 1] === 13 ? bytes.subarray(0, -1) : bytes;
}

const BOM = Buffer.from([0xef, 0xbb, 0xbf]);

/** Bytes of a byte order mark at the start of the file: 3 or 0. */
export async function bomLength(handle: FileHandle): Promise<number> {
  const head = Buffer.alloc(3);
  const { bytesRead } = await handle.read(head, 0, 3, 0);
  return bytesRead === 3 && head.equals(BOM) ? 3 : 0;
}
