import { randomUUID } from 'node:crypto';
import { writeSync } from 'node:fs';
import { resolve } from 'node:path';
import {
  type Field,
  REPLAY_FIELDS,
  REPLAY_SCHEMA,
  SESSION_FIELDS,
  SESSION_SCHEMA,
} from '../schema/fields.js';
import type { ReplayRecord, SessionRecord, Unstamped } from '../schema/types.js';
import { type AppendFile, type AppendFs, appendFile } from './append-file.js';
import type { Json } from './clean.js';
import { toLine } from './line.js';

export interface LoggerOptions {
  /** Time of records without a timestamp. Default: the system's clock. */
  clock?: () => Date;
  /** Source of call ids for calls without one. Default: randomUUID. */
  ids?: () => string;
  /**
   * Told of every record that was dropped, and of every one that was written but will be rejected when read.
   * What it throws is ignored. Default: one line on stderr per kind of failure, again at most every minute.
   */
  onError?: (error: Error) => void;
  /** @internal node:fs, or one with faults. */
  fs?: AppendFs;
}

export interface LoggerStats {
  /** Lines known to be complete in the file. */
  readonly written: number;
  /** Records that are not, or not known to be. */
  readonly dropped: number;
  readonly lastError: Error | null;
}

type Stamp = (fields: { [key: string]: Json }) => void;

/** What both loggers share: nothing in here throws into the host. */
class RecordLogger {
  /** Absolute path of the file; null for a logger that does nothing. */
  readonly path: string | null;
  readonly #fields: readonly Field[];
  readonly #onError: (error: Error) => void;
  #file: AppendFile | null = null;
  #written = 0;
  #dropped = 0;
  #lastError: Error | null = null;
  #reporting = false;

  constructor(path: string | null | undefined, fields: readonly Field[], options: LoggerOptions) {
    this.#fields = fields;
    this.#onError = typeof options.onError === 'function' ? options.onError : stderrReporter();
    this.path = typeof path === 'string' && path !== '' ? absolute(path) : null;
    if (this.path !== null) this.#file = appendFile(this.path, options.fs);
    else if (path !== null && path !== undefined && path !== '') {
      this.#report(new TypeError(`path of the log is ${typeof path}, not a string: nothing will be logged`));
    }
  }

  /** Never throws; true = the line is complete in the file. */
  protected write(record: unknown, stamp: Stamp): boolean {
    if (!this.#file) return false;
    try {
      const { text, defect } = toLine(record, this.#fields, stamp);
      this.#file.appendLine(text);
      this.#written++;
      if (defect !== null) this.#report(new InvalidRecord(defect));
      return true;
    } catch (error) {
      this.#dropped++;
      this.#report(error);
      return false;
    }
  }

  /** Lines written and records dropped so far. */
  stats(): LoggerStats {
    return { written: this.#written, dropped: this.#dropped, lastError: this.#lastError };
  }

  /**
   * Releases the descriptor; every line is already in the file. May be called any number of times. A record that
   * comes later opens the file again: a late record is worth more than a closed descriptor.
   */
  close(): void {
    this.#file?.close();
  }

  #report(thrown: unknown): void {
    if (this.#reporting) return;
    this.#reporting = true;
    try {
      this.#lastError = toError(thrown);
      const returned: unknown = this.#onError(this.#lastError);
      // An async handler that rejects would end the host as an unhandled rejection.
      if (typeof returned === 'object') Promise.resolve(returned).catch(() => {});
    } catch {
      // The handler of the last resort has nobody to tell.
    } finally {
      this.#reporting = false;
    }
  }
}

/** A record that was written as it was given, and that every reader will reject. */
class InvalidRecord extends Error {
  override name = 'InvalidRecord';
  constructor(defect: string) {
    super(`a record was written that readers will reject: ${defect}`);
  }
}

/**
 * Appends iterate calls to a `sessions.jsonl`, one line and one write(2) each. It never throws into its host: a
 * record that cannot be written is dropped, counted in `stats()` and told to `onError`.
 *
 * The file is created 0600 and its folder 0700; links and anything but regular files are refused. A file that was
 * deleted or rotated is opened anew. Several processes may append to one file on a local file system.
 */
export class SessionLogger extends RecordLogger {
  readonly #stamp: Stamp;

  /** @param path the file; empty, null or undefined = a logger that does nothing. */
  constructor(path: string | null | undefined, options: LoggerOptions = {}) {
    super(path, SESSION_FIELDS, options ?? {});
    const ids = options?.ids ?? randomUUID;
    const clock = options?.clock ?? systemClock;
    this.#stamp = (fields) => {
      stampCommon(fields, SESSION_SCHEMA, clock);
      fields.call_id ||= newId(ids);
    };
  }

  /**
   * Appends one call; `schema`, `timestamp` (the clock's time) and `call_id` are filled in when absent.
   *
   * Values that JSON has no form for are replaced by a marker, optional fields of a wrong type left out, and the
   * content of a record over 8 MiB left out; the field `log_note` then says so.
   *
   * @returns true when the complete line is in the file, else false. Throws nothing, whatever the record holds.
   */
  append(record: Unstamped<SessionRecord>): boolean {
    return this.write(record, this.#stamp);
  }
}

/** Appends replay runs to a `replay_runs.jsonl`; everything else as SessionLogger. */
export class ReplayLogger extends RecordLogger {
  readonly #stamp: Stamp;

  /** @param path the file; empty, null or undefined = a logger that does nothing. */
  constructor(path: string | null | undefined, options: LoggerOptions = {}) {
    super(path, REPLAY_FIELDS, options ?? {});
    const clock = options?.clock ?? systemClock;
    this.#stamp = (fields) => stampCommon(fields, REPLAY_SCHEMA, clock);
  }

  /** Appends one run; `schema` and `timestamp` (the clock's time) are filled in when absent. Else as for calls. */
  append(record: Unstamped<ReplayRecord>): boolean {
    return this.write(record, this.#stamp);
  }
}

function systemClock(): Date {
  return new Date();
}

function stampCommon(fields: { [key: string]: Json }, schema: string, clock: () => Date): void {
  fields.schema ??= schema;
  fields.timestamp ??= timeOf(clock);
}

function timeOf(clock: () => Date): string {
  try {
    return clock().toISOString();
  } catch {
    return new Date().toISOString();
  }
}

function newId(ids: () => string): string {
  try {
    const id = ids();
    if (typeof id === 'string') return id;
  } catch {
    // A call without an id is better than no call.
  }
  return '';
}

function absolute(path: string): string {
  try {
    return resolve(path);
  } catch {
    // The working directory is gone; the path may still work, and append tells when it does not.
    return path;
  }
}

function toError(thrown: unknown): Error {
  try {
    return thrown instanceof Error ? thrown : new Error(String(thrown));
  } catch {
    return new Error('unknown failure');
  }
}

const QUIET_MS = 60_000;

function stderrReporter(): (error: Error) => void {
  const last = new Map<string, { at: number; since: number }>();
  return (error) => {
    const kind = String((error as NodeJS.ErrnoException).code ?? error.name);
    const seen = last.get(kind);
    const now = performance.now();
    if (seen && now - seen.at < QUIET_MS) {
      seen.since++;
      return;
    }
    const more = seen?.since ? ` (and ${seen.since} more like it)` : '';
    last.set(kind, { at: now, since: 0 });
    // process.stderr would emit an error nobody listens to when stderr is closed, which ends the host.
    writeSync(2, `lakelog: ${error.message.replaceAll(/\p{Cc}/gu, ' ')}${more}\n`);
  };
}
