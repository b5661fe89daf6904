import { type ChildProcess, spawn } from 'node:child_process';
import type { Readable } from 'node:stream';
import { adviceFor, LakelogError } from '../errors.js';
import { memoryLimit } from '../lake/duckdb/memory.js';
import type { Result } from '../schema/result.js';
import { openTempFolder } from '../temp-folder.js';
import { type BoxAbout, type BoxJob, type BoxMessage, type BoxStatement, BYTES_FD } from './box-protocol.js';

/** A cluster that hears nothing of a cancelled statement in this time does not hear of it. */
const GRACE_MS = 4_000;

export interface BoxOptions {
  /** For checking and running the SQL; loading the logs is not on the clock. */
  readonly timeoutMs: number;
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
  /**
   * Takes what the job streams to the pipe, and says whether more is wanted; while its reader is slow, the clock
   * stands.
   */
  readonly onBytes?: ((bytes: Uint8Array, about: BoxAbout) => Promise<boolean>) | undefined;
}

export interface BoxAnswer {
  readonly about: BoxAbout;
  readonly rows: Result['rows'];
  readonly truncated: boolean;
}

/** A process that waits for a job; whoever opened it ends it. */
export interface BoxProcess {
  /** @throws LakelogError (exit 2) for bad SQL, a time-out, too much memory or a crash. */
  ask(job: BoxJob, options: BoxOptions): Promise<BoxAnswer>;
  /** The same of one that stays, and of a statement to it: it waits for the next. */
  talk(job: BoxJob | BoxStatement, options: BoxOptions): Promise<BoxAnswer>;
  /** It was stopped, or broke down; all that it had loaded is gone. */
  readonly isGone: boolean;
  end(): Promise<void>;
}

/**
 * Starts the process in which somebody's own SQL runs: DuckDB's interrupt does not stop a long scalar call, only
 * SIGKILL does, and what DuckDB prints to stdout must not reach ours.
 * @param program the bundle of src/box.ts.
 * @param readsStdin an input may be `-`.
 */
export async function openBox(
  program: string,
  io: { readonly env: Readonly<Record<string, string | undefined>>; readonly cwd: string },
  readsStdin: boolean,
): Promise<BoxProcess> {
  // The child may be killed, so its temporary files live in a folder that this process removes.
  const spill = openTempFolder(io.env);
  const child = spawn(process.execPath, [program], {
    cwd: io.cwd,
    env: {
      ...io.env,
      ...(spill.dir === null ? {} : { TMPDIR: spill.dir }),
      LAKELOG_BOX_RSS: String(2 * bytesOf(memoryLimit(io.env.LAKELOG_MEMORY_LIMIT))),
    },
    stdio: [readsStdin ? 'inherit' : 'ignore', 'ignore', 'pipe', 'ipc', 'pipe'],
  });
  // A child that never began has the pid 0, and the signal would go to our own process group.
  const die = () => child.pid !== undefined && child.kill('SIGKILL');
  process.once('exit', die);
  // That it cannot be started is told to who asks.
  let unable: Error | undefined;
  const refused = new Promise<void>((resolve) => {
    child.on('error', (error) => {
      unable = error;
      resolve();
    });
  });
  if (child.pid === undefined) await refused;
  const talk = (job: BoxJob | BoxStatement, options: BoxOptions) =>
    unable ? Promise.reject(unable) : conversation(child, job, options);
  return {
    // However it went, it has nothing left to do, and its files are removed here.
    ask: (job, options) => talk(job, options).finally(die),
    talk,
    get isGone() {
      return child.killed || hasEnded(child);
    },
    end: async () => {
      process.off('exit', die);
      die();
      await gone(child);
      spill.remove();
    },
  };
}

