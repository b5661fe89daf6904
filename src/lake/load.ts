import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { type Connected, engineError, ident, quote } from './duckdb.js';
import { openInput, reasonOf, type SourceFile, Unreadable } from './input/index.js';
import {
  bomLength,
  changedWhileRead,
  ensureUnchanged,
  type LineSpan,
  locate,
  openAgain,
  readSpan,
  readSpans,
  type Scan,
  type Snapshot,
  scanLines,
  stripLine,
} from './lines.js';
import {
  derivedAtLoad,
  FORMATS,
  fieldValue,
  type Kind,
  losslessSource,
  otherKind,
  type ReadOptions,
  type Routing,
  reasonSql,
  SMALL_OBJECT,
  strictReasonSql,
  strictSource,
} from './read-sql.js';
import type { Spool } from './spool.js';
import { endsInside } from './torn.js';

export interface LoadOptions extends ReadOptions {
  /** Seconds that an unterminated last line of a live file may stay unfinished. */
  readonly pendingGraceS: number;
  /** Fields to keep, by format. Types are checked in all of them whatever is kept. */
  readonly keep: Record<Kind, ReadonlySet<string>>;
  readonly withExtra: boolean;
  readonly now: Date;
  readonly stdin: Readable;
  readonly sizes?: LoadSizes | undefined;
}

/** In bytes. */
export interface LoadSizes {
  /** Of a file that is read while its lines are counted: below, it is read before a second thread could help. */
  readonly ahead: number;
  /** Of the pieces in which a file is copied. */
  readonly piece: number;
}

const SIZES: LoadSizes = { ahead: 1 << 20, piece: 128 << 20 };

/** A file that was read to its end; its rows stand in the staging tables under `fileNo`. */
export interface LoadedFile {
  readonly fileNo: number;
  readonly name: string;
  readonly as: SourceFile['as'];
  readonly scan: Scan;
  readonly snapshot: Snapshot;
  /** rowid of its first line, per staging table it was loaded into. */
  readonly base: Partial<Record<Kind, number>>;
}

export async function createStaging(db: Connected, options: LoadOptions): Promise<void> {
  await db.run('CREATE SCHEMA IF NOT EXISTS raw');
  for (const kind of ['sessions', 'replay_runs'] as const) {
    const columns = stagedColumns(kind, options).map((column) => `${ident(column.name)} ${column.type}`);
    await db.run(`CREATE OR REPLACE TABLE ${FORMATS[kind].table}
      (file_no INTEGER, reason VARCHAR, ${columns.join(', ')})`);
  }
}

function stagedColumns(kind: Kind, options: LoadOptions) {
  const fields = FORMATS[kind].fields
    .filter((field) => options.keep[kind].has(field.name))
    .map((field) => ({ name: field.name, ...fieldValue(field, options.attemptFields) }));
  return [...fields, ...derivedAtLoad(kind, options.withExtra)];
}

