import { resolve } from 'node:path';
import { isMainThread } from 'node:worker_threads';
import {
  type Field,
  REPLAY_FIELDS,
  REPLAY_SCHEMA,
  SESSION_FIELDS,
  SESSION_SCHEMA,
} from '../schema/fields.js';
import type { ReplayRecord, SessionRecord, Unstamped } from '../schema/types.js';
import type { FileSystem } from './file-system.js';
import { type Line, lines, MAX_RECORD_BYTES, RecordTooLarge } from './line.js';
import { type Durability, LineWriter, type WriterOptions } from './line-writer.js';
import type { Redact } from './redact.js';
import { Reporter } from './reporter.js';
import { type RecordStamps, Stamper, type Stamps } from './stamp.js';

export interface LoggerOptions {
  /** Time of records without a timestamp. Default: the system's clock. */
  clock?: () => Date;
  /** Source of call ids for calls without one. Default: UUIDs, unique and in order. */
  ids?: () => string;
  /**
   * Told of every kind of failure (records lost, a file that cannot be written, a record that readers will reject,
   * a file that others may read) at once, and of the same kind again at most every minute. `stats()` has the exact
   * counts. What it throws is ignored. Default: one line on stderr.
   */
  onError?: (error: Error) => void;
  /** Bytes that may wait to be written; a record that comes when they are used up is dropped. Default: 16 MiB. */
  maxQueueBytes?: number;
  /** Bytes of one line; above, a record keeps its verdicts and loses its content. Default: 8 MiB. */
  maxRecordBytes?: number;
  /** Milliseconds that `flush()`, `close()` and the end of the process wait for a file that fails. Default: 2000. */
  deadlineMs?: number;
  /** Default: `os`, which survives the death of the process and not that of the machine. */
  durability?: Durability;
  /** Changes or drops a record before anything else sees it. One that it throws on is dropped, not leaked. */
  redact?: Redact;
  /**
   * Whether waiting lines are written when SIGTERM, SIGINT, SIGHUP, SIGQUIT or SIGUSR2 arrives, which end Node
   * without an `exit` event. The signal does what it would have done without the logger. Default: true.
   */
  handleSignals?: boolean;
  /**
   * Whether `append()` writes its line before it returns, so that no death of the process takes it along; it then
   * costs the host a write(2), some three times as much. Default: in worker threads only, which end without an event
   * when they are terminated or the main thread exits.
   */
  immediate?: boolean;
  /** @internal node:fs, or one with faults. */
  fs?: FileSystem;
}

/** Why a record is not in the file. */
export type DropCause =
  /** The queue was full. */
  | 'queue_full'
  /** No object, or one that cannot be read. */
  | 'not_a_record'
  /** Over `maxRecordBytes` even without its content. */
  | 'too_large'
  /** The `redact` hook said so. */
  | 'redacted'
  /** The `redact` hook threw, or gave a promise. */
  | 'redact_failed'
  /** The file could not be written before a deadline, or before the process ended. */
  | 'write_failed';

export interface LoggerStats {
  /** Lines known to be complete in the file. */
  readonly written: number;
  /** Records accepted and not yet written or dropped. */
  readonly queued: number;
  /** Bytes of the lines that wait. */
  readonly queuedBytes: number;
  /** Records that are not, or not known to be, in the file. */
  readonly dropped: number;
  readonly droppedBy: Readonly<Record<DropCause, number>>;
  /** Records that lost their content for their size; they are in the file. */
  readonly truncated: number;
  /** Bytes of the lines written. */
  readonly bytes: number;
  /** Times that the file was opened after the first: rotated, deleted, failed, closed or asked for. */
  readonly reopened: number;
  readonly lastError: Error | null;
}

