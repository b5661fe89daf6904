import { randomBytes } from 'node:crypto';
import os from 'node:os';
import type { Readable } from 'node:stream';
import { layoutOf, type RowBlock } from '../../scan/columns.js';
import {
  addCounts,
  type FilePart,
  type ReadFailure,
  type ScannedPart,
  scanFile,
  scanStream,
} from '../../scan/file.js';
import { compileScanner, type ScanOptions } from '../../scan/machine.js';
import { scanInThreads } from '../../scan/pool.js';
import type { RejectedLine } from '../../scan/reject.js';
import { type LineCounts, Scanner } from '../../scan/scanner.js';
import type { Database } from '../duckdb/connection.js';
import {
  type OpenedInput,
  openInput,
  type PlainInput,
  type SourceFile,
  type StreamInput,
  type Unreadable,
  whileReading,
} from '../input/index.js';
import type { LoadPlan } from '../tables/plan.js';
import { namingAppender } from './naming.js';
import { blocksGates } from './rejects.js';
import { createTables, rejectColumns, scanColumns } from './staging.js';

export interface LoadOptions {
  readonly maxLineBytes: number;
  /** Seconds that an unterminated last line of a live file may stay unfinished. */
  readonly pendingGraceS: number;
  /** Of accepted calls of these kinds, or of all, it is found whom they name, where somebody asks. */
  readonly gatedKinds: readonly string[] | null;
  /** Every loaded line gets its SHA-256. */
  readonly hashes?: boolean | undefined;
  /** Every reject is told, not only the first of each reason and file. */
  readonly everyReject?: boolean | undefined;
  readonly now: Date;
  readonly stdin: Readable;
  /** Opens a file in another way than by its name. */
  readonly open?: ((source: Reading) => Promise<OpenedInput>) | undefined;
  /** @internal For tests: what large files are treated to, on small ones. */
  readonly threads?: Threads | undefined;
  /** Bytes read and bytes known so far. */
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
}

/** When files are cut into parts that threads scan. */
export interface Threads {
  readonly count: number;
  /** Bytes of all plain files up to which one thread has read them before others have started. */
  readonly above: number;
  /** Bytes of a part. */
  readonly part: number;
}

export const THREADS: Threads = {
  count: Math.min(4, os.availableParallelism()),
  above: 48 << 20,
  part: 8 << 20,
};

/** What is to be read of a file that was read up to there before. */
export interface Range {
  /** The first byte of a line, and where to stop. */
  readonly from: number;
  readonly to: number;
  /** Lines before it; null = it goes on where the reading before it ended. */
  readonly linesBefore: number | null;
}

/** A file, or what is to be read of it; the bytes of a range are hashed. */
export interface Reading extends SourceFile {
  readonly range?: Range;
}

/** A file that was read to its end; its rows stand in the base tables under `batch`. */
export interface LoadedFile {
  readonly batch: number;
  readonly source: Reading;
  readonly bytes: number;
  readonly maybeEmpty: boolean;
  readonly counts: LineCounts;
}

export interface Loaded {
  readonly files: readonly LoadedFile[];
  readonly unreadable: readonly { readonly source: SourceFile; readonly error: Unreadable }[];
}

/** Reads files into new base tables, with every line accounted for; of one that changes meanwhile nothing is believed. */
export async function loadFiles(
  db: Database,
  plan: LoadPlan,
  sources: readonly Reading[],
  options: LoadOptions,
): Promise<Loaded> {
  const work = await begin(db, plan, sources, options);
  const loading = new Loading(work);
  const { count, above, part } = options.threads ?? THREADS;
  try {
    if (count > 1 && work.total > above) await loading.scanInThreads(count, part);
    else await loading.scanHere();
    return await loading.end();
  } finally {
    loading.close();
  }
}

type Work = Awaited<ReturnType<typeof begin>>;

/** Empty tables, and what fills them. */
async function begin(db: Database, plan: LoadPlan, sources: readonly Reading[], options: LoadOptions) {
  const { maxLineBytes } = options;
  const rejected = rejectColumns(plan, options);
  const scan: ScanOptions = {
    ...scanColumns(plan, options),
    ...{ maxLineBytes, everyReject: rejected !== null, runKey: randomBytes(16) },
  };
  const layout = layoutOf(scan);
  await createTables(db, plan, layout, rejected);
  const rejects = rejected && { columns: rejected, table: db.rowAppender('base_rejects') };
  // Where they are known.
  const sizes = sources.map(({ stats, range }) => (range ? range.to - range.from : Number(stats?.size ?? 0)));
  const total = sizes.reduce((sum, size) => sum + size, 0);
  const largest = sizes.reduce((most, size) => Math.max(most, size), 0);
  const naming = plan.named_workers ? namingAppender(db) : null;
  return {
    db,
    plan,
    sources,
    options,
    scan,
    rows: db.blockAppender(layout),
    naming,
    rejects,
    total,
    largest,
  };
}

