import {
  type BigIntStats,
  close,
  closeSync,
  fstat,
  fstatSync,
  fsync,
  fsyncSync,
  lstat,
  lstatSync,
  mkdir,
  mkdirSync,
  open,
  openSync,
  read,
  readSync,
  write,
  writeSync,
} from 'node:fs';

/** What the logger needs of a file system. */
export interface FileCalls {
  open(path: string, flags: number, mode: number): number;
  close(fd: number): void;
  /** Bytes written, which may be fewer than asked for. */
  write(fd: number, buffer: Uint8Array, offset: number, length: number): number;
  /** Bytes read into the whole of `buffer`. */
  read(fd: number, buffer: Uint8Array, position: bigint): number;
  fsync(fd: number): void;
  fstat(fd: number): BigIntStats;
  /** Undefined where there is no such file. */
  lstat(path: string): BigIntStats | undefined;
  mkdir(path: string, mode: number): void;
  /** Milliseconds between two tries. */
  pause(ms: number): void;
}

type Promised<T> = {
  [K in keyof T]: T[K] extends (...args: infer A) => infer R ? (...args: A) => Promise<R> : never;
};

/** The same calls twice: the host's event loop waits for none of `later`; `now` is for the process's last moment. */
export interface FileSystem {
  readonly now: FileCalls;
  readonly later: Promised<FileCalls>;
}

type Callback<T> = (error: NodeJS.ErrnoException | null, result: T) => void;

function promised<T>(call: (done: Callback<T>) => void): Promise<T> {
  return new Promise((resolve, reject) => {
    call((error, result) => (error ? reject(error) : resolve(result)));
  });
}

const cell = new Int32Array(new SharedArrayBuffer(4));

/** node:fs. Its promise API is not used: a FileHandle closes itself when collected, and appendFile splits lines. */
export const nodeFileSystem: FileSystem = {
  now: {
    open: openSync,
    close: closeSync,
    write: (fd, buffer, offset, length) => writeSync(fd, buffer, offset, length),
    read: (fd, buffer, position) => readSync(fd, buffer, 0, buffer.length, position),
    fsync: fsyncSync,
    fstat: (fd) => fstatSync(fd, { bigint: true }),
    lstat: (path) => lstatSync(path, { bigint: true, throwIfNoEntry: false }),
    mkdir: (path, mode) => void mkdirSync(path, { recursive: true, mode }),
    pause: (ms) => void Atomics.wait(cell, 0, 0, ms),
  },
  later: {
    open: (path, flags, mode) => promised((done) => open(path, flags, mode, done)),
    close: (fd) => promised((done) => close(fd, (error) => done(error ?? null, undefined))),
    write: (fd, buffer, offset, length) => promised((done) => write(fd, buffer, offset, length, null, done)),
    read: (fd, buffer, position) =>
      promised((done) => read(fd, buffer, 0, buffer.length, position, (error, bytes) => done(error, bytes))),
    fsync: (fd) => promised((done) => fsync(fd, (error) => done(error ?? null, undefined))),
    fstat: (fd) => promised((done) => fstat(fd, { bigint: true }, done)),
    lstat: (path) =>
      promised((done) =>
        lstat(path, { bigint: true }, (error, stats) =>
          error?.code === 'ENOENT' ? done(null, undefined) : done(error, stats),
        ),
      ),
    mkdir: (path, mode) =>
      promised((done) => mkdir(path, { recursive: true, mode }, (error) => done(error, undefined))),
    pause: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
  },
};

type Call = { [K in keyof FileCalls]: { name: K; args: Parameters<FileCalls[K]> } }[keyof FileCalls];

/** A piece of work on files that can be run either way, so that there is one algorithm for both. */
export type Steps<T> = Generator<Call, T, unknown>;

export function* call<K extends keyof FileCalls>(
  name: K,
  ...args: Parameters<FileCalls[K]>
): Steps<ReturnType<FileCalls[K]>> {
  return (yield { name, args } as Call) as ReturnType<FileCalls[K]>;
}

export function runNow<T>(steps: Steps<T>, { now }: FileSystem): T {
  let step = steps.next();
  while (!step.done) {
    let result: unknown;
    try {
      result = invoke(now, step.value);
    } catch (error) {
      step = steps.throw(error);
      continue;
    }
    step = steps.next(result);
  }
  return step.value;
}

export async function runLater<T>(steps: Steps<T>, { later }: FileSystem): Promise<T> {
  let step = steps.next();
  while (!step.done) {
    let result: unknown;
    try {
      result = await invoke(later, step.value);
    } catch (error) {
      step = steps.throw(error);
      continue;
    }
    step = steps.next(result);
  }
  return step.value;
}

function invoke(fs: FileCalls | Promised<FileCalls>, { name, args }: Call): unknown {
  return (fs[name] as (...args: unknown[]) => unknown)(...args);
}
