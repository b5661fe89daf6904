import { type FileHandle, open } from 'node:fs/promises';
import { LakelogError } from '../errors.js';

const CHUNK = 4 << 20;
const LF = 10;

/** What a physical line starts with: nothing but white space, JSON, or white space that JSON does not know. */
export type LineStart = 'blank' | 'ink' | 'not_json';

/** A physical line: where it starts and how long it is without its `\n`, in bytes. */
export type OnLine = (offset: number, length: number, start: LineStart, terminated: boolean) => void;

export interface WalkOptions {
  /** Where the first line starts: behind a byte order mark. */
  readonly start: number;
  /** Where to stop; later bytes belong to the next run. */
  readonly size: number;
}

/**
 * Calls back once per physical line of the first `size` bytes. Needs one chunk of memory however long a line is.
 * @throws LakelogError when the file is shorter than `size`: it was truncated while it was read.
 */
export async function walkLines(path: string, options: WalkOptions, onLine: OnLine): Promise<void> {
  const handle = await open(path, 'r');
  try {
    const buffer = Buffer.allocUnsafe(Math.min(CHUNK, Math.max(options.size, 1)));
    let position = options.start;
    let lineStart = options.start;
    let start: LineStart = 'blank';
    let odd = false;
    while (position < options.size) {
      const wanted = Math.min(buffer.length, options.size - position);
      const { bytesRead } = await handle.read(buffer, 0, wanted, position);
      if (bytesRead === 0) throw changedWhileRead(path, options.size, position);
      const chunk = buffer.subarray(0, bytesRead);
      let from = 0;
      for (;;) {
        const end = chunk.indexOf(LF, from);
        const stop = end < 0 ? bytesRead : end;
        if (start === 'blank') {
          const ink = skipBlanks(chunk, from, stop);
          // DuckDB passes over form feeds and vertical tabs in front of a record; JSON does not know them.
          odd ||= ink > from && hasOddSpace(chunk, from, ink);
          if (ink < stop) start = odd ? 'not_json' : 'ink';
        }
        if (end < 0) break;
        onLine(lineStart, position + end - lineStart, start, true);
        from = end + 1;
        lineStart = position + from;
        start = 'blank';
        odd = false;
      }
      position += bytesRead;
    }
    if (lineStart < options.size) onLine(lineStart, options.size - lineStart, start, false);
  } finally {
    await handle.close();
  }
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

export function changedWhileRead(path: string, expected: number, found: number): LakelogError {
  return new LakelogError(
    `the file changed while it was read (${expected} bytes at the start, ${found} now); nothing is said about it`,
    { where: path, next: 'run the same command again when nothing truncates the file' },
  );
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
  readonly bytes: number;
  /** Where the first line starts. */
  readonly start: number;
  readonly lines: number;
  readonly blank: number;
  /** Lines that are not blank: the rows that must arrive. */
  readonly records: number;
  /** `[ordinal, blank lines before it]`, one entry per change; from ordinal to physical line. */
  readonly shifts: readonly (readonly [number, number])[];
  readonly tooLong: readonly LineSpan[];
  /** Lines that DuckDB would take for a record although they are not JSON. */
  readonly notJson: readonly number[];
  /** The unterminated last line, if it is not blank. */
  readonly tail: LineSpan | null;
  readonly first: LineSpan | null;
}

/** Counts what must be accounted for, before anything is believed. */
export async function scanLines(path: string, maxLineBytes: number, options: WalkOptions): Promise<Scan> {
  let lines = 0;
  let records = 0;
  let blanks = 0;
  let shifted = 0;
  const shifts: [number, number][] = [];
  const tooLong: LineSpan[] = [];
  const notJson: number[] = [];
  let tail: LineSpan | null = null;
  let first: LineSpan | null = null;
  await walkLines(path, options, (offset, length, lineStart, terminated) => {
    lines++;
    if (lineStart === 'blank') {
      blanks++;
      return;
    }
    if (blanks !== shifted) {
      shifts.push([records, blanks]);
      shifted = blanks;
    }
    if (records === 0 || length > maxLineBytes || !terminated) {
      const span = { ordinal: records, line: lines, offset, length };
      if (records === 0) first = span;
      if (length > maxLineBytes) tooLong.push(span);
      if (!terminated) tail = span;
    }
    if (lineStart === 'not_json') notJson.push(records);
    records++;
  });
  return {
    bytes: options.size,
    start: options.start,
    lines,
    blank: blanks,
    records,
    shifts,
    tooLong,
    notJson,
    tail,
    first,
  };
}

/** Finds the given ordinals (ascending) again: from row to physical line and byte offset. */
export async function locate(
  path: string,
  range: Pick<WalkOptions, 'start' | 'size'>,
  ordinals: readonly number[],
): Promise<LineSpan[]> {
  const found: LineSpan[] = [];
  let ordinal = 0;
  let line = 0;
  await walkLines(path, range, (offset, length, start) => {
    line++;
    if (start === 'blank') return;
    if (ordinal === ordinals[found.length]) found.push({ ordinal, line, offset, length });
    ordinal++;
  });
  return found;
}

/** Reads the bytes of a span; `limit` bounds what a very long line may take. */
export async function readSpan(handle: FileHandle, span: LineSpan, limit: number): Promise<Buffer> {
  const buffer = Buffer.allocUnsafe(Math.min(span.length, limit));
  let done = 0;
  while (done < buffer.length) {
    const { bytesRead } = await handle.read(buffer, done, buffer.length - done, span.offset + done);
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
