import { createHash } from 'node:crypto';
import { layOut, type ScanColumn } from './columns.js';
import { KEYS, KINDS, type Kind } from './formats.js';
import { addressOf, type Exports, type ScannerModule, startMachine } from './machine.js';
import { REASON_COUNT, type RejectedLine, type RejectGroup, reasonName } from './reject.js';
import { faultInWords } from './words.js';

export interface ScanOptions {
  /** Columns of the rows of calls and of replay runs: declared fields, and those of columns.ts. */
  readonly calls: readonly string[];
  readonly runs: readonly string[];
  /** Fields of an attempt that the column `attempts` keeps. */
  readonly attemptFields: readonly string[];
  readonly maxLineBytes: number;
  /** No input has more bytes, so that no more memory is asked for. */
  readonly mostBytes?: number | undefined;
  /** Every rejected line is handed over, not only the first of each reason. */
  readonly everyReject: boolean;
  /** 16 random bytes, the same for all scanners of a run. */
  readonly runKey: Uint8Array;
}

/** Rows that were scanned, as DuckDB's vectors have them. Long texts hold their place in the arena, not yet an address. */
export interface RowBlock {
  readonly buffer: ArrayBuffer;
  /** Where the cells of the layout, and the texts, begin in the buffer. */
  readonly cells: number;
  readonly arena: number;
  readonly arenaBytes: number;
  /** Rows of calls, and of replay runs. */
  readonly rows: readonly [number, number];
}

/** Where a scanner puts what it found, in the order of the lines. */
export interface ScanSink {
  /** The block is the scanner's own memory: to be copied before this returns. */
  rows(block: RowBlock): void;
  reject(line: RejectedLine): void;
}

/** A file, or a part of one. */
export interface Part {
  /** Number of the file. */
  readonly batch: number;
  /** The kind that the file was said to hold; null = each line says it itself. */
  readonly only: Kind | null;
  /** Fills in the column `line_sha256`. */
  readonly digests: boolean;
  /** Lines that begin in these bytes; of a part other than the first, the byte before it is to come first. */
  readonly from: number;
  readonly to: number;
}

/** What became of the lines of a file, or of a part of one. */
export interface LineCounts {
  readonly lines: number;
  readonly blank: number;
  readonly pending: number;
  readonly rejected: number;
  /** Lines that loaded: calls, and replay runs. */
  readonly loaded: readonly [number, number];
  /** Lines that began with a byte order mark, and the first of them. */
  readonly marks: number;
  readonly firstMark: number;
  /** Microseconds since 1970 of the latest record; null where none loaded. */
  readonly newest: bigint | null;
  readonly groups: readonly RejectGroup[];
}

export interface Layout {
  readonly columns: readonly [readonly ScanColumn[], readonly ScanColumn[]];
  /** Bytes of the cells and validity of a block. */
  readonly bytes: number;
}

export function layoutOf({ calls, runs }: Pick<ScanOptions, 'calls' | 'runs'>): Layout {
  const ofCalls = layOut('sessions', calls, 0);
  const ofRuns = layOut('replay_runs', runs, ofCalls.end);
  return { columns: [ofCalls.columns, ofRuns.columns], bytes: ofRuns.end };
}

const CHUNK = 1 << 20;
const LF = 10;

/**
 * Scans files, streams and parts of files, one after the other, with one instance of the WebAssembly:
 * `begin`, then bytes into `room()` and `filled(n)` until all are there or `isDone`, then `end`.
 */
export class Scanner {
  readonly layout: Layout;
  private readonly x: Exports;
  private readonly options: ScanOptions;
  private readonly sink: ScanSink;
  private readonly bytes: Buffer;
  private readonly view: DataView;
  private readonly input: number;
  /** Bytes in INPUT that were not looked at, and where the first of them stands in the file. */
  private held = 0;
  private base = 0;
  /** Lines that begin there or later are those of the next part. */
  private until = Number.POSITIVE_INFINITY;
  /** What stands before the next line feed: a line of the part before, or one that is too long. */
  private skipping: 'foreign' | 'long' | null = null;
  private done = false;
  private longLine: LongLine | null = null;
  private digests = false;
  /** Rows of calls and runs whose hash was filled in. */
  private digested: [number, number] = [0, 0];

