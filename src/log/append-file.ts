import {
  type BigIntStats,
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  mkdirSync,
  openSync,
  readSync,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';

/** What the logger needs of node:fs, so that tests can hand it a full disk. */
export interface AppendFs {
  openSync(path: string, flags: number, mode?: number): number;
  closeSync(fd: number): void;
  writeSync(fd: number, buffer: Uint8Array): number;
  readSync(fd: number, buffer: Uint8Array, offset: number, length: number, position: bigint): number;
  fstatSync(fd: number, options: { bigint: true }): BigIntStats;
  lstatSync(path: string, options: { bigint: true; throwIfNoEntry: false }): BigIntStats | undefined;
  mkdirSync(path: string, options: { recursive: true; mode: number }): unknown;
}

const nodeFs: AppendFs = { openSync, closeSync, writeSync, readSync, fstatSync, lstatSync, mkdirSync };

// A FIFO without a reader would hang open(2) without O_NONBLOCK; a planted link would be followed without
// O_NOFOLLOW. Both are 0 where the platform has no such thing.
const SAFELY = (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0);
const APPEND = constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | SAFELY;
const LINE_FEED = 0x0a;

export interface AppendFile {
  /** Writes `text` and a terminating \n in one write(2). Throws when the line is not known to be complete. */
  appendLine(text: string): void;
  /** Releases the descriptor; the next line opens the file again. Throws nothing. */
  close(): void;
}

interface Open {
  readonly fd: number;
  readonly dev: bigint;
  readonly ino: bigint;
}

/**
 * A regular file that only ever grows by whole lines. One write(2) on an O_APPEND descriptor is not interleaved
 * with those of other processes on a local file system; Node's appendFile helpers split at 512 KiB.
 */
export function appendFile(path: string, fs: AppendFs = nodeFs): AppendFile {
  let open: Open | undefined;
  /** The file may end in half a line, which would swallow the next one. */
  let torn = false;
  let failed = false;

  function close(): void {
    if (!open) return;
    const { fd } = open;
    open = undefined;
    try {
      fs.closeSync(fd);
    } catch {
      // The descriptor is gone either way.
    }
  }

  function reopenIfMoved(): void {
    if (!open) return;
    try {
      const now = fs.lstatSync(path, { bigint: true, throwIfNoEntry: false });
      if (!now || now.dev !== open.dev || now.ino !== open.ino) close();
    } catch {
      // A folder that may no longer be searched says nothing about the descriptor.
    }
  }

  function openFile(): Open {
    const fd = openOrCreate();
    try {
      const stats = fs.fstatSync(fd, { bigint: true });
      if (!stats.isFile()) throw new Error(`not a regular file: ${JSON.stringify(path)}`);
      torn = stats.size > 0n && (failed || !endsWithLineFeed(stats));
      open = { fd, dev: stats.dev, ino: stats.ino };
      return open;
    } catch (error) {
      fs.closeSync(fd);
      throw error;
    }
  }

  function openOrCreate(): number {
    try {
      return fs.openSync(path, APPEND, 0o600);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
      fs.mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
      return fs.openSync(path, APPEND, 0o600);
    }
  }

  /** A file that may be written but not read counts as torn: a blank line is harmless, a glued one is lost. */
  function endsWithLineFeed(opened: BigIntStats): boolean {
    let fd: number | undefined;
    try {
      fd = fs.openSync(path, constants.O_RDONLY | SAFELY);
      const { dev, ino } = fs.fstatSync(fd, { bigint: true });
      const last = new Uint8Array(1);
      return (
        dev === opened.dev &&
        ino === opened.ino &&
        fs.readSync(fd, last, 0, 1, opened.size - 1n) === 1 &&
        last[0] === LINE_FEED
      );
    } catch {
      return false;
    } finally {
      if (fd !== undefined) fs.closeSync(fd);
    }
  }

  return {
    appendLine(text) {
      reopenIfMoved();
      const { fd } = open ?? openFile();
      const bytes = Buffer.from(`${torn ? '\n' : ''}${text}\n`);
      failed = torn = true;
      try {
        const written = fs.writeSync(fd, bytes);
        // A disk that fills up gives a short count, not an error.
        if (written !== bytes.length) {
          throw new Error(`short write: ${written} of ${bytes.length} bytes to ${JSON.stringify(path)}`);
        }
      } catch (error) {
        close();
        throw error;
      }
      failed = torn = false;
    },
    close,
  };
}
