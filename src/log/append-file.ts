import { type BigIntStats, constants } from 'node:fs';
import { dirname } from 'node:path';
import type { Batch } from './batch.js';
import { call, type Steps } from './file-system.js';

// A FIFO without a reader would hang open(2) without O_NONBLOCK; a planted link would be followed without
// O_NOFOLLOW. Both are 0 where the platform has no such thing.
const SAFELY = (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0);
const APPEND = constants.O_APPEND | constants.O_CREAT | SAFELY;
const LINE_FEED = 0x0a;

/** Tries of a write that was told to come again. */
const TRIES = 10;
const LONGEST_PAUSE_MS = 20;

/** Tries of a write whose file is moved away each time. */
const MOVES = 3;

/** Looks at the end of a file that others write to. */
const LOOKS = 3;

/** How far behind the end other processes may have pushed a write that is looked for. */
const LOOK_BACK_BYTES = 1024 * 1024;

interface Open {
  readonly fd: number;
  readonly readable: boolean;
  readonly dev: bigint;
  readonly ino: bigint;
  /** Size at which the file is known to end with a line feed. */
  cleanAt: bigint;
}

/** What an owner learns of a file as it is opened. */
export interface AppendFileEvents {
  opened(): void;
  /** The file was there before and others than its owner may read or write it. */
  loose(mode: number): void;
  /** The file became shorter under us: who rotates by copying cuts off what was written since the copy. */
  cut(): void;
}

/**
 * A regular file that only ever grows by whole lines. One write(2) on an O_APPEND descriptor is not interleaved
 * with those of other processes on a local file system; Node's appendFile helpers split at 512 KiB.
 */
export class AppendFile {
  readonly #path: string;
  readonly #events: AppendFileEvents;
  #open: Open | undefined;
  /** Our last write may have left half a line, which would swallow the next one. */
  #torn = false;
  /** The descriptor is to be replaced although nothing moved. */
  #stale = false;
  #writes = 0;
  #writing: Batch | undefined;

  constructor(path: string, events: AppendFileEvents) {
    this.#path = path;
    this.#events = events;
  }

  /** The batch whose write(2) was started, and of which it is not known that it is done. */
  get writing(): Batch | undefined {
    return this.#writing;
  }

  /** Lets the next write open the file anew. */
  reopen(): void {
    this.#stale = true;
  }