/** Reads one file whole, counts every line, and stages what it holds. */
export async function loadFile(
  db: Connected,
  spool: Spool,
  file: SourceFile,
  fileNo: number,
  options: LoadOptions,
): Promise<LoadedFile> {
  const { sizes = SIZES } = options;
  const { snapshot, mtimeMs } = await openSource(file, spool, options);
  const kind = file.as === 'any' ? await firstKind(snapshot) : file.as;
  const routing: Routing = file.as === 'any' ? 'leave' : 'claim';
  const plain = await spool.plainName(snapshot.path);
  // Nearly every file is clean: it is read while its lines are counted, and again if it is not.
  const ahead =
    snapshot.start === 0 &&
    snapshot.size >= sizes.ahead &&
    !options.withExtra &&
    (await isTerminated(snapshot))
      ? new StrictReading(db, one(plain), fileNo, kind, routing, {
          ...options,
          longestLine: 0,
        })
      : null;
  let scan: Scan;
  let tail: LineSpan | null;
  let ending: Ending;
  let readAhead: StrictReading | null = null;
  try {
    scan = await scanLines(snapshot, options.maxLineBytes);
    tail = scan.tail && scan.tail.length <= options.maxLineBytes ? scan.tail : null;
    ending = tail === null ? 'whole' : await endingOf(snapshot, tail);
    const odd = scan.open.length > 0 || scan.tooLong.length > 0 || ending !== 'whole';
    if (!odd && scan.records > 0 && scan.longest <= SMALL_OBJECT) readAhead = ahead;
  } finally {
    if (readAhead === null) await ahead?.undo();
  }
  const torn = ending !== 'whole';
  const live = mtimeMs !== null && Math.abs(options.now.getTime() - mtimeMs) <= options.pendingGraceS * 1000;
  const overrides = new Map<number, string>();
  for (const ordinal of scan.notJson) overrides.set(ordinal, 'bad_json');
  for (const span of scan.open) overrides.set(span.ordinal, 'bad_json');
  for (const span of scan.tooLong) overrides.set(span.ordinal, 'too_long');
  // Only the start of a record can be one that is being written; anything else stays what it is.
  const unfinished = live && ending === 'begun' ? 'pending' : 'torn_tail';
  if (tail && torn) overrides.set(tail.ordinal, unfinished);

  // DuckDB makes no row of a file of one byte.
  const needsCopy = snapshot.start > 0 || scan.tooLong.length > 0 || snapshot.size === 1;
  // Without its torn lines a file is read in the fast way: copying it costs less than the slow one.
  const cut = [...scan.open, ...(tail && torn ? [tail] : [])];
  const few = cut.length <= MOST_MASKED;
  const masked = [...scan.tooLong, ...(few ? cut : [])].sort((a, b) => a.offset - b.offset);
  const part = { from: snapshot.start, to: snapshot.size };
  const input: StageInput = {
    name: file.name,
    scan,
    overrides,
    unfinished: tail && { ordinal: tail.ordinal, reason: unfinished },
    masked: masked.length,
    pieces: few
      ? needsCopy || masked.length > 0
        ? () => spool.pieces(snapshot.path, part, masked, sizes.piece)
        : () => one(plain)
      : null,
    whole: async () => (needsCopy ? spool.without(snapshot.path, part, scan.tooLong) : plain),
  };
  const stage = (kind: Kind, routing: Routing, ahead: StrictReading | null) =>
    stageFile(db, fileNo, kind, routing, input, ahead, options);

  const base: Partial<Record<Kind, number>> = {};
  if (scan.records > 0) {
    const first = await stage(kind, routing, readAhead);
    base[kind] = first.base;
    if (first.elsewhere > 0) {
      const other = otherKind(kind);
      base[other] = (await stage(other, 'only', null)).base;
    }
  }
  await ensureUnchanged(snapshot);
  return { fileNo, name: file.name, as: file.as, scan, snapshot, base };
}

interface Source {
  readonly snapshot: Snapshot;
  /** Null where "just being written" cannot be: pipes and compressed files. */
  readonly mtimeMs: number | null;
}

async function openSource(file: SourceFile, spool: Spool, options: LoadOptions): Promise<Source> {
  const opened = await openInput(file, options);
  let readable = file.path;
  if (opened.kind === 'stream') readable = await spool.fromStream(opened.chunks);
  else opened.close();
  try {
    const handle = await open(readable, 'r');
    try {
      const stats = await handle.stat();
      const start = await bomLength(handle);
      const { dev, ino, size, mtimeMs } = stats;
      return {
        snapshot: { name: file.name, path: readable, dev, ino, start, size },
        mtimeMs: opened.kind === 'plain' ? mtimeMs : null,
      };
    } finally {
      await handle.close();
    }
  } catch (error) {
    throw new Unreadable(reasonOf(error));
  }
}

/** An unterminated last line may be half a line, and all that was read until then in vain. */
async function isTerminated(file: Snapshot): Promise<boolean> {
  const handle = await openAgain(file);
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(1), 0, 1, file.size - 1);
    return bytesRead === 1 && buffer[0] === 0x0a;
  } finally {
    await handle.close();
  }
}

type Ending = 'whole' | 'begun' | 'neither';

/** What an unterminated last line is: JSON, the start of a JSON object, or neither. */
async function endingOf(file: Snapshot, span: LineSpan): Promise<Ending> {
  const handle = await openAgain(file);
  try {
    const bytes = await readSpan(handle, span, span.length);
    // A character may be cut too.
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes, { stream: true });
    try {
      JSON.parse(text);
      return 'whole';
    } catch (error) {
      return text.trimStart().startsWith('{') && endsInside(text, error) ? 'begun' : 'neither';
    }
  } catch {
    return 'neither';
  } finally {
    await handle.close();
  }
}

const PEEK = 1 << 20;

/** The format of the first line decides which columns the first reading looks for; both are read if need be. */
async function firstKind(file: Snapshot): Promise<Kind> {
  const handle = await openAgain(file);
  try {
    const bytes = Buffer.allocUnsafe(Math.min(PEEK, file.size));
    const { bytesRead } = await handle.read(bytes, 0, bytes.length, file.start);
    const text = bytes.toString('utf8', 0, bytesRead).trimStart();
    const end = text.indexOf('\n');
    const { schema } = JSON.parse(end < 0 ? text : text.slice(0, end)) as { schema?: unknown };
    return schema === FORMATS.replay_runs.schema ? 'replay_runs' : 'sessions';
  } catch {
    return 'sessions';
  } finally {
    await handle.close();
  }
}

