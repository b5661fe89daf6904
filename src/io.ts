import type { Readable } from 'node:stream';

export interface OutStream {
  readonly isTTY: boolean;
  /** Columns of the terminal; undefined where it is none. */
  readonly columns: number | undefined;
  /** Resolves when the reader took the text, or went away. */
  write(text: string): Promise<void>;
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

/**
 * Wraps a stream of the process. `process.exit()` right after a large write to a pipe truncates it, so nobody
 * exits: the exit code is set and Node drains. A reader that left (EPIPE, `| head -1`) ends the output quietly.
 */
export function outStream(stream: NodeJS.WriteStream): OutStream {
  let gone = false;
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    gone = true;
  });
  return {
    isTTY: stream.isTTY === true,
    columns: stream.columns,
    write: (text) =>
      new Promise((resolve) => {
        if (gone || text === '') return resolve();
        stream.write(text, () => resolve());
      }),
  };
}

export function processIo(): Io {
  return {
    stdin: process.stdin,
    stdout: outStream(process.stdout),
    stderr: outStream(process.stderr),
    env: process.env,
    cwd: process.cwd(),
    now: () => new Date(),
  };
}

/**
 * What nobody caught is told on stderr and ends the process with `exitCode`, which is also how it ends until it is
 * set to something else: Node's own exit code for it is 1, and that only a fired gate may use.
 *
 * @returns what is done then, for a failure that was caught.
 */
export function onFailure(exitCode: number, describe: (error: unknown) => string): (error: unknown) => void {
  const fail = (error: unknown) => {
    process.exitCode = exitCode;
    process.stderr.write(describe(error), () => process.exit(exitCode));
  };
  process.on('uncaughtException', fail);
  process.on('unhandledRejection', fail);
  process.exitCode = exitCode;
  return fail;
}

/** NO_COLOR and FORCE_COLOR as their conventions have it (no-color.org, force-color.org); TERM=dumb has none. */
export function styleOf(stream: OutStream, env: Io['env']): { color: boolean; width: number | null } {
  const forced =
    env.FORCE_COLOR !== undefined &&
    env.FORCE_COLOR !== '' &&
    env.FORCE_COLOR !== '0' &&
    env.FORCE_COLOR !== 'false';
  const able = stream.isTTY && env.TERM !== 'dumb' && env.FORCE_COLOR !== '0' && env.FORCE_COLOR !== 'false';
  const color = !env.NO_COLOR && (forced || able);
  return { color, width: stream.isTTY ? (stream.columns ?? 80) : null };
}