  /**
   * Writes the waiting lines of a batch in one write(2); again where the file was moved meanwhile, since whoever moved
   * it may have read it to its end already. Lines that stand in both files are counted once by readers.
   *
   * @returns how many of their bytes are in the file: fewer than all when the disk filled up.
   * @throws when none is known to be.
   */
  *append(batch: Batch): Steps<number> {
    for (let tries = 1; ; tries++) {
      try {
        const written = yield* this.#appendOnce(batch);
        if (written < batch.bytes || tries === MOVES || (yield* this.#isInPlace(batch))) return written;
      } finally {
        if (this.#writing === batch) this.#writing = undefined;
      }
    }
  }

  *#appendOnce(batch: Batch): Steps<number> {
    const size = yield* this.#sizeOfSameFile();
    this.#noticeCut(size);
    const open = this.#open ?? (yield* this.#openFile());
    try {
      const end = size ?? (yield* call('fstat', open.fd)).size;
      const lead = (yield* this.#endsInLine(open, end)) ? 0 : 1;
      if (batch.settled || this.#open !== open) return 0;
      return yield* this.#write(batch, open, lead, end);
    } catch (error) {
      if (this.#open === open) this.#open = undefined;
      throw error;
    } finally {
      if (this.#open !== open) yield* closeQuietly(open.fd);
    }
  }

  /** Whether what was just written is where it is looked for, or nobody knows better. */
  *#isInPlace(batch: Batch): Steps<boolean> {
    const open = this.#open;
    if (!open || batch.settled) return true;
    try {
      const now = yield* call('lstat', this.#path);
      return (now !== undefined && isSame(now, open)) || batch.settled || this.#open !== open;
    } catch {
      return true;
    }
  }

  *#write(batch: Batch, open: Open, lead: number, end: bigint): Steps<number> {
    const length = batch.bytes + lead;
    const write = ++this.#writes;
    this.#torn = true;
    this.#writing = batch;
    const written = yield* patiently('write', open.fd, batch.buffer, batch.start - lead, length);
    // A write that was started meanwhile decides how the file ends.
    if (written === length && write === this.#writes) {
      this.#torn = false;
      open.cleanAt = end + BigInt(length);
    }
    return Math.max(0, written - lead);
  }

  /** Whether the write that has not come back is complete in the file. */
  *landed(): Steps<boolean> {
    const batch = this.#writing;
    const open = this.#open;
    if (!batch || !open?.readable) return false;
    const { size } = yield* call('fstat', open.fd);
    const length = Math.min(Number(size), batch.bytes + LOOK_BACK_BYTES);
    const tail = Buffer.allocUnsafe(length);
    const bytes = yield* call('read', open.fd, tail, size - BigInt(length));
    const landed = tail.subarray(0, bytes).includes(batch.text);
    if (landed) this.#torn = false;
    return landed;
  }

  /**
   * Leaves the descriptor to the steps that are still under way with it, which close it in the end. Closing it
   * under them could let their write go to whatever got its number next.
   */
  detach(): void {
    this.#open = undefined;
  }

  /** Asks the disk to keep what was written. */
  *sync(): Steps<void> {
    const open = this.#open;
    if (!open) return;
    try {
      yield* call('fsync', open.fd);
    } finally {
      if (this.#open !== open) yield* closeQuietly(open.fd);
    }
  }

  /** Releases the descriptor; the next write opens the file again. Throws nothing. */
  *close(): Steps<void> {
    const open = this.#open;
    this.#open = undefined;
    if (open) yield* closeQuietly(open.fd);
  }

  /** Closes a file that was deleted, renamed or replaced. Size of the one that is still in place, else null. */
  *#sizeOfSameFile(): Steps<bigint | null> {
    const open = this.#open;
    if (!open) return null;
    if (this.#stale) {
      yield* this.close();
      return null;
    }
    try {
      const now = yield* call('lstat', this.#path);
      if (now && isSame(now, open)) return now.size;
      yield* this.close();
    } catch {
      // A folder that may no longer be searched says nothing about the descriptor.
    }
    return null;
  }

  #noticeCut(size: bigint | null): void {
    if (size === null || !this.#open || size >= this.#open.cleanAt) return;
    this.#open.cleanAt = 0n;
    this.#events.cut();
  }

  /** A file that may be written but not read counts as torn: a blank line is harmless, a glued one is lost. */
  *#endsInLine(open: Open, size: bigint): Steps<boolean> {
    if (size === 0n) return true;
    if (this.#torn || !open.readable) return false;
    if (size === open.cleanAt) return true;
    try {
      // The size grows while another process is writing, and half a line is seen that is none.
      for (let looks = 1, at = size; ; looks++) {
        const last = new Uint8Array(1);
        if ((yield* call('read', open.fd, last, at - 1n)) === 1 && last[0] === LINE_FEED) return true;
        if (looks === LOOKS) return false;
        yield* call('pause', 1);
        at = (yield* call('fstat', open.fd)).size;
        if (at === 0n) return true;
      }
    } catch {
      return false;
    }
  }

  *#openFile(): Steps<Open> {
    this.#stale = false;
    const { fd, readable } = yield* this.#openOrCreate();
    let stats: BigIntStats;
    try {
      stats = yield* call('fstat', fd);
      if (!stats.isFile()) throw new Error(`not a regular file: ${JSON.stringify(this.#path)}`);
    } catch (error) {
      yield* closeQuietly(fd);
      throw error;
    }
    const opened = { fd, readable, dev: stats.dev, ino: stats.ino, cleanAt: 0n };
    if (this.#open) {
      // The process's end came while this one was being opened, and was survived.
      yield* closeQuietly(fd);
      return this.#open;
    }
    this.#open = opened;
    this.#events.opened();
    const mode = Number(stats.mode) & 0o777;
    if ((mode & 0o077) !== 0 && process.platform !== 'win32') this.#events.loose(mode);
    return opened;
  }

  *#openOrCreate(): Steps<{ fd: number; readable: boolean }> {
    try {
      return yield* this.#openReadable();
    } catch (error) {
      if (codeOf(error) !== 'ENOENT') throw error;
      yield* call('mkdir', dirname(this.#path), 0o700);
      return yield* this.#openReadable();
    }
  }

  *#openReadable(): Steps<{ fd: number; readable: boolean }> {
    try {
      return { fd: yield* call('open', this.#path, constants.O_RDWR | APPEND, 0o600), readable: true };
    } catch (error) {
      if (codeOf(error) !== 'EACCES') throw error;
      return { fd: yield* call('open', this.#path, constants.O_WRONLY | APPEND, 0o600), readable: false };
    }
  }
}

/** write(2), again after EAGAIN and EINTR, which mean that nothing was written. */
function* patiently(...args: ['write', number, Uint8Array, number, number]): Steps<number> {
  for (let tries = 1; ; tries++) {
    try {
      return yield* call(...args);
    } catch (error) {
      const code = codeOf(error);
      if ((code !== 'EAGAIN' && code !== 'EINTR') || tries === TRIES) throw error;
      yield* call('pause', Math.min(2 ** tries, LONGEST_PAUSE_MS));
    }
  }
}

function* closeQuietly(fd: number): Steps<void> {
  try {
    yield* call('close', fd);
  } catch {
    // The descriptor is gone either way.
  }
}

function isSame({ dev, ino, nlink }: BigIntStats, open: Open): boolean {
  return dev === open.dev && ino === open.ino && nlink > 0n;
}

function codeOf(error: unknown): unknown {
  return (error as NodeJS.ErrnoException | null | undefined)?.code;
}
