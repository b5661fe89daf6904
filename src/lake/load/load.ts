import { randomBytes } from 'node:crypto';
import { statSync } from 'node:fs';
import type { Readable } from 'node:stream';
import { addCounts, type FilePart, scanFile, scanStream } from '../../scan/file.js';
import { compileScanner } from '../../scan/machine.js';
import { ScanPool } from '../../scan/pool.js';
import type { RejectedLine } from '../../scan/reject.js';
import { type LineCounts, layoutOf, type RowBlock, Scanner, type ScanOptions } from '../../scan/scanner.js';
import type { Delivery } from '../../scan/worker.js';
import type { BlockAppender } from '../duckdb/append.js';
import type { Connected } from '../duckdb/connection.js';
import { openInput, type PlainInput, type SourceFile, type StreamInput, Unreadable } from '../input/index.js';
import type { LoadPlan } from '../tables/plan.js';
import { createTables, scanColumns } from './staging.js';

export interface LoadOptions {
  readonly plan: LoadPlan;
  readonly maxLineBytes: number;
  /** Bytes of the only stream, where they are known before it is read. */
  readonly mostBytes?: number | undefined;
  /** Seconds that an unterminated last line of a live file may stay unfinished. */
  readonly pendingGraceS: number;
  /** Every loaded line gets its SHA-256. */
  readonly hashes: boolean;
  /** Every reject is kept, not only the first of each reason and file. */
  readonly everyReject: boolean;
  readonly now: Date;
  readonly stdin: Readable;
  readonly threads: Threads;
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

/** A file that was read to its end; its rows stand in the base tables under `batch`. */
export interface LoadedFile {
  readonly batch: number;
  readonly source: SourceFile;
  readonly bytes: number;
  readonly maybeEmpty: boolean;
  readonly counts: LineCounts;
  /** All of them, or the first of each reason and kind. */
  readonly rejects: readonly RejectedLine[];
}

export interface Loaded {
  readonly files: readonly LoadedFile[];
  readonly unreadable: readonly { readonly source: SourceFile; readonly why: string }[];
}

/** Reads files into new base tables, with every line accounted for. @throws LakelogError for one that changed meanwhile. */
export async function loadFiles(
  db: Connected,
  sources: readonly SourceFile[],
  options: LoadOptions,
): Promise<Loaded> {
  await createTables(db, options.plan, hasHashes(options));
  const loading = new Loading(db, options);
  const total = totalBytes(sources);
  const { count, above, part } = options.threads;
  try {
    if (count > 1 && total > above) await loading.scanInThreads(loading.partsOf(sources, total, part), count);
    else await loading.scanHere(loading.partsOf(sources, total, Number.POSITIVE_INFINITY));
    return await loading.end();
  } finally {
    await loading.close();
  }
}

/** Twins are numbered by the hashes of their lines. */
const hasHashes = ({ hashes, plan }: LoadOptions) => hashes || plan.twins !== undefined;

function totalBytes(sources: readonly SourceFile[]): number {
  const sizeOf = ({ stream, path }: SourceFile) =>
    stream ? 0 : (statSync(path, { throwIfNoEntry: false })?.size ?? 0);
  return sources.reduce((sum, source) => sum + sizeOf(source), 0);
}

/** A plain file of which parts are still scanned. */
interface OpenFile {
  readonly batch: number;
  readonly source: SourceFile;
  readonly input: PlainInput;
  readonly rejects: RejectedLine[];
  counts: LineCounts | undefined;
}

class Loading {
  private readonly db: Connected;
  private readonly options: LoadOptions;
  private readonly scan: ScanOptions;
  private readonly appenders: readonly [BlockAppender, BlockAppender];
  private readonly module = compileScanner();
  private scanner: Scanner | undefined;
  /** Bytes of the largest file that the scanner takes. */
  private room = 0;
  private readonly open = new Map<number, OpenFile>();
  private readonly files: LoadedFile[] = [];
  private readonly unreadable: { batch: number; source: SourceFile; why: string }[] = [];
  /** Rejects of the file that this thread scans. */
  private rejects: RejectedLine[] = [];
  private onBytes: ((count: number) => void) | undefined;

  constructor(db: Connected, options: LoadOptions) {
    this.db = db;
    this.options = options;
    const { plan, maxLineBytes, everyReject } = options;
    const columns = scanColumns(plan, hasHashes(options));
    this.scan = { ...columns, maxLineBytes, everyReject, runKey: randomBytes(16) };
    const layout = layoutOf(this.scan);
    this.appenders = [
      db.blockAppender('base_calls', 0, layout.columns[0]),
      db.blockAppender('base_runs', 1, layout.columns[1]),
    ];
  }

  /**
   * Memory of WebAssembly is paid for when it is asked for, so the first file gets no more than it needs; what is larger,
   * or of a size that nobody knows, gets a scanner that takes everything.
   */
  private scannerFor(bytes: number): Scanner {
    if (this.scanner !== undefined && bytes <= this.room) return this.scanner;
    this.room = this.scanner === undefined ? bytes : Number.POSITIVE_INFINITY;
    this.scanner?.flush();
    const mostBytes = Number.isFinite(this.room) ? this.room : undefined;
    this.scanner = new Scanner(
      this.module,
      { ...this.scan, mostBytes },
      { rows: (block) => this.append(block, 0), reject: (line) => void this.rejects.push(line) },
    );
    return this.scanner;
  }