/** One strict reading of a file into its staging table, in a transaction of its own. */
class StrictReading {
  private readonly db: Connected;
  private readonly kind: Kind;
  private readonly fileNo: number;
  /** Whether DuckDB took the file. */
  private readonly done: Promise<boolean>;

  constructor(
    db: Connected,
    pieces: AsyncGenerator<string, void, void>,
    fileNo: number,
    kind: Kind,
    routing: Routing,
    options: LoadOptions & ReadOptions,
  ) {
    this.db = db;
    this.kind = kind;
    this.fileNo = fileNo;
    const reason = strictReasonSql(kind, routing);
    this.done = this.read(pieces, (path) =>
      insertSql(strictSource(path, kind, options), reason, fileNo, kind, options),
    );
    // Whoever keeps or undoes it hears of its failure.
    this.done.catch(() => {});
  }

  private async read(
    pieces: AsyncGenerator<string, void, void>,
    insert: (path: string) => string,
  ): Promise<boolean> {
    await this.db.run('BEGIN');
    let next = pieces.next();
    for (;;) {
      const { value: path, done } = await next;
      if (done) return true;
      next = pieces.next();
      try {
        await this.db.run(insert(path));
      } catch {
        // Some line is no JSON object; which one, and what it costs, is the other reading's affair.
        await next.catch(() => {});
        return false;
      }
    }
  }

  async undo(): Promise<void> {
    try {
      await this.done;
    } finally {
      await this.db.run('ROLLBACK');
    }
  }

  /** Keeps what was read if just `bad` lines of it are no records; false = nothing is kept. */
  async keep(bad: number): Promise<boolean> {
    if (await this.done) {
      const found = await this.db.objects(
        `SELECT 1 FROM ${FORMATS[this.kind].table} WHERE file_no = ${this.fileNo} AND reason = 'bad' LIMIT ${bad + 1}`,
      );
      if (found.length === bad) {
        await this.db.run('COMMIT');
        return true;
      }
    }
    await this.db.run('ROLLBACK');
    return false;
  }
}

function insertSql(source: string, reason: string, fileNo: number, kind: Kind, options: LoadOptions): string {
  const columns = stagedColumns(kind, options).map((column) => column.sql);
  return `INSERT INTO ${FORMATS[kind].table} SELECT ${fileNo}, ${reason}, ${columns.join(', ')} FROM ${source}`;
}

/** More torn lines than this are no accident of a crash, and a list of them would be long. */
const MOST_MASKED = 100_000;

interface StageInput {
  readonly name: string;
  readonly scan: Scan;
  readonly overrides: ReadonlyMap<number, string>;
  /** What to say of the unterminated last line if DuckDB, which is stricter than JSON.parse, cannot read it. */
  readonly unfinished: { readonly ordinal: number; readonly reason: string } | null;
  /** Lines that `pieces` hold `{}` instead of: rows without a schema, which the strict reading finds bad. */
  readonly masked: number;
  /** The files to read strictly, one after the other; null where that is vain. */
  readonly pieces: (() => AsyncGenerator<string, void, void>) | null;
  /** The file for the other reading. */
  readonly whole: () => Promise<string>;
}

async function* one(path: string): AsyncGenerator<string, void, void> {
  yield path;
}

