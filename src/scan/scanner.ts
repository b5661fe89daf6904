import crypto, { createHash } from 'node:crypto';
import { KEYS, KINDS, type Kind } from '../schema/formats.js';
import { reasonName } from '../schema/reasons.js';
import { type Layout, layoutOf, type RowBlock } from './columns.js';
import {
  addressOf,
  COUNTERS,
  type Counter,
  type Exports,
  type ScannerModule,
  type ScanOptions,
  startMachine,
  tell,
} from './machine.js';
import { namingCalls } from './named.js';
import type { RejectedLine, RejectGroup } from './reject.js';
import { faultInWords } from './words.js';

/** Where a scanner puts what it found, in the order of the lines. */
export interface ScanSink {
  /** The block is the scanner's own memory: to be copied before this returns. */
  rows(block: RowBlock): void;
  /**
   * With the option `everyReject`.
   * @param batch the number of the file.
   * @param sha256 hashes the line without its terminator; to be called before this returns.
   */
  reject(line: RejectedLine, batch: number, sha256: () => string): void;
}

/** A file, or a part of one. */
export interface Part {
  /** Number of the file. */
  readonly batch: number;
  /** The kind that the file was said to hold; null = each line says it itself. */
  readonly only: Kind | null;
  /** Lines before the first byte of all that is scanned of the file, where others stand before it. */
  readonly linesBefore?: number;
  /** Fills in the column `line_sha256`. */
  readonly digests: boolean;
  /** Tells the hash of the bytes of the part. */
  readonly hashesBytes?: boolean;
  /** Lines that begin in these bytes; of a part other than the first, the byte before it is to come first. */
  readonly from: number;
  readonly to: number;
}

/** What became of the lines of a file, or of a part of one. */
export interface LineCounts extends Readonly<Record<Counter, number>> {
  /** Microseconds since 1970 of the latest record; null where none loaded. */
  readonly newest: bigint | null;
  /** Of the bytes, where that was asked for; null of several parts together. */
  readonly sha256: string | null;
  /** The same of the earliest. */
  readonly oldest: bigint | null;
  /** How far, at most, a record stands behind a newer one, in microseconds. */
  readonly lag: bigint;
  readonly groups: readonly RejectGroup[];
}