class Loading {
  private readonly work: Work;
  private done = 0;
  private readonly module = compileScanner();
  private scanner: Scanner | undefined;
  /** Bytes of the largest file that the scanner takes. */
  private room = 0;
  /** Scans parts for their rejects, and the lines of the file before the one at hand. */
  private teller: Scanner | undefined;
  private lineBase = 0;
  /** Plain files of which parts are still scanned, and what became of the lines of those that were. */
  private readonly open = new Map<number, PlainInput>();
  private readonly counts = new Map<number, LineCounts>();
  private readonly files: LoadedFile[] = [];
  /** By batch. */
  private readonly unreadable = new Map<number, Unreadable>();

  constructor(work: Work) {
    this.work = work;
  }

  /**
   * Memory of WebAssembly is paid for when it is asked for: what takes everything has 280 MB, and the engine of the host
   * collects garbage twice to find them. So there is no more than the largest file needs, and for one that grew since
   * twice what was there.
   */
  private scannerFor(bytes: number): Scanner {
    if (this.scanner !== undefined && bytes <= this.room) return this.scanner;
    this.room = Math.max(bytes, 2 * this.room, this.work.largest + 1);
    this.scanner?.flush();
    this.scanner = new Scanner(
      this.module,
      { ...this.work.scan, mostBytes: this.room },
      {
        rows: (block) => this.addRows(block, 0),
        reject: (line, batch, sha256) => this.addReject(batch, line, sha256),
      },
    );
    return this.scanner;
  }

  /** Lines of a file that come before what is read of it. */
  private linesBefore(batch: number): number {
    const { range } = this.work.sources[batch]!;
    if (range?.linesBefore !== null) return range?.linesBefore ?? 0;
    return this.linesBefore(batch - 1) + (this.counts.get(batch - 1)?.lines ?? 0);
  }

  /**
   * Parts of the plain files, in order; what can be read once is scanned here meanwhile.
   * @param length of a part; where it is infinite, each is scanned before the next is asked for.
   */
  private async *parts(length: number): AsyncGenerator<FilePart, void, void> {
    const { options } = this.work;
    const { hashes = false, now, pendingGraceS } = options;
    for (const [batch, source] of this.work.sources.entries()) {
      try {
        const input = await (options.open?.(source) ?? openInput(source, options));
        if (input.kind === 'stream') {
          await this.scanStream(batch, source, input);
          continue;
        }
        this.open.set(batch, input);
        const { fd, mtimeMs } = input;
        const { range } = source;
        const size = Math.min(input.size, range?.to ?? input.size);
        const isLive = Math.abs(now.getTime() - mtimeMs) <= pendingGraceS * 1000;
        const linesBefore = Number.isFinite(length) ? 0 : this.linesBefore(batch);
        const part = { ...partOf(batch, source), linesBefore, digests: hashes, fd, size, isLive };
        // The hash of a range is made of one piece.
        const step = part.hashesBytes ? Number.POSITIVE_INFINITY : length;
        for (let from = range?.from ?? 0; from < size; from += step)
          yield { ...part, from, to: Math.min(from + step, size) };
      } catch (error) {
        this.unreadable.set(batch, whileReading(error));
      }
    }
  }

  async scanHere(): Promise<void> {
    for await (const part of this.parts(Number.POSITIVE_INFINITY)) {
      this.take(
        part,
        scanFile(this.scannerFor(part.size - part.from + 1), part, (count) => this.note(count)),
      );
    }
  }

  scanInThreads(count: number, length: number): Promise<void> {
    const options = { ...this.work.scan, everyReject: false };
    return scanInThreads(this.module, options, count, this.parts(length), (part, found) => {
      // Parts of a file come in their order, so that the lines before them are known.
      const lines = this.linesBefore(part.batch) + (this.counts.get(part.batch)?.lines ?? 0);
      for (const block of found.blocks) this.addRows(block, lines);
      const isTold = this.work.rejects === null || found.counts.rejected === 0;
      const failure = isTold ? null : this.tellRejects(part, lines);
      this.take(part, { ...found.counts, failure: found.counts.failure ?? failure });
      this.note(part.to - part.from);
    });
  }