/** @param ahead the strict reading, when it is under way. */
async function stageFile(
  db: Connected,
  fileNo: number,
  kind: Kind,
  routing: Routing,
  input: StageInput,
  ahead: StrictReading | null,
  options: LoadOptions,
): Promise<{ base: number; elsewhere: number }> {
  const { table } = FORMATS[kind];
  const read = { ...options, longestLine: input.scan.longest };
  const strictly =
    ahead ??
    (input.pieces === null || options.withExtra
      ? null
      : new StrictReading(db, input.pieces(), fileNo, kind, routing, read));
  // Reading for the other format only, a line without a schema belongs elsewhere.
  const kept = (await strictly?.keep(routing === 'only' ? 0 : input.masked)) ?? false;
  if (!kept) {
    const source = losslessSource(await input.whole(), kind, read);
    const sql = insertSql(source, reasonSql(kind, routing), fileNo, kind, options);
    await db.run(sql).catch((error) => {
      throw engineError(`DuckDB cannot read ${input.name}`, error);
    });
  }
  // Not before the commit: a transaction numbers its rows from 2^55.
  const [counted] = await db.objects<{ base: number | null; count: number; elsewhere: number }>(
    `SELECT min(rowid) AS base, count(*) AS count, count(*) FILTER (reason = 'elsewhere') AS elsewhere
     FROM ${table} WHERE file_no = ${fileNo}`,
  );
  const rows = counted!;
  if (rows.count < input.scan.records) {
    throw changedWhileRead(input.name, `${input.scan.records} lines at the start, ${rows.count} now`);
  }
  const base = rows.base ?? 0;
  if (rows.count > input.scan.records) {
    // DuckDB reads on when a writer appends; those lines belong to the next run.
    await db.run(`DELETE FROM ${table} WHERE file_no = ${fileNo} AND rowid >= ${base + input.scan.records}`);
  }
  for (const reason of new Set(input.overrides.values())) {
    const mark = routing === 'only' ? 'elsewhere' : reason;
    const rowids = [...input.overrides].filter(([, one]) => one === reason).map(([at]) => base + at);
    for (let i = 0; i < rowids.length; i += 10_000) {
      await db.run(
        `UPDATE ${table} SET reason = ${quote(mark)} WHERE rowid IN (${rowids.slice(i, i + 10_000).join(', ')})`,
      );
    }
  }
  if (input.unfinished) {
    const { ordinal, reason } = input.unfinished;
    await db.run(
      `UPDATE ${table} SET reason = ${quote(reason)}
       WHERE file_no = ${fileNo} AND rowid = ${base + ordinal} AND reason = 'bad_json'`,
    );
  }
  return { base, elsewhere: rows.elsewhere };
}

/** What two byte-identical lines cannot differ in; only lines that agree in it are compared byte by byte. */
const TWIN_KEY: Record<Kind, readonly string[]> = {
  sessions: [
    'session_id',
    'timestamp',
    'kind',
    'model',
    'iterations',
    'final_verdict',
    'call_id',
    'writer_id',
    'seq',
  ],
  replay_runs: ['session_id', 'timestamp', 'run_id', 'task_id'],
};

/** Whether each loaded call has a call_id that no other has: then no two of their lines are alike. */
async function haveOwnIds(db: Connected): Promise<boolean> {
  const [{ own } = { own: false }] = await db.objects<{ own: boolean }>(
    `SELECT count(DISTINCT call_id) = count(*) AS own FROM ${FORMATS.sessions.table} WHERE reason IS NULL`,
  );
  return own;
}

/**
 * Marks byte-identical lines: the first in argument and line order loads, the rest are counted.
 * @returns whether each call has a call_id that no other has: then no two can conflict.
 */
export async function markDuplicates(db: Connected, files: readonly LoadedFile[]): Promise<boolean> {
  const ownIds = await haveOwnIds(db);
  for (const kind of ['sessions', 'replay_runs'] as const) {
    if (files.every((file) => file.base[kind] === undefined)) continue;
    const { table } = FORMATS[kind];
    if (kind === 'sessions' && ownIds) continue;
    const key = `hash(${TWIN_KEY[kind].map(ident).join(', ')})`;
    const suspects = await db.objects<{ file_no: number; row: number }>(
      `SELECT file_no, rowid AS row FROM ${table} WHERE reason IS NULL AND ${key} IN
         (SELECT ${key} FROM ${table} WHERE reason IS NULL GROUP BY 1 HAVING count(*) > 1)
       ORDER BY file_no, rowid`,
    );
    if (suspects.length === 0) continue;
    const seen = new Set<string>();
    const twins: number[] = [];
    const rowsOf = new Map<number, number[]>();
    for (const { file_no, row } of suspects) {
      const rows = rowsOf.get(file_no);
      if (rows) rows.push(row);
      else rowsOf.set(file_no, [row]);
    }
    for (const file of files) {
      const rows = rowsOf.get(file.fileNo);
      if (!rows) continue;
      const base = file.base[kind]!;
      const spans = await locate(
        file.snapshot,
        file.scan,
        rows.map((row) => row - base),
      );
      const handle = await openAgain(file.snapshot);
      try {
        let i = 0;
        for await (const [, raw] of readSpans(handle, spans, Number.MAX_SAFE_INTEGER)) {
          const digest = createHash('sha256').update(stripLine(raw)).digest('base64');
          if (seen.has(digest)) twins.push(rows[i]!);
          else seen.add(digest);
          i++;
        }
      } finally {
        await handle.close();
      }
    }
    for (let i = 0; i < twins.length; i += 10_000) {
      await db.run(
        `UPDATE ${table} SET reason = 'duplicate' WHERE rowid IN (${twins.slice(i, i + 10_000).join(', ')})`,
      );
    }
  }
  return ownIds;
}