const CHUNK = 1 << 20;
const LF = 10;
/** Rows of longer texts do not wait for more: these stand in memory several times over, until the engine has them. */
const MOST_TEXT = 4 << 20;
/** Bytes in which the scanner tells of a reject (src/scan/wasm/layout.ts). */
const REJECT = 24;

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
  private part: Part = { batch: 0, only: null, digests: false, from: 0, to: 0 };
  /** No byte that comes belongs to the part. */
  isDone = false;
  /** What stands before the next line feed: a line of the part before, or one that is too long. */
  private skipping: 'foreign' | LongLine | null = null;
  /** Rows of calls and runs whose hash was filled in. */
  private digested = [0, 0];
  /** The first of the part by the number of its reason. */
  private readonly firstRejects = new Map<number, RejectedLine>();

  constructor(module: ScannerModule, options: ScanOptions, sink: ScanSink) {
    this.options = options;
    this.sink = sink;
    this.layout = layoutOf(options);
    const { maxLineBytes, mostBytes = Number.POSITIVE_INFINITY } = options;
    const inputBytes = Math.min(maxLineBytes + CHUNK, mostBytes) + 4096;
    this.x = startMachine(module, options, this.layout, inputBytes);
    this.bytes = Buffer.from(this.x.memory.buffer);
    this.view = new DataView(this.x.memory.buffer);
    this.input = addressOf(this.x.INPUT);
  }

  begin(part: Part): void {
    const { batch, only, linesBefore = 0, digests, from } = part;
    const kind = only === null ? -1 : KINDS.indexOf(only);
    tell(this.x, { batch, only: kind, linesBefore, digests: Number(digests) });
    this.x.begin();
    this.firstRejects.clear();
    this.held = 0;
    this.base = from > 0 ? from - 1 : 0;
    this.part = part;
    this.skipping = from > 0 ? 'foreign' : null;
    this.isDone = false;
  }

  /** Where the next bytes are to be put. */
  room(): Buffer {
    const start = this.input + this.held;
    return this.bytes.subarray(start, start + Math.min(CHUNK, this.options.mostBytes ?? CHUNK));
  }

  /** `count` bytes were put into `room()`. */
  filled(count: number): void {
    let length = this.held + count;
    if (this.skipping !== null) {
      const rest = this.skip(length);
      if (rest === null) return;
      length = rest;
    }
    const { base, input } = this;
    const until = this.part.to;
    const held = this.bytes.subarray(input, input + length);
    const whole = held.lastIndexOf(LF) + 1;
    let end = whole;
    if (base + whole > until) {
      const last = held.indexOf(LF, Math.max(0, until - base - 1));
      end = last < 0 ? whole : last + 1;
    }
    this.scan(end);
    this.isDone = end < whole || base + end >= until;
    held.copyWithin(0, end, length);
    this.held = length - end;
    this.base = base + end;
    if (!this.isDone && this.held > this.options.maxLineBytes + 4) this.beginLongLine();
  }

  /** All bytes were there. @param isLive somebody may still be writing the last line. */
  end(isLive: boolean): LineCounts {
    if (this.skipping instanceof LongLine) this.endLongLine(this.skipping);
    else if (this.skipping === null && !this.isDone && this.held > 0) {
      const tail = this.bytes.subarray(this.input, this.input + this.held);
      this.bytes[this.input + this.held] = LF;
      const mayGoOn = isLive && beginsUtf8(tail);
      this.scanAll(this.held + 1, () => this.x.scanTail(this.held, this.base, mayGoOn));
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
    const block = {
      buffer: x.memory.buffer,
      cells: addressOf(x.CELLS),
      arena: addressOf(x.ARENA),
      arenaBytes: x.arenaUsed.value,
      rows,
      naming: null,
    };
    const { naming } = this.options;
    const found =
      naming !== undefined && rows[0] > 0 ? namingCalls(block, this.layout.columns[0], naming) : null;
    this.sink.rows({ ...block, naming: found });
    x.takeRows();
    this.digested = [0, 0];
  }

  private scan(end: number): void {
    this.scanAll(end, (at) => this.x.scan(at, end, this.base));
  }

  /** @param from looks at lines from there on, and says how far it came: rows may be full. */
  private scanAll(end: number, from: (at: number) => number): void {
    const { x } = this;
    const before = x.walked.value;
    for (let at = 0; at < end; ) {
      at = from(at);
      this.takeRejects();
      this.digest();
      if (at < end || x.arenaUsed.value > MOST_TEXT) this.flush();
    }
    // No account adds up to what nobody looked at.
    if (x.walked.value !== before + end) throw new Error('the scanner passed over bytes of a line');
  }

  /** @returns how many bytes stand behind the line feed; null where it is still to come. */
  private skip(length: number): number | null {
    const { bytes, input, skipping } = this;
    const feed = bytes.subarray(input, input + length).indexOf(LF);
    const long = skipping instanceof LongLine ? skipping : null;
    long?.add(bytes.subarray(input, input + (feed < 0 ? length : feed)));
    const skipped = feed < 0 ? length : feed + 1;
    this.base += skipped;
    // A long line is of this part wherever it ends.
    this.isDone = this.base >= this.part.to && (feed >= 0 || long === null);
    if (feed < 0) return null;
    if (long !== null) this.endLongLine(long);
    this.skipping = null;
    bytes.copyWithin(input, input + skipped, input + length);
    return this.isDone ? null : length - skipped;
  }

  private beginLongLine(): void {
    const held = this.bytes.subarray(this.input, this.input + this.held);
    const mark = held[0] === 0xef && held[1] === 0xbb && held[2] === 0xbf ? 3 : 0;
    this.skipping = new LongLine(this.base, mark, held.subarray(mark));
    this.base += this.held;
    this.held = 0;
  }

  private endLongLine(line: LongLine): void {
    this.x.noteTooLong(line.length, line.isMarked);
    this.takeRejects(line);
  }

  /** Tells in words what is wrong with each, while its bytes stand in memory. */
  private takeRejects(long: LongLine | null = null): void {
    const { x, bytes, firstRejects, options } = this;
    for (let i = 0; i < x.rejects.value; i++) {
      const told = new Uint32Array(x.memory.buffer, x.REJECTS.value + REJECT * i, REJECT / 4);
      const [number = 0, start = 0, inMemory = 0, code = 0, at = 0, valueLength = 0] = told;
      const length = long?.length ?? inMemory;
      const line = bytes.subarray(start, start + length);
      const kind = KINDS[code >> 16] ?? null;
      const reason = reasonName(code & 255, KEYS[(code >> 8) & 255]!);
      const { maxLineBytes } = options;
      const reject: RejectedLine = {
        line: number,
        byteOffset: long?.offset ?? this.base + start - this.input,
        reason,
        kind,
        detail: faultInWords({ reason, kind, bytes: line, length, maxLineBytes, at, valueLength }),
      };
      if (!firstRejects.has(code)) firstRejects.set(code, reject);
      const hash = () => long?.sha256() ?? sha256(line[length - 1] === 13 ? line.subarray(0, -1) : line);
      if (options.everyReject) this.sink.reject(reject, this.part.batch, hash);
    }
    x.takeRejects();
  }

  /** Fills in the hashes of the lines that became rows, while they stand in memory. */
  private digest(): void {
    const { bytes, view, x } = this;
    const counts = [x.calls.value, x.runs.value];
    for (const [kind, columns] of this.part.digests ? this.layout.columns.entries() : []) {
      const column = columns.find(({ name }) => name === 'line_sha256');
      if (!column) continue;
      for (let row = this.digested[kind]!; row < counts[kind]!; row++) {
        const cell = addressOf(x.CELLS) + column.cells + row * column.bytes;
        // There the scanner says where the line stands.
        const text = addressOf(x.ARENA) + view.getUint32(cell + 8, true);
        const start = view.getUint32(text, true);
        const line = bytes.subarray(start, start + view.getUint32(text + 4, true));
        bytes.write(sha256(line), text, 'latin1');
        bytes.copy(bytes, cell + 4, text, text + 4);
      }
    }
    // Rows of a part without hashes have no place for one, and wait for more together with those of the next part.
    this.digested = counts;
  }

  private counts(): LineCounts {
    const { x, view } = this;
    const counts = Object.fromEntries(COUNTERS.map((name) => [name, x[name].value >>> 0]));
    const groups = [...this.firstRejects].map(([code, first]) => {
      const group = ((code & 255) * 64 + ((code >> 8) & 255)) * 3 + (code >> 16);
      return { ...first, count: view.getUint32(x.GROUPS.value + 4 * group, true) };
    });
    const hasRecords = x.loadedCalls.value + x.loadedRuns.value > 0;
    return {
      ...(counts as Record<Counter, number>),
      newest: hasRecords ? x.newest.value : null,
      sha256: null,
      oldest: hasRecords ? x.oldest.value : null,
      lag: x.lag.value,
      groups,
    };
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

/** Hashing at once takes four fifths of the time; Node knows how from 20.12 on. */
const hashAtOnce: typeof crypto.hash | undefined = crypto.hash;

/** @param line without the `\r` of a CRLF terminator. */
export function sha256(line: Uint8Array): string {
  return hashAtOnce?.('sha256', line) ?? createHash('sha256').update(line).digest('hex');
}