  constructor(module: ScannerModule, options: ScanOptions, sink: ScanSink) {
    this.options = options;
    this.sink = sink;
    this.layout = layoutOf(options);
    const [calls, runs] = this.layout.columns;
    this.x = startMachine(module, {
      ...options,
      calls,
      runs,
      cellBytes: this.layout.bytes,
      inputBytes: Math.min(options.maxLineBytes + CHUNK, 2 * (options.mostBytes ?? CHUNK * 1024)) + 4096,
    });
    this.bytes = Buffer.from(this.x.memory.buffer);
    this.view = new DataView(this.x.memory.buffer);
    this.input = addressOf(this.x.INPUT);
  }

  begin({ batch, only, digests, from, to }: Part): void {
    this.x.begin(batch, only === null ? -1 : KINDS.indexOf(only), digests);
    this.held = 0;
    this.base = from > 0 ? from - 1 : 0;
    this.until = to;
    this.skipping = from > 0 ? 'foreign' : null;
    this.done = false;
    this.digests = digests;
  }

  /** Where the next bytes are to be put. */
  room(): Buffer {
    const start = this.input + this.held;
    return this.bytes.subarray(start, start + Math.min(CHUNK, this.options.mostBytes ?? CHUNK));
  }

  /** No byte that comes belongs to this part. */
  get isDone(): boolean {
    return this.done;
  }

  /** `count` bytes were put into `room()`. */
  filled(count: number): void {
    let length = this.held + count;
    if (this.skipping !== null) {
      const rest = this.skip(length);
      if (rest === null) return;
      length = rest;
    }
    const { base, input, until } = this;
    const held = this.bytes.subarray(input, input + length);
    const whole = held.lastIndexOf(LF) + 1;
    let end = whole;
    if (base + whole > until) {
      const last = held.indexOf(LF, Math.max(0, until - base - 1));
      end = last < 0 ? whole : last + 1;
    }
    this.scan(end);
    this.done = end < whole || base + end >= until;
    held.copyWithin(0, end, length);
    this.held = length - end;
    this.base = base + end;
    if (!this.done && this.held > this.options.maxLineBytes + 4) this.beginLongLine();
  }

  /** All bytes were there. @param isLive somebody may still be writing the last line. */
  end(isLive: boolean): LineCounts {
    if (this.skipping === 'long') this.endLongLine();
    else if (this.skipping === null && !this.done && this.held > 0) {
      const tail = this.bytes.subarray(this.input, this.input + this.held);
      this.bytes[this.input + this.held] = LF;
      this.x.scanTail(this.held, this.base, isLive && beginsUtf8(tail));
      this.takeRejects();
      this.digest();
    }
    this.skipping = null;
    this.held = 0;
    return this.counts();
  }

  /** Hands over the rows that wait for more. */
  flush(): void {
    const { x } = this;
    const rows = [x.calls.value, x.runs.value] as const;
    if (rows[0] + rows[1] === 0) return;
    this.sink.rows({
      buffer: x.memory.buffer,
      cells: addressOf(x.CELLS),
      arena: addressOf(x.ARENA),
      arenaBytes: x.arenaUsed.value,
      rows,
    });
    x.takeRows();
    this.digested = [0, 0];
  }

  private scan(end: number): void {
    for (let at = 0; at < end; ) {
      at = this.x.scan(at, end, this.base);
      this.takeRejects();
      this.digest();
      if (at < end) this.flush();
    }
  }

  /** @returns how many bytes stand behind the line feed; null where it is still to come. */
  private skip(length: number): number | null {
    const { bytes, input } = this;
    const feed = bytes.subarray(input, input + length).indexOf(LF);
    const stop = feed < 0 ? length : feed;
    this.longLine?.add(bytes.subarray(input, input + stop));
    if (feed < 0) {
      this.base += length;
      if (this.skipping === 'foreign' && this.base >= this.until) this.done = true;
      return null;
    }
    if (this.skipping === 'long') this.endLongLine();
    this.skipping = null;
    bytes.copyWithin(input, input + feed + 1, input + length);
    this.base += feed + 1;
    if (this.base >= this.until) {
      this.done = true;
      return null;
    }
    return length - feed - 1;
  }

  private beginLongLine(): void {
    const held = this.bytes.subarray(this.input, this.input + this.held);
    const mark = held[0] === 0xef && held[1] === 0xbb && held[2] === 0xbf ? 3 : 0;
    this.longLine = new LongLine(this.base, mark, held.subarray(mark));
    this.skipping = 'long';
    this.base += this.held;
    this.held = 0;
  }

  private endLongLine(): void {
    const { length, isMarked } = this.longLine!;
    this.x.noteTooLong(length, isMarked);
    this.takeRejects(this.longLine);
    this.longLine = null;
  }

