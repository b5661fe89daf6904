import { createWriteStream, rmSync } from 'node:fs';
import { type FileHandle, mkdtemp, open, symlink } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { LakelogError, messageOf } from '../errors.js';
import { Unreadable } from './input/index.js';
import type { LineSpan } from './lines.js';

/** A private folder for what cannot be read in place; gone when the run ends, by signal too. */
export interface Spool {
  readonly dir: string;
  /** Writes a stream to a 0600 file and returns its path. What is wrong with the stream is thrown as it is. */
  fromStream(stream: AsyncIterable<Uint8Array>): Promise<string>;
  /** A copy of a part of a file, whole lines of it, with `{}` in place of each given line; it ends in `\n`. */
  without(source: string, part: Part, lines: readonly LineSpan[]): Promise<string>;
  /** The same in pieces of about `bytes`, each a file that is there until the piece after the next is asked for. */
  pieces(
    source: string,
    part: Part,
    lines: readonly LineSpan[],
    bytes: number,
  ): AsyncGenerator<string, void, void>;
  /** A name that DuckDB does not take for a pattern. */
  plainName(source: string): Promise<string>;
  text(content: string): Promise<string>;
  remove(): void;
}

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'] as const;
const PATTERN_CHARACTERS = /[*?[\]{}]/;

export async function openSpool(env: Readonly<Record<string, string | undefined>>): Promise<Spool> {
  const parent = env.TMPDIR || os.tmpdir();
  const dir = await mkdtemp(path.join(parent, 'lakelog-')).catch((error) => {
    throw spoolError(error, parent);
  });
  let count = 0;
  const next = () => path.join(dir, `${count++}.jsonl`);
  const remove = () => rmSync(dir, { recursive: true, force: true });
  const onSignal = (signal: NodeJS.Signals) => {
    remove();
    process.kill(process.pid, signal);
  };
  process.once('exit', remove);
  for (const signal of SIGNALS) process.once(signal, onSignal);

  const fromStream = async (stream: AsyncIterable<Uint8Array>) => {
    const target = next();
    try {
      await pipeline(stream, createWriteStream(target, { mode: 0o600, flags: 'wx' }));
    } catch (error) {
      throw error instanceof Unreadable ? error : spoolError(error, dir);
    }
    return target;
  };

  return {
    dir,
    fromStream,
    without: async (source, part, lines) => {
      const target = next();
      await copyPart(source, target, part, lines).catch((error) => {
        throw spoolError(error, dir);
      });
      return target;
    },
    pieces: async function* (source, { from, to }, lines, bytes) {
      // DuckDB reads one while the other is written. A file that is written over keeps its memory, and however
      // large the log is, no more room is needed.
      const targets = [next(), next()];
      for (let at = from, turn = 0; at < to; turn ^= 1) {
        const end = await lineEnd(source, Math.min(at + bytes, to), to);
        const inside = lines.filter((line) => line.offset >= at && line.offset < end);
        await copyPart(source, targets[turn]!, { from: at, to: end }, inside).catch((error) => {
          throw spoolError(error, dir);
        });
        yield targets[turn]!;
        at = end;
      }
    },
    plainName: async (source) => {
      if (!PATTERN_CHARACTERS.test(source)) return source;
      const target = next();
      await symlink(source, target);
      return target;
    },
    text: async (content) => {
      const target = next();
      const out = await open(target, 'wx', 0o600);
      await out.writeFile(content);
      await out.close();
      return target;
    },
    remove: () => {
      process.off('exit', remove);
      for (const signal of SIGNALS) process.off(signal, onSignal);
      remove();
    },
  };
}

/** Bytes `from` up to `to`. */
export interface Part {
  readonly from: number;
  readonly to: number;
}

const PROBE = 64 << 10;

async function copyPart(
  source: string,
  target: string,
  part: Part,
  lines: readonly LineSpan[],
): Promise<void> {
  const out = await open(target, 'w', 0o600);
  try {
    const input = await open(source, 'r');
    try {
      const copy = copier(input, out);
      let from = part.from;
      for (const line of lines) {
        await copy(from, line.offset);
        await out.appendFile('{}');
        from = line.offset + line.length;
      }
      await copy(from, part.to);
    } finally {
      await input.close();
    }
    await out.appendFile('\n');
  } finally {
    await out.close();
  }
}

/** Where the line that holds the byte before `at` ends. */
async function lineEnd(source: string, at: number, size: number): Promise<number> {
  const input = await open(source, 'r');
  try {
    const probe = Buffer.allocUnsafe(PROBE);
    for (let from = at - 1; from < size; from += PROBE) {
      const { bytesRead } = await input.read(probe, 0, PROBE, from);
      const feed = probe.subarray(0, bytesRead).indexOf('\n');
      if (feed >= 0) return Math.min(from + feed + 1, size);
      if (bytesRead < PROBE) break;
    }
    return size;
  } finally {
    await input.close();
  }
}

/** Large writes: the kernel then keeps, and later frees, the copy in large pages, five times as fast. */
const CHUNK = 4 << 20;

/** Appends pieces of one file to another; the next piece is read while the last one is written. */
function copier(input: FileHandle, out: FileHandle): (from: number, to: number) => Promise<void> {
  const buffers = [Buffer.allocUnsafe(CHUNK), Buffer.allocUnsafe(CHUNK)] as const;
  return async (from, to) => {
    let writing: Promise<void> = Promise.resolve();
    try {
      for (let at = from, turn = 0; at < to; turn ^= 1) {
        const buffer = buffers[turn as 0 | 1];
        const { bytesRead } = await input.read(buffer, 0, Math.min(CHUNK, to - at), at);
        if (bytesRead === 0) throw new Error(`the file ends at byte ${at}`);
        await writing;
        writing = writeAll(out, buffer, bytesRead);
        // Its failure is heard at the next await, and must not be an unhandled one until then.
        writing.catch(() => {});
        at += bytesRead;
      }
    } finally {
      await writing;
    }
  };
}

async function writeAll(out: FileHandle, buffer: Buffer, length: number): Promise<void> {
  for (let done = 0; done < length; ) {
    done += (await out.write(buffer, done, length - done)).bytesWritten;
  }
}

function spoolError(error: unknown, dir: string): LakelogError {
  const full = (error as NodeJS.ErrnoException).code === 'ENOSPC';
  return new LakelogError(`cannot write temporary files: ${messageOf(error)}`, {
    where: dir,
    next: full
      ? 'free space there or set TMPDIR to a folder that has some'
      : 'set TMPDIR to a folder you can write to',
    cause: error,
  });
}