  /** Parts of the plain files, in order; what can be read once is scanned here meanwhile. */
  async *partsOf(
    sources: readonly SourceFile[],
    total: number,
    length: number,
  ): AsyncGenerator<FilePart, void, void> {
    const { onProgress, stdin } = this.options;
    let done = 0;
    if (onProgress) {
      this.onBytes = (count) => {
        done += count;
        onProgress(done, total);
      };
    }
    for (const [batch, source] of sources.entries()) {
      try {
        const input = await openInput(source, { stdin });
        if (input.kind === 'stream') await this.scanStream(batch, source, input);
        else {
          this.open.set(batch, { batch, source, input, rejects: [], counts: undefined });
          yield* this.cut(batch, source, input, length);
        }
      } catch (error) {
        if (!(error instanceof Unreadable)) throw error;
        this.unreadable.push({ batch, source, why: error.message });
      }
    }
  }

  private *cut(
    batch: number,
    source: SourceFile,
    { fd, size, mtimeMs }: PlainInput,
    length: number,
  ): Generator<FilePart> {
    const { hashes, now, pendingGraceS } = this.options;
    const isLive = Math.abs(now.getTime() - mtimeMs) <= pendingGraceS * 1000;
    const common = { batch, only: onlyOf(source), digests: hashes, fd, size, isLive };
    for (let from = 0; from < size; from += length) {
      yield { ...common, from, to: Math.min(from + length, size) };
    }
  }

  async scanHere(parts: AsyncIterable<FilePart>): Promise<void> {
    for await (const part of parts) {
      const counts = scanFile(this.scannerFor(part.size), part, this.onBytes);
      this.take(part, counts, this.rejects, []);
      this.rejects = [];
    }
  }

  async scanInThreads(parts: AsyncGenerator<FilePart>, count: number): Promise<void> {
    const pool = new ScanPool(this.module, this.scan, count);
    try {
      await pool.scan(parts, (part, { counts, rejects, blocks }: Delivery) => {
        this.take(part, counts, rejects, blocks);
        this.onBytes?.(part.to - part.from);
      });
    } finally {
      await pool.close();
    }
  }

  private async scanStream(batch: number, source: SourceFile, input: StreamInput): Promise<void> {
    this.rejects = [];
    const { mostBytes = Number.POSITIVE_INFINITY } = this.options;
    // What cannot be read once more is hashed while it is there.
    const part = { batch, only: onlyOf(source), digests: hasHashes(this.options) };
    const { counts, bytes } = await scanStream(this.scannerFor(mostBytes), input.chunks, part, this.onBytes);
    this.files.push({ batch, source, bytes, maybeEmpty: input.maybeEmpty, counts, rejects: this.rejects });
    this.rejects = [];
  }

  /** Parts of a file come in their order, so that the lines before them are known. */
  private take(
    part: FilePart,
    counts: LineCounts,
    rejects: readonly RejectedLine[],
    blocks: readonly RowBlock[],
  ): void {
    const file = this.open.get(part.batch)!;
    const lines = file.counts?.lines ?? 0;
    for (const block of blocks) this.append(block, lines);
    for (const reject of rejects) {
      const isKnown = file.rejects.some(
        ({ reason, kind }) => reason === reject.reason && kind === reject.kind,
      );
      if (this.options.everyReject || !isKnown) file.rejects.push({ ...reject, line: reject.line + lines });
    }
    file.counts = addCounts(file.counts, counts);
    if (part.to === part.size) this.finish(file);
  }

  private finish({ batch, source, input, rejects, counts }: OpenFile): void {
    this.open.delete(batch);
    try {
      input.ensureUnchanged();
    } finally {
      input.close();
    }
    const { size: bytes, maybeEmpty } = input;
    this.files.push({ batch, source, bytes, maybeEmpty, counts: counts!, rejects });
  }

  private append(block: RowBlock, lineBase: number): void {
    for (const appender of this.appenders) appender.add(block, lineBase);
  }

  async end(): Promise<Loaded> {
    this.scanner?.flush();
    for (const appender of this.appenders) appender.close();
    // Of a file that turned out to be damaged nothing is believed.
    const damaged = this.unreadable.map(({ batch }) => batch).join(', ');
    if (damaged !== '') {
      for (const table of ['calls', 'runs']) {
        await this.db.run(`DELETE FROM main.base_${table} WHERE batch IN (${damaged})`);
      }
    }
    return { files: this.files.sort((a, b) => a.batch - b.batch), unreadable: this.unreadable };
  }

  async close(): Promise<void> {
    for (const { input } of this.open.values()) input.close();
  }
}

/** The kind that all lines of a file were said to be of. */
export const onlyOf = ({ as }: SourceFile) => (as === 'any' ? null : as);