  private async scanStream(batch: number, source: Reading, input: StreamInput): Promise<void> {
    // What cannot be read once more is hashed while it is there.
    const digests = this.work.options.hashes === true || this.work.plan.twins !== undefined;
    const linesBefore = this.linesBefore(batch);
    const part = { ...partOf(batch, source), linesBefore, digests, from: source.range?.from ?? 0 };
    const { maybeEmpty, chunks } = input;
    const scanner = this.scannerFor(source.length ?? Number.POSITIVE_INFINITY);
    const { counts, bytes } = await scanStream(scanner, chunks, part, (count) => this.note(count));
    this.files.push({ batch, source, bytes, maybeEmpty, counts });
  }

  private note(bytes: number): void {
    this.done += bytes;
    this.work.options.onProgress?.(this.done, this.work.total);
  }

  private take({ batch, to, size: bytes }: FilePart, { failure, ...found }: ScannedPart): void {
    const counts = addCounts(this.counts.get(batch), found);
    this.counts.set(batch, counts);
    if (failure) this.unreadable.set(batch, whileReading(Object.assign(new Error(), failure)));
    if (to < bytes) return;
    const input = this.open.get(batch)!;
    this.open.delete(batch);
    const source = this.work.sources[batch]!;
    if (!this.unreadable.has(batch)) this.ensureUnchanged(batch, input);
    input.close();
    if (this.unreadable.has(batch)) return;
    const { maybeEmpty } = input;
    this.files.push({ batch, source, bytes: bytes - (source.range?.from ?? 0), maybeEmpty, counts });
  }

  private ensureUnchanged(batch: number, input: PlainInput): void {
    try {
      input.ensureUnchanged();
    } catch (error) {
      this.unreadable.set(batch, whileReading(error));
    }
  }

  private addRows(block: RowBlock, lineBase: number): void {
    this.work.rows.add(block, lineBase);
    if (block.naming !== null) this.work.naming?.add(block.naming, lineBase);
  }

  /**
   * Scans a part once more for its rejects alone: a thread that handed them over would fill the memory with those of
   * all parts that wait, and copying them takes longer than finding them.
   */
  private tellRejects(part: FilePart, lineBase: number): ReadFailure | null {
    this.teller ??= new Scanner(
      this.module,
      { ...this.work.scan, calls: [], runs: [], attemptFields: [], naming: undefined },
      { rows: () => {}, reject: (line, batch, sha256) => this.addReject(batch, line, sha256) },
    );
    this.lineBase = lineBase;
    const { failure } = scanFile(this.teller, { ...part, digests: false, hashesBytes: false });
    this.lineBase = 0;
    return failure;
  }

  private addReject(batch: number, reject: RejectedLine, sha256: () => string): void {
    const { columns, table } = this.work.rejects!;
    const cells: Readonly<Record<string, () => string | number | boolean>> = {
      batch: () => batch,
      line: () => reject.line + this.lineBase,
      byte_offset: () => reject.byteOffset,
      reason: () => reject.reason,
      detail: () => reject.detail,
      line_sha256: sha256,
      blocks: () => blocksGates(this.work.sources[batch]!.as, reject.kind, reject.reason),
    };
    table.add(columns.map(({ name }) => cells[name]!()));
  }

  async end(): Promise<Loaded> {
    this.scanner?.flush();
    this.work.rows.close();
    this.work.rejects?.table.close();
    await this.work.naming?.end();
    // Of a file that turned out to be damaged, or changed, nothing is believed.
    const damaged = [...this.unreadable.keys()].join(', ');
    const { sources, rejects, naming } = this.work;
    const tables = ['calls', 'runs', ...(rejects ? ['rejects'] : []), ...(naming ? ['named_workers'] : [])];
    if (damaged !== '')
      for (const table of tables)
        await this.work.db.run(`DELETE FROM main.base_${table} WHERE batch IN (${damaged})`);
    const unreadable = [...this.unreadable].sort(([a], [b]) => a - b);
    return {
      files: this.files.sort((a, b) => a.batch - b.batch),
      unreadable: unreadable.map(([batch, error]) => ({ source: sources[batch]!, error })),
    };
  }

  close(): void {
    for (const input of this.open.values()) input.close();
  }
}

const partOf = (batch: number, { as, range }: Reading) => ({
  batch,
  // The kind that all lines of a file were said to be of.
  only: as === 'any' ? null : as,
  hashesBytes: range !== undefined,
});