const DEFAULT_QUEUE_BYTES = 16 * 1024 * 1024;
const DEFAULT_DEADLINE_MS = 2_000;
/** Longer ones fire at once. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

type RecordDropCause = Exclude<DropCause, 'write_failed'>;

/** What both loggers share: nothing in here throws into the host. */
class RecordLogger {
  /** Absolute path of the file; null for a logger that does nothing. */
  readonly path: string | null;
  readonly #line: (record: unknown, stamps: Stamps) => Line;
  readonly #stamper: Stamper;
  readonly #redact: Redact | undefined;
  readonly #reporter: Reporter;
  readonly #writer: LineWriter | null;
  readonly #dropped: Record<RecordDropCause, number> = {
    queue_full: 0,
    not_a_record: 0,
    too_large: 0,
    redacted: 0,
    redact_failed: 0,
  };
  #truncated = 0;

  constructor(
    path: string | null | undefined,
    format: { readonly fields: readonly Field[]; readonly schema: string },
    options: LoggerOptions,
  ) {
    this.#line = lines(format.fields, positive(options.maxRecordBytes, MAX_RECORD_BYTES));
    this.#stamper = new Stamper({ schema: format.schema, clock: options.clock, ids: options.ids });
    this.#redact = options.redact ?? undefined;
    this.#reporter = new Reporter(options.onError);
    this.path = typeof path === 'string' && path !== '' ? absolute(path) : null;
    this.#writer =
      this.path === null ? null : new LineWriter(this.path, writerOptions(options), this.#reporter);
    if (this.path === null && path !== null && path !== undefined && path !== '') {
      this.#reporter.failure(
        new TypeError(`path of the log is ${typeof path}, not a string: nothing will be logged`),
      );
    }
  }

  /** Never throws; true = the record waits to be written. */
  protected write(record: unknown): boolean {
    if (!this.#writer) return false;
    const stamps = this.#stamper.next();
    try {
      const { text, defect, truncated } = this.#line(this.#redacted(record), stamps);
      if (!this.#writer.add(text)) throw new Dropped('queue_full', 'the queue is full');
      if (truncated) this.#truncated++;
      if (defect !== null) this.#reporter.failure(new InvalidRecord(defect));
      return true;
    } catch (error) {
      this.#drop(error, stamps);
      return false;
    }
  }

  #redacted(record: unknown): unknown {
    if (this.#redact === undefined || typeof record !== 'object' || record === null) return record;
    const redacted = outcomeOf(this.#redact, record);
    if (redacted === null || redacted === undefined) throw new Dropped('redacted', 'redacted');
    return redacted;
  }

  #drop(error: unknown, stamps: RecordStamps): void {
    const why = whyOf(error);
    stamps.burn();
    this.#dropped[why]++;
    if (why !== 'redacted') this.#reporter.failure(error);
  }

  /** What became of the records so far. */
  stats(): LoggerStats {
    const writer = this.#writer;
    const droppedBy = { ...this.#dropped, write_failed: writer?.lost ?? 0 };
    return {
      written: writer?.written ?? 0,
      queued: writer?.queued ?? 0,
      queuedBytes: writer?.queuedBytes ?? 0,
      dropped: Object.values(droppedBy).reduce((sum, count) => sum + count, 0),
      droppedBy,
      truncated: this.#truncated,
      bytes: writer?.bytes ?? 0,
      reopened: writer?.reopened ?? 0,
      lastError: this.#reporter.lastError,
    };
  }

  /**
   * Waits until every record accepted so far is written (with durability `fsync`: on the disk), or is given up
   * because the file still fails after `deadlineMs`. Never rejects.
   */
  async flush(): Promise<void> {
    await this.#writer?.flush();
  }

  /**
   * Waits until every record accepted so far is written: true, and no death of the process takes them along. False as
   * soon as the file fails, or after `deadlineMs`; unlike `flush()` it gives nothing up. Never rejects.
   */
  async whenWritten(): Promise<boolean> {
    return (await this.#writer?.whenWritten()) ?? true;
  }

  /**
   * Flushes and releases the descriptor. May be called any number of times. A record that comes later opens the
   * file again: a late record is worth more than a closed descriptor. Never rejects.
   */
  async close(): Promise<void> {
    await this.#writer?.close();
  }

  /**
   * Lets the next record open the file anew. Not needed after a rotation, which is noticed before each write;
   * it is for a tool that insists on telling.
   */
  reopen(): void {
    this.#writer?.reopen();
  }
}

/** A record that was written as it was given, and that every reader will reject. */
class InvalidRecord extends Error {
  override name = 'InvalidRecord';
  constructor(defect: string) {
    super(`a record was written that readers will reject: ${defect}`);
  }
}

class Dropped extends Error {
  override name = 'Dropped';
  readonly code: string;
  readonly why: RecordDropCause;
  constructor(why: RecordDropCause, message: string) {
    super(`record dropped: ${message}`);
    this.code = why;
    this.why = why;
  }
}

function whyOf(error: unknown): RecordDropCause {
  if (error instanceof Dropped) return error.why;
  return error instanceof RecordTooLarge ? 'too_large' : 'not_a_record';
}

/** What the hook threw may quote the record, and is not repeated. */
function outcomeOf(redact: Redact, record: object): unknown {
  let outcome: unknown;
  try {
    outcome = redact(record as Readonly<Record<string, unknown>>);
    if (typeof (outcome as { then?: unknown } | null | undefined)?.then !== 'function') return outcome;
  } catch {
    throw new Dropped('redact_failed', 'the redact hook threw');
  }
  // Its rejection would end the host as an unhandled one.
  Promise.resolve(outcome).catch(() => {});
  throw new Dropped('redact_failed', 'the redact hook gave a promise');
}

/**
 * Appends iterate calls to a `sessions.jsonl`, a line each. It never throws into its host and never makes it wait:
 * records wait in a bounded queue, are written behind its back in whole lines, many lines in one write(2), and
 * what cannot be written is counted in `stats()` and told to `onError`.
 *
 * Records that wait are written when the process ends, be it by itself, by process.exit(), by an uncaught exception
 * or by a signal that can be listened to; a record that comes during the end is written at once. SIGKILL, abort() and
 * crashes lose what waits (some milliseconds of records; none with `immediate`), and may leave half a line behind
 * which the next writer starts a new one.
 *
 * The file is created 0600 and its folder 0700; links and anything but regular files are refused. A file that was
 * deleted, rotated or truncated is noticed. Several processes may append to one file on a local file system.
 */
export class SessionLogger extends RecordLogger {
  /** @param path the file; empty, null or undefined = a logger that does nothing. */
  constructor(path: string | null | undefined, options?: LoggerOptions | null) {
    super(path, { fields: SESSION_FIELDS, schema: SESSION_SCHEMA }, options ?? {});
  }

  /**
   * Takes one call as it is now. Filled in when absent: `schema`, `timestamp` (the clock's time), `call_id`, and,
   * when the record has neither, `writer_id` (random, one per logger) with `seq` (from 1). A record that is dropped
   * uses up its `seq`, so that the loss shows.
   *
   * Values that JSON has no form for are replaced by a marker and optional fields of a wrong type left out; the
   * field `log_note` then says so. A record over `maxRecordBytes` loses its content and gets `truncated: true`.
   *
   * @returns true when the record waits to be written, false when it was dropped. Throws nothing, whatever the
   *   record holds.
   */
  append(record: Unstamped<SessionRecord>): boolean {
    return this.write(record);
  }
}

/** Appends replay runs to a `replay_runs.jsonl`; everything else as SessionLogger. */
export class ReplayLogger extends RecordLogger {
  /** @param path the file; empty, null or undefined = a logger that does nothing. */
  constructor(path: string | null | undefined, options?: LoggerOptions | null) {
    super(path, { fields: REPLAY_FIELDS, schema: REPLAY_SCHEMA }, options ?? {});
  }

  /** Takes one run; `schema` and `timestamp` (the clock's time) are filled in when absent. Else as for calls. */
  append(record: Unstamped<ReplayRecord>): boolean {
    return this.write(record);
  }
}

function writerOptions(options: LoggerOptions): WriterOptions {
  const { durability } = options;
  return {
    maxQueueBytes: positive(options.maxQueueBytes, DEFAULT_QUEUE_BYTES),
    deadlineMs: Math.min(positive(options.deadlineMs, DEFAULT_DEADLINE_MS), LONGEST_TIMER_MS),
    durability: durability === 'fsync' || durability === 'interval' ? durability : 'os',
    handleSignals: options.handleSignals !== false,
    immediate: typeof options.immediate === 'boolean' ? options.immediate : !isMainThread,
    fs: options.fs,
  };
}

/** A wrong option must not take the host down. */
function positive(value: unknown, otherwise: number): number {
  return typeof value === 'number' && value > 0 ? value : otherwise;
}

function absolute(path: string): string {
  try {
    return resolve(path);
  } catch {
    // The working directory is gone; the path may still work, and onError tells when it does not.
    return path;
  }
}