function conversation(
  child: ChildProcess,
  job: BoxJob | BoxStatement,
  options: BoxOptions,
): Promise<BoxAnswer> {
  let hangUp = () => {};
  return new Promise<BoxAnswer>((resolve, reject) => {
    const rows: Result['rows'][number][] = [];
    let isStopped = false;
    const clock = stopClock(options.timeoutMs, () => {
      isStopped = true;
      void stopped(child).then(() => reject(tookLonger(options.timeoutMs, job.where)));
    });
    let tell: (about: BoxAbout) => void = () => {};
    const answer = new Promise<BoxAbout>((resolve) => {
      tell = resolve;
    });
    const bytes = passOn(child.stdio?.[BYTES_FD] as Readable | undefined, answer, options.onBytes, clock);
    // Who waits for its end hears of it, and else what became of the process says more.
    bytes.catch(() => {});
    let [isDone, complaint] = [false, ''];
    const onComplaint = (text: string) => {
      complaint = (complaint + text).slice(-2_000);
    };
    const onMessage = (message: BoxMessage) => {
      // That what it waits for was cancelled is no news.
      if (isStopped) return;
      switch (message.say) {
        case 'phase':
          if (message.phase === 'loading') clock.reset();
          else clock.start();
          break;
        case 'progress':
          options.onProgress?.(message.done, message.total);
          break;
        case 'rows':
          for (const row of message.rows) rows.push(row);
          break;
        case 'answer':
          tell(message.about);
          break;
        case 'done': {
          clock.reset();
          isDone = true;
          const { truncated } = message;
          Promise.all([answer, bytes]).then(([about]) => resolve({ about, rows, truncated }), reject);
          break;
        }
        case 'failed': {
          clock.reset();
          const { message: what, ...parts } = message.failure;
          reject(new LakelogError(what, parts));
        }
      }
    };
    const lost = (how: string) => {
      if (isDone || isStopped) return;
      clock.reset();
      reject(endedEarly(how, complaint, job.where));
    };
    const onError = (error: NodeJS.ErrnoException) => {
      // It was gone before it heard what to do, and how it ended says more.
      if (error.code !== 'EPIPE' && error.code !== 'ECONNRESET') reject(error);
    };
    const onClose = (code: number | null, signal: string | null) => lost(signal ?? `exit code ${code}`);
    child.stderr?.setEncoding('utf8').on('data', onComplaint);
    // Not at its exit: what it wrote may still be on the way.
    child.on('message', onMessage).on('error', onError).once('close', onClose);
    hangUp = () => {
      child.off('message', onMessage).off('error', onError).off('close', onClose);
      child.stderr?.off('data', onComplaint);
    };
    if (hasEnded(child)) lost(howEnded(child));
    else child.send(job);
  }).finally(() => hangUp());
}

const tookLonger = (ms: number, where: string) =>
  new LakelogError(`the query took longer than ${ms / 1_000} s and was stopped`, {
    where,
    next: 'narrow it with a WHERE or the filters, or give it more time: --timeout 5m',
  });

/** Asked to end, so that what runs for it elsewhere ends too; killed where it does not. */
async function stopped(child: ChildProcess): Promise<void> {
  const timer = setTimeout(() => child.kill('SIGKILL'), GRACE_MS);
  child.kill('SIGTERM');
  await gone(child);
  clearTimeout(timer);
}

const howEnded = ({ signalCode, exitCode }: ChildProcess) =>
  signalCode ?? (exitCode === null ? 'it cannot be started' : `exit code ${exitCode}`);

/** @param complaint what it wrote to stderr, as Node prints what nobody caught: a limit of the system, a binding that cannot be loaded. */
function endedEarly(how: string, complaint: string, where: string): LakelogError {
  const advice = adviceFor(/^\w*Error\b.*?: (.*)$/m.exec(complaint)?.[1]);
  if (advice !== null) return new LakelogError(advice.what, advice);
  return new LakelogError(`the process that ran the query ended early (${how})`, {
    where,
    next: 'make the query smaller; if it is small already, report it with the SQL',
    ...(complaint.trim() === '' ? {} : { detail: complaint.trim().split('\n').slice(-3).join('\n') }),
  });
}

interface StopClock {
  /** From the beginning. */
  start(): void;
  reset(): void;
  pause(): void;
  goOn(): void;
}

function stopClock(ms: number, onEnd: () => void): StopClock {
  let timer: NodeJS.Timeout | undefined;
  let [left, since, runs] = [ms, 0, false];
  const run = () => {
    since = performance.now();
    timer = setTimeout(onEnd, left);
  };
  return {
    start() {
      clearTimeout(timer);
      [left, runs] = [ms, true];
      run();
    },
    reset() {
      clearTimeout(timer);
      runs = false;
    },
    pause() {
      clearTimeout(timer);
      left -= performance.now() - since;
    },
    goOn() {
      if (runs) run();
    },
  };
}

async function passOn(
  from: Readable | undefined,
  answer: Promise<BoxAbout>,
  to: BoxOptions['onBytes'],
  clock: StopClock,
): Promise<void> {
  if (from === undefined || to === undefined) return;
  for await (const bytes of from) {
    clock.pause();
    const goesOn = await to(bytes as Uint8Array, await answer);
    clock.goOn();
    if (!goesOn) return;
  }
}

async function gone(child: ChildProcess): Promise<void> {
  if (!hasEnded(child)) await new Promise((resolve) => child.once('exit', resolve));
}

/** Or never began. */
function hasEnded(child: ChildProcess): boolean {
  return child.pid === undefined || child.exitCode !== null || child.signalCode !== null;
}

function bytesOf(limit: string): number {
  const [, count = '1', unit = 'GB'] = /^([\d.]+)\s*(\w+)$/.exec(limit) ?? [];
  const base = unit.includes('i') ? 1024 : 1000;
  return Number(count) * base ** ('KMGT'.indexOf(unit[0]!.toUpperCase()) + 1);
}
