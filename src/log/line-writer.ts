import { AppendFile } from './append-file.js';
import { Batch } from './batch.js';
import { type FileSystem, nodeFileSystem, runLater, runNow, type Steps } from './file-system.js';
import { isEnding, type Pending, unwatch, watch } from './process-end.js';
import type { Reporter } from './reporter.js';

/**
 * When written lines are asked to survive a loss of power: `os` = when the operating system pleases, `interval` =
 * an fsync at most every second, `fsync` = an fsync after each write and before `flush()` resolves.
 */
export type Durability = 'os' | 'interval' | 'fsync';

export interface WriterOptions {
  readonly maxQueueBytes: number;
  readonly deadlineMs: number;
  readonly durability: Durability;
  readonly handleSignals: boolean;
  /** A line is written before `add` returns, unless the file fails. */
  readonly immediate: boolean;
  readonly fs: FileSystem | undefined;
}

/**
 * What comes together is written together, and the thread that writes does not take the processor from a host in
 * the middle of its burst.
 */
const GATHER_MS = 5;
/** No more is waited for. */
const GATHER_BYTES = 256 * 1024;
const FIRST_RETRY_MS = 100;
const LAST_RETRY_MS = 5_000;
/** While somebody waits for a flush. */
const HURRIED_RETRY_MS = 100;
const SYNC_INTERVAL_MS = 1_000;
/** For a write that was under way as the process ended; one takes about a millisecond. */
const LANDING_MS = 250;
const SPARES = 2;

interface Waiter {
  readonly lastBatch: number;
  /** Waits until the file works again, or the deadline gives the lines up. */
  readonly patient: boolean;
  readonly done: (settled: boolean) => void;
}

/**
 * A bounded queue of lines in front of an AppendFile. One write is under way at a time; what comes meanwhile is
 * gathered for the next one. Nothing in here throws.
 */
export class LineWriter implements Pending {
  readonly handleSignals: boolean;
  readonly #options: WriterOptions;
  readonly #fs: FileSystem;
  readonly #file: AppendFile;
  readonly #reporter: Reporter;
  #queue: Batch[] = [];
  readonly #spares: Buffer[] = [];
  #waiters: Waiter[] = [];
  #batches = 0;
  #running = false;
  /** A call to the file system was made and has not come back. */
  #underWay = false;
  #gathering: NodeJS.Timeout | undefined;
  #retry: NodeJS.Timeout | undefined;
  #failures = 0;
  /** Counts the times that flushNow took work away from the run. */
  #takeovers = 0;
  #syncTimer: NodeJS.Timeout | undefined;
  #syncDue = false;
  #closers: (() => void)[] = [];
  /** Batches up to this number are not tried again. */
  #givenUp = 0;
  #unsynced = false;
  #watched = false;
  #warnedOfMode = false;
  #opened = 0;

  queued = 0;
  queuedBytes = 0;
  written = 0;
  bytes = 0;
  /** Lines given up after they were queued. */
  lost = 0;