  private takeRejects(long: LongLine | null = null): void {
    const { x, view, bytes, options } = this;
    const count = x.rejects.value;
    if (count === 0) return;
    for (let at = x.REJECTS.value, i = 0; i < count; i++, at += 24) {
      const start = view.getUint32(at + 4, true);
      const length = long?.length ?? view.getUint32(at + 8, true);
      const code = view.getUint32(at + 12, true);
      const kind = KINDS[code >> 16] ?? null;
      const reason = reasonName(code & 255, KEYS[(code >> 8) & 255]!);
      const line = bytes.subarray(start, start + length);
      const detail = faultInWords({
        reason,
        kind,
        bytes: line,
        length,
        maxLineBytes: options.maxLineBytes,
        at: view.getUint32(at + 16, true),
        valueLength: view.getUint32(at + 20, true),
      });
      this.sink.reject({
        line: view.getUint32(at, true),
        byteOffset: long?.offset ?? this.base + start - this.input,
        reason,
        kind,
        detail,
        sha256: long?.sha256() ?? sha256(line[length - 1] === 13 ? line.subarray(0, -1) : line),
      });
    }
    x.takeRejects();
  }

  /** Fills in the hashes of the lines that became rows, while they stand in memory. */
  private digest(): void {
    if (!this.digests) return;
    const { bytes, view, x } = this;
    const cells = addressOf(x.CELLS);
    const counts = [x.calls.value, x.runs.value] as const;
    for (const [kind, columns] of this.layout.columns.entries()) {
      const digest = columns.find(({ name }) => name === 'line_sha256');
      const place = columns.find(({ name }) => name === 'place');
      if (!digest || !place) continue;
      for (let row = this.digested[kind as 0 | 1]; row < counts[kind as 0 | 1]; row++) {
        const start = view.getUint32(cells + place.cells + row * 8, true);
        const length = view.getUint32(cells + place.cells + row * 8 + 4, true);
        const cell = cells + digest.cells + row * 16;
        const text = addressOf(x.ARENA) + view.getUint32(cell + 8, true);
        bytes.write(sha256(bytes.subarray(start, start + length)), text, 'latin1');
        bytes.copy(bytes, cell + 4, text, text + 4);
      }
    }
    this.digested = [...counts];
  }

  private counts(): LineCounts {
    const { x } = this;
    const loaded = [x.loadedCalls.value, x.loadedRuns.value] as const;
    return {
      lines: x.lines.value >>> 0,
      blank: x.blank.value >>> 0,
      pending: x.pending.value,
      rejected: x.rejected.value >>> 0,
      loaded,
      marks: x.marks.value,
      firstMark: x.firstMark.value,
      newest: loaded[0] + loaded[1] > 0 ? x.newest.value : null,
      groups: x.rejected.value === 0 ? [] : this.groups(),
    };
  }

  private groups(): RejectGroup[] {
    const { view, x } = this;
    const groups: RejectGroup[] = [];
    let at = x.GROUPS.value;
    for (let code = 0; code < REASON_COUNT; code++) {
      for (let key = 0; key < 64; key++) {
        for (let kind = 0; kind < 3; kind++, at += 4) {
          const count = view.getUint32(at, true);
          if (count > 0)
            groups.push({ reason: reasonName(code, KEYS[key]!), kind: KINDS[kind] ?? null, count });
        }
      }
    }
    return groups;
  }
}

/** Its last character may be cut. */
function beginsUtf8(bytes: Uint8Array): boolean {
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(bytes, { stream: true });
    return true;
  } catch {
    return false;
  }
}

/** A line that is longer than the scanner may hold. */
class LongLine {
  readonly offset: number;
  readonly isMarked: boolean;
  length = 0;
  private readonly hash = createHash('sha256');
  /** The `\r` of a CRLF terminator is no part of the line; only the next byte shows what it was. */
  private endsInReturn = false;

  /** @param mark bytes of a byte order mark before `start`. */
  constructor(offset: number, mark: number, start: Buffer) {
    this.offset = offset + mark;
    this.isMarked = mark > 0;
    this.add(start);
  }

  add(bytes: Buffer): void {
    if (bytes.length === 0) return;
    if (this.endsInReturn) this.hash.update('\r');
    this.endsInReturn = bytes.at(-1) === 13;
    this.hash.update(this.endsInReturn ? bytes.subarray(0, -1) : bytes);
    this.length += bytes.length;
  }

  sha256(): string {
    return this.hash.digest('hex');
  }
}

/** @param line without the `\r` of a CRLF terminator. */
export function sha256(line: Uint8Array): string {
  return createHash('sha256').update(line).digest('hex');
}
