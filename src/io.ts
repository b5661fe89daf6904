import { fstatSync, writeSync } from 'node:fs';
import type { Readable } from 'node:stream';
import { isatty } from 'node:tty';

export interface OutStream {
  readonly isTTY: boolean;
  /** Columns of the terminal; undefined where it is none. */
  readonly columns: number | undefined;
  /** Resolves when the reader took the text, or went away. */
  write(text: string | Uint8Array): Promise<void>;
  /** The reader went away: what is written to it is lost, and nobody misses it. */
  readonly hasLeft?: boolean;
  /** What kept something from being written; a reader that left is no failure. */
  readonly failure?: Error | null;
}

/** All contact with the outside arrives here, so that a test can stand in for the process. */
export interface Io {
  readonly stdin: Readable & { readonly isTTY?: boolean };
  readonly stdout: OutStream;
  readonly stderr: OutStream;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  now(): Date;
}

/** A stream of the process, which remembers what it could not write: no write ever throws. */
export interface ProcessStream extends OutStream {
  readonly failure: Error | null;
}

/**
 * `process.exit()` right after a large write to a pipe truncates it, so nobody exits: the exit code is set and Node
 * drains. A reader that left (EPIPE, `| head -1`) ends the output quietly.
 */
export function outStream(fd: 1 | 2): ProcessStream {
  const isTTY = isatty(fd);
  const stats = fstatSync(fd);
  const write = isTTY || stats.isFIFO() || stats.isSocket() ? writeStream(fd) : writeFile(fd);
  let gone = false;
  let failure: Error | null = null;
  return {
    isTTY,
    columns: isTTY ? nodeStream(fd).columns : undefined,
    get failure() {
      return failure;
    },
    get hasLeft() {
      return gone;
    },
    async write(text) {
      if (gone || text.length === 0) return;
      const error = await write(text).catch((error: NodeJS.ErrnoException) => error);
      if (error === undefined) return;
      gone = error.code === 'EPIPE' || error.code === 'ECONNRESET';
      if (!gone) failure ??= error;
    },
  };
}

type Write = (text: string | Uint8Array) => Promise<NodeJS.ErrnoException | undefined>;

const nodeStream = (fd: 1 | 2) => (fd === 1 ? process.stdout : process.stderr);

/** Node waits for a pipe without holding up anything else, signals least of all. */
function writeStream(fd: 1 | 2): Write {
  const stream = nodeStream(fd);
  // Each write hears of its own.
  stream.on('error', () => {});
  return (text) => new Promise((resolve) => stream.write(text, (error) => resolve(error ?? undefined)));
}

/** Node's own stream for files takes a part that was written (the disk is full) for the whole. */
function writeFile(fd: 1 | 2): Write {
  return async (text) => {
    const bytes = typeof text === 'string' ? Buffer.from(text) : text;
    for (let at = 0; at < bytes.length; ) at += writeSync(fd, bytes, at);
    return undefined;
  };
}

export interface ProcessIo extends Io {
  readonly stdout: ProcessStream;
  readonly stderr: ProcessStream;
}

export function processIo(): ProcessIo {
  return {
    get stdin() {
      return process.stdin;
    },
    stdout: outStream(1),
    stderr: outStream(2),
    env: process.env,
    /** @throws in a folder that was deleted, for who needs it. */
    get cwd() {
      return process.cwd();
    },
    now: () => new Date(),
  };
}

export interface StreamStyle {
  readonly color: boolean;
  readonly width: number | null;
  readonly ascii: boolean;
}

export function styleOf(stream: OutStream, env: Io['env']): StreamStyle {
  return {
    color: hasColor(stream, env),
    width: stream.isTTY ? (stream.columns ?? 80) : null,
    ascii: isAscii(env),
  };
}

/**
 * Who wants none wins: NO_COLOR (which --no-color sets), then who wants it even in a pipe, then the terminal.
 * https://no-color.org, https://force-color.org, https://bixense.com/clicolors
 */
function hasColor(stream: OutStream, env: Io['env']): boolean {
  if (env.NO_COLOR) return false;
  if (env.FORCE_COLOR) return env.FORCE_COLOR !== '0' && env.FORCE_COLOR !== 'false';
  if (env.CLICOLOR_FORCE && env.CLICOLOR_FORCE !== '0') return true;
  return stream.isTTY && env.TERM !== 'dumb' && env.CLICOLOR !== '0';
}

/**
 * Whether the locale names another encoding than UTF-8, in the order of setlocale(3). No locale at all says nothing:
 * containers, cron and CI have none, and are read as UTF-8 all the same (https://peps.python.org/pep-0538).
 */
function isAscii(env: Io['env']): boolean {
  const locale = env.LC_ALL || env.LC_CTYPE || env.LANG || 'UTF-8';
  return !/utf-?8/i.test(locale);
}

/** The same process for who asked for no colour. */
export function withoutColor(io: Io): Io {
  return Object.create(io, { env: { value: { ...io.env, NO_COLOR: '1' } } }) as Io;
}