  constructor(path: string, options: WriterOptions, reporter: Reporter) {
    this.#options = options;
    this.#reporter = reporter;
    this.#fs = options.fs ?? nodeFileSystem;
    this.handleSignals = options.handleSignals;
    this.#file = new AppendFile(path, {
      opened: () => void this.#opened++,
      loose: (mode) => this.#warnOfMode(path, mode),
      cut: () => reporter.failure(new CutInPlace(path)),
    });
  }

  /** Times that the file was opened after the first one. */
  get reopened(): number {
    return Math.max(0, this.#opened - 1);
  }

  /** False = the queue is full. The bound holds within the length of one line. */
  add(text: string): boolean {
    const first = this.queued === 0;
    if (!first && this.queuedBytes + text.length >= this.#options.maxQueueBytes) return false;
    this.#enqueue(text);
    if (!this.#watched) {
      this.#watched = true;
      watch(this);
    }
    if (isEnding()) this.flushNow(true);
    // What stands before a line may be just being written, and a file that fails is not tried for each line.
    else if (this.#options.immediate && !this.#retry && (first || !this.#running)) this.#writeAtOnce();
    else this.#startSoon();
    return true;
  }

  #writeAtOnce(): void {
    try {
      while (this.#queue[0]) this.#writeNow(this.#queue[0]);
      this.#unsynced = this.#options.durability === 'interval';
      if (this.#options.durability === 'fsync') runNow(this.#file.sync(), this.#fs);
    } catch (error) {
      if (this.#queue.length > 0) this.#retryAfter(error);
      else this.#reporter.failure(error);
    }
  }

  #enqueue(text: string): void {
    let batch = this.#queue.at(-1);
    let bytes = batch && !batch.sealed ? batch.add(text) : 0;
    if (bytes === 0) {
      batch = new Batch(++this.#batches, text, this.#spares.pop());
      bytes = batch.bytes;
      this.#queue.push(batch);
    }
    this.queued++;
    this.queuedBytes += bytes;
  }

  /** Resolves when every line accepted so far is written or, after the deadline, given up. Never rejects. */
  async flush(): Promise<void> {
    const last = this.#queue.at(-1);
    if (!last) return;
    last.sealed = true;
    await this.#wait(last.number, true);
  }

  /**
   * Resolves with true when every line accepted so far is written, and with false as soon as the file fails or the
   * deadline is over; they go on waiting then. Never rejects.
   */
  async whenWritten(): Promise<boolean> {
    const last = this.#queue.at(-1);
    if (!last) return true;
    if (this.#retry) return false;
    const { lost } = this;
    return (await this.#wait(last.number, false)) && this.lost === lost;
  }

  #wait(lastBatch: number, patient: boolean): Promise<boolean> {
    return new Promise((resolve) => {
      const deadline = setTimeout(() => this.#giveUp(waiter), this.#options.deadlineMs);
      const waiter: Waiter = {
        lastBatch,
        patient,
        done: (settled) => {
          clearTimeout(deadline);
          resolve(settled);
        },
      };
      this.#waiters.push(waiter);
      if (patient) this.#hurry();
      else this.#start();
    });
  }

  #giveUp(waiter: Waiter): void {
    if (waiter.patient) {
      // What a write under way still holds may yet arrive.
      const first = this.#underWay ? 1 : 0;
      this.#givenUp = waiter.lastBatch;
      this.#drop(this.#queue.filter((batch, i) => i >= first && batch.number <= waiter.lastBatch));
    }
    this.#waiters = this.#waiters.filter((other) => other !== waiter);
    waiter.done(false);
  }

  /** Flushes and releases the descriptor. A line that comes later opens the file again. */
  async close(): Promise<void> {
    await this.flush();
    await new Promise<void>((resolve) => {
      this.#closers.push(resolve);
      this.#start();
    });
    if (this.#queue.length === 0 && this.#watched) {
      this.#watched = false;
      unwatch(this);
    }
  }

  /** Lets the next write open the file anew. */
  reopen(): void {
    this.#file.reopen();
    if (this.#queue.length > 0) this.#hurry();
  }

  #hurry(): void {
    clearTimeout(this.#retry);
    this.#retry = undefined;
    this.#start();
  }

  #startSoon(): void {
    if (this.#running || this.#retry) return;
    if (this.queuedBytes >= GATHER_BYTES || this.#waiters.length > 0) this.#start();
    else this.#gathering ??= setTimeout(() => this.#start(), GATHER_MS);
  }

  #start(): void {
    clearTimeout(this.#gathering);
    this.#gathering = undefined;
    if (this.#running || !this.#hasWork()) return;
    this.#running = true;
    setImmediate(() => void this.#run());
  }

  #hasWork(): boolean {
    return (this.#queue.length > 0 && !this.#retry) || this.#syncDue || this.#closers.length > 0;
  }

  async #run(): Promise<void> {
    try {
      while (this.#hasWork()) await this.#step();
    } catch (error) {
      this.#reporter.failure(error);
    }
    this.#running = false;
    this.#start();
  }

  async #step(): Promise<void> {
    const [batch] = this.#queue;
    if (this.#closers.length > 0) await this.#closeLater();
    else if (this.#syncDue) await this.#syncLater();
    else if (batch) await this.#writeLater(batch);
  }

  async #later<T>(steps: Steps<T>): Promise<T> {
    this.#underWay = true;
    try {
      return await runLater(steps, this.#fs);
    } finally {
      this.#underWay = false;
    }
  }

  async #closeLater(): Promise<void> {
    const closers = this.#closers;
    this.#closers = [];
    if (this.#unsynced) await this.#syncLater();
    await this.#later(this.#file.close());
    for (const closed of closers) closed();
  }

  async #writeLater(batch: Batch): Promise<void> {
    const takeovers = this.#takeovers;
    batch.sealed = true;
    try {
      const bytes = await this.#later(this.#file.append(batch));
      this.#unsynced = this.#options.durability !== 'os';
      if (this.#options.durability === 'fsync') await this.#syncLater();
      if (takeovers === this.#takeovers) this.#account(batch, bytes);
    } catch (error) {
      if (takeovers === this.#takeovers) this.#retryAfter(error);
    }
  }

  async #syncLater(): Promise<void> {
    this.#syncDue = this.#unsynced = false;
    try {
      await this.#later(this.#file.sync());
    } catch (error) {
      this.#reporter.failure(error);
    }
  }

  #retryAfter(error: unknown): void {
    this.#reporter.failure(error);
    this.#drop(this.#queue.filter((batch) => batch.number <= this.#givenUp));
    const [patient, hasty] = partition(this.#waiters, (waiter) => waiter.patient);
    this.#waiters = patient;
    for (const waiter of hasty) waiter.done(false);
    if (this.#queue.length === 0) return;
    const waited = patient.length > 0;
    const delay = Math.min(FIRST_RETRY_MS * 2 ** this.#failures++, waited ? HURRIED_RETRY_MS : LAST_RETRY_MS);
    this.#retry = setTimeout(() => this.#hurry(), delay);
    // A process that has nothing else to do may end: its last lines are tried once more then.
    if (!waited) this.#retry.unref();
  }

  /** @throws when the write was short. */
  #account(batch: Batch, bytes: number): void {
    const whole = batch.bytes;
    const lines = batch.consume(bytes);
    const taken = whole - batch.bytes;
    this.written += lines;
    this.bytes += taken;
    this.#take(lines, taken);
    if (batch.lines > 0) throw new ShortWrite(bytes, whole);
    this.#failures = 0;
    this.#settle(batch);
    this.#syncSometime();
  }

  #take(lines: number, bytes: number): void {
    this.queued -= lines;
    this.queuedBytes -= bytes;
  }

  #settle(batch: Batch): void {
    batch.settled = true;
    this.#queue = this.#queue.filter((other) => other !== batch);
    if (batch.spare && this.#spares.length < SPARES) this.#spares.push(batch.spare);
    const next = this.#queue[0]?.number ?? Number.POSITIVE_INFINITY;
    const [done, waiting] = partition(this.#waiters, (waiter) => waiter.lastBatch < next);
    this.#waiters = waiting;
    for (const waiter of done) waiter.done(true);
  }

  #drop(batches: readonly Batch[]): void {
    let lines = 0;
    for (const batch of batches) {
      lines += batch.lines;
      this.#take(batch.lines, batch.bytes);
      this.#settle(batch);
    }
    if (lines === 0) return;
    this.lost += lines;
    this.#reporter.failure(new LostLines(lines, this.#reporter.lastError));
  }

  #syncSometime(): void {
    if (this.#options.durability !== 'interval' || this.#syncTimer) return;
    this.#syncTimer = setTimeout(() => {
      this.#syncTimer = undefined;
      this.#syncDue = this.#unsynced;
      this.#start();
    }, SYNC_INTERVAL_MS).unref();
  }

  flushNow(final: boolean): void {
    try {
      this.#takeOver();
      const until = performance.now() + this.#options.deadlineMs;
      while (this.#queue[0] && performance.now() < until) this.#writeNow(this.#queue[0]);
      if (this.#options.durability !== 'os') runNow(this.#file.sync(), this.#fs);
    } catch (error) {
      this.#reporter.failure(error);
    }
    if (final) this.#drop([...this.#queue]);
  }

  /** Takes the work from the run, whose call to the file system may be under way in a thread. */
  #takeOver(): void {
    if (!this.#underWay) return;
    this.#takeovers++;
    const batch = this.#file.writing;
    if (batch && !batch.settled) {
      batch.recyclable = false;
      if (this.#hasLanded()) this.#account(batch, batch.bytes);
    }
    this.#file.detach();
  }

  /** A write that is not seen to arrive is done again: a duplicate line is counted and harmless, a lost one is not. */
  #hasLanded(): boolean {
    const until = performance.now() + LANDING_MS;
    for (;;) {
      if (runNow(this.#file.landed(), this.#fs)) return true;
      if (performance.now() > until) return false;
      this.#fs.now.pause(1);
    }
  }

  #writeNow(batch: Batch): void {
    batch.sealed = true;
    const bytes = runNow(this.#file.append(batch), this.#fs);
    this.#account(batch, bytes);
  }

  #warnOfMode(path: string, mode: number): void {
    if (this.#warnedOfMode) return;
    this.#warnedOfMode = true;
    const warning = new Error(
      `others may read or write ${JSON.stringify(path)}, mode ${mode.toString(8)}: chmod 600 it, it may hold prompts`,
    );
    warning.name = 'LooseMode';
    this.#reporter.warning(warning);
  }
}

/** A disk that fills up gives a short count, not an error. */
class ShortWrite extends Error {
  override name = 'ShortWrite';
  constructor(written: number, length: number) {
    super(`short write: ${written} of ${length} bytes`);
  }
}

class CutInPlace extends Error {
  override name = 'CutInPlace';
  constructor(path: string) {
    super(
      `${JSON.stringify(path)} was cut in place (copytruncate?): lines written just before may be lost; rotate it by a rename`,
    );
  }
}

class LostLines extends Error {
  override name = 'LostLines';
  constructor(lines: number, cause: Error | null) {
    super(`${lines} ${lines === 1 ? 'record' : 'records'} lost${cause ? `: ${cause.message}` : ''}`, {
      cause,
    });
  }
}

function partition<T>(all: readonly T[], test: (one: T) => boolean): [T[], T[]] {
  return [all.filter(test), all.filter((one) => !test(one))];
}
