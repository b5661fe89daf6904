/** What the files that were found hold beyond what the lake has, and what became of the logs that it knows. */
import { createReadStream, readSync } from 'node:fs';
import path from 'node:path';
import type { Readable } from 'node:stream';
import { LakelogError } from '../../errors.js';
import { instantOf } from '../../instant.js';
import { kernelPath } from '../../kernel-path.js';
import type { InputProblem } from '../../schema/result.js';
import {
  type InputRequest,
  identityOf,
  isRotatedName,
  openInput,
  problemOf,
  type SourceFile,
  statOf,
  whileReading,
} from '../input/index.js';
import {
  type Compared,
  compare,
  isSame,
  NOTHING_READ,
  START_BYTES,
  sha256,
  startLength,
} from './fingerprint.js';
import type { KnownLog, LogState, Piece } from './logs.js';
import { isBelow, isSamePath } from './unread.js';

/** Bytes of a file that the lake does not have. */
export interface Task {
  readonly file: SourceFile;
  /** Null for one that the lake did not know. */
  readonly log: KnownLog | null;
  readonly form: KnownLog['form'];
  readonly request: string;
  /** Where they begin, and where the last whole line of them ends; bytes of a stream are as many as come. */
  readonly from: number;
  readonly to: number;
  /** Where the file ends. */
  readonly size: number;
  /** Nobody will write to it any more. */
  readonly isSettled: boolean;
}

export interface Survey {
  readonly tasks: readonly Task[];
  /** Logs of which the lake has to write down something else now. */
  readonly updates: readonly KnownLog[];
  /** Logs of which bytes were read before, and that stand where they did or elsewhere. */
  readonly standing: readonly KnownLog[];
  /** Where tasks are read, what cannot be read to its end comes to it. */
  readonly problems: InputProblem[];
  readonly notices: readonly string[];
  /** Plain files without a byte. */
  readonly empty: readonly SourceFile[];
}

export interface SurveyOptions {
  readonly stdin: Readable;
  readonly now: Date;
  readonly rotationGraceS: number;
  readonly cwd: string;
  /** Their paths are absolute. */
  readonly requests: readonly InputRequest[];
  readonly pieces: (log: number) => Promise<readonly Piece[]>;
}

/** A file whose bytes were looked at, not yet known to be of any log. */
interface Stranger {
  readonly file: SourceFile;
  readonly form: KnownLog['form'];
  readonly size: number;
  /** Its first bytes. */
  readonly start: Buffer;
}

export async function survey(
  files: readonly SourceFile[],
  logs: readonly KnownLog[],
  options: SurveyOptions,
): Promise<Survey> {
  const surveying = new Surveying(logs, options);
  for (const file of files) await surveying.look(file);
  await surveying.recognize();
  return surveying.end();
}

class Surveying {
  private readonly options: SurveyOptions;
  /** Those of which no file was found yet. */
  private readonly missing: Map<number, KnownLog>;
  private readonly strangers: Stranger[] = [];
  private readonly tasks: Task[] = [];
  private readonly updates: KnownLog[] = [];
  private readonly standing: KnownLog[] = [];
  private readonly problems: InputProblem[] = [];
  private readonly notices: string[] = [];
  private readonly empty: SourceFile[] = [];
  /** All that can be read more than once, for logs whose bytes stand in a file of another log too. */
  private readonly seen: Stranger[] = [];
  /** Logs that stood somewhere at the last look, as they were then, by the identity of the file that each is now. */
  private readonly others = new Map<string, KnownLog>();

  constructor(logs: readonly KnownLog[], options: SurveyOptions) {
    this.options = options;
    this.missing = new Map(logs.filter(({ form }) => form !== 'stream').map((log) => [log.log, log]));
  }

  async look(file: SourceFile): Promise<void> {
    // It holds what the file holds that it is made from, which is read.
    if (file.madeFrom) {
      this.notices.push(
        `${file.name} is being made from ${file.madeFrom}, which is read instead (logrotate at work)`,
      );
      // A name of its own: the number that it has may have been that of a log that is gone.
      this.sayNothingOf(file.path, null);
      return;
    }
    if (file.stats?.isFile() !== true) {
      this.add({ file, form: 'stream', size: 0, start: Buffer.alloc(0) }, null);
      return;
    }
    await this.readable(file, () => this.lookInto(file));
  }

  /** A file may be read more than once, and a rotation may come between. @returns null for one that cannot be. */
  private async readable<T>(file: SourceFile, ask: () => Promise<T>): Promise<T | null> {
    try {
      return await ask();
    } catch (error) {
      this.problems.push(problemOf(file.name, whileReading(error)));
      this.sayNothingOf(file.path, file.stats ? identityOf(file.stats) : null);
      return null;
    }
  }

  /**
   * What stands in a file is not known, and so not what became of the log that stood there. Where the file is gone by
   * now, or another log was renamed to it, the log may stand elsewhere, as its copy or archive.
   */
  private sayNothingOf(path: string, identity: string | null): void {
    const isThere = statOf(path) !== undefined;
    for (const [number, log] of this.missing) {
      if (log.path === path && isThere) this.missing.delete(number);
      else if (log.path === path || log.identity === identity) this.unsaid.add(number);
    }
  }

  /** Logs of which nothing is said where they are not found. */
  private readonly unsaid = new Set<number>();

  /** Whatever a log is named as later, its lines were judged when they were read. */
  private ensureSameKind({ name, as }: SourceFile, { kind }: KnownLog): void {
    if (as === 'any' || as === kind) return;
    const was = kind === 'any' ? 'without saying what it holds' : `as ${kind}`;
    throw new LakelogError(`the log is named as ${as}, and was read into the lake ${was}`, {
      where: name,
      next: 'name it as before, or make the lake anew: lakelog sync --rebuild',
    });
  }

  private async lookInto(file: SourceFile): Promise<void> {
    const identity = identityOf(file.stats!);
    const mine = [...this.missing.values()].filter((log) => log.identity === identity).reverse();
    const archive = mine.find(
      ({ form, rest, size, mtime_ns }) =>
        form === 'archive' &&
        rest === 0 &&
        size === Number(file.stats!.size) &&
        mtime_ns === String(file.stats!.mtimeNs),
    );
    if (archive) {
      this.claim(archive, { file, form: 'archive', size: archive.read_to, start: Buffer.alloc(0) });
      return;
    }
    const input = await openInput(file, this.options);
    if (input.kind === 'stream') {
      const { start, bytes } = await measure(input.chunks);
      const isPlain = file.stats!.size === 0n;
      // Some files of the system say that they are empty and are not.
      if (isPlain && bytes > 0) this.add({ file, form: 'stream', size: bytes, start }, null);
      else if (isPlain) this.empty.push(file);
      else this.strange({ file, form: 'archive', size: bytes, start });
      return;
    }
    try {
      const { fd, size } = input;
      const start = Buffer.alloc(Math.min(START_BYTES, size));
      readSync(fd, start, 0, start.length, 0);
      const stranger: Stranger = { file, form: 'plain', size, start };
      const log = mine.find((one) => one.form === 'plain' && isSame(fd, size, one));
      if (log && (await this.isUntouched(log, stranger)))
        this.claim(log, stranger, lastLineEnd(fd, log.read_to, size));
      else this.strange(stranger, lastLineEnd(fd, 0, size));
    } finally {
      input.close();
    }
  }

  /** What was written to without growing may be another in the middle: all of it is compared, once. */
  private async isUntouched(log: KnownLog, stranger: Stranger): Promise<boolean> {
    const { size, mtimeNs } = stranger.file.stats!;
    const isTouched = log.size === Number(size) && log.mtime_ns !== String(mtimeNs) && log.read_to > 0;
    return !isTouched || this.holds(stranger, log);
  }

  private readonly lineEnds = new Map<Stranger, number>();

  private strange(stranger: Stranger, lineEnd = stranger.size): void {
    this.strangers.push(stranger);
    this.seen.push(stranger);
    this.lineEnds.set(stranger, lineEnd);
  }

  /**
   * Files whose bytes were read before under another name, plain or compressed; the rest is new. An archive that was
   * touched and stands where it stood is asked first: other files may begin with what it holds.
   */
  async recognize(): Promise<void> {
    const others: Stranger[] = [];
    for (const stranger of this.strangers) {
      const log = await this.readable(stranger.file, () => this.logAt(stranger));
      if (log) this.claim(log, stranger, this.lineEnds.get(stranger)!);
      else if (log === undefined) others.push(stranger);
    }
    for (const stranger of others) {
      const log = await this.readable(stranger.file, () => this.logIn(stranger));
      if (log) this.claim(log, stranger, this.lineEnds.get(stranger)!);
      else if (log === undefined) this.add(stranger, null, this.lineEnds.get(stranger)!);
    }
  }

  private async logAt(stranger: Stranger): Promise<KnownLog | undefined> {
    const identity = identityOf(stranger.file.stats!);
    const mine = [...this.missing.values()].filter(
      (log) =>
        log.form === 'archive' &&
        stranger.form === 'archive' &&
        log.identity === identity &&
        log.read_to + log.rest <= stranger.size,
    );
    for (const log of mine.reverse())
      if (beginsLike(stranger, log) && (await this.holds(stranger, log))) return log;
    return undefined;
  }

  private async logIn(stranger: Stranger): Promise<KnownLog | undefined> {
    const candidates = [...this.missing.values()]
      .filter(
        (log) => log.read_to > 0 && log.read_to + log.rest <= stranger.size && beginsLike(stranger, log),
      )
      .filter((log) => this.isCovered(log) || !standsThere(log))
      .sort((a, b) => b.read_to - a.read_to);
    for (const log of candidates) if (await this.holds(stranger, log)) return log;
    return undefined;
  }

  /** A log that ends inside a line goes on in no other file: the line was judged as it was. */
  private async holds({ file, size }: Stranger, log: KnownLog): Promise<boolean> {
    const { isSame, endsLine } = await this.compared(file, log);
    return isSame && (endsLine || size === log.read_to);
  }

  private async compared(file: SourceFile, log: KnownLog): Promise<Compared> {
    const input = await openInput(file, this.options);
    const pieces = await this.options.pieces(log.log);
    if (input.kind === 'stream') return compare(input.chunks, pieces);
    const chunks = createReadStream(file.path, {
      fd: input.fd,
      autoClose: false,
      start: 0,
      end: Math.max(0, log.read_to - 1),
    });
    try {
      return await compare(chunks, pieces);
    } finally {
      input.close();
    }
  }

  /** The log stands in this file, perhaps with more than is known of it. */
  private claim(log: KnownLog, { file, form, size, start }: Stranger, lineEnd = size): void {
    this.ensureSameKind(file, log);
    this.missing.delete(log.log);
    this.seen.push({ file, form, size, start });
    const place = placeOf(file);
    // Where its own file stands still, cut by copytruncate, this one is new and stood beside nothing.
    const isNew = place.identity !== log.identity && standsThere(log);
    if (log.state === 'here' && !isNew) this.others.set(place.identity, log);
    const to = form === 'plain' ? Math.max(lineEnd, log.read_to) : size;
    const now: KnownLog = {
      ...log,
      ...{ name: file.name, path: file.path, form, state: 'here', detail: null },
      // Of one that was known from elsewhere.
      ...(log.request === '' && { request: this.requestOf(file) }),
      ...place,
      // An archive is known by its size and times, and none of it is passed over that a run did not come to.
      rest: form === 'archive' ? size - log.read_to : log.rest,
      is_settled: size === log.read_to && this.isSettled(file),
    };
    if (size > log.read_to) this.tasks.push(this.task(file, now, form, log.read_to, to, size));
    if (log.read_to > 0) this.standing.push(now);
    if (isDifferent(log, now)) this.updates.push(now);
  }

  private add({ file, form, size }: Stranger, log: null, lineEnd = size): void {
    this.tasks.push(this.task(file, log, form, 0, lineEnd, size));
  }

  private task(
    file: SourceFile,
    log: KnownLog | null,
    form: KnownLog['form'],
    from: number,
    to: number,
    size: number,
  ): Task {
    const isSettled = form !== 'stream' && this.isSettled(file);
    return { file, log, form, request: this.requestOf(file), from, to, size, isSettled };
  }

  /**
   * Nobody has written to it for a while, and another file stands where it stood, so that nobody will. Of a log that
   * was not rotated only its writer knows whether it rests.
   */
  private isSettled({ name, stats }: SourceFile): boolean {
    const { now, rotationGraceS } = this.options;
    if (!isRotatedName(path.basename(name))) return false;
    return now.getTime() - Number(stats!.mtimeMs) > rotationGraceS * 1_000;
  }

  private requestOf({ path: file, request }: SourceFile): string {
    return request === undefined || request === '-' ? file : kernelPath(this.options.cwd, request);
  }

  /** Whether it was looked for: as it was found, by its place, or in a folder where it stood, which may be named otherwise. */
  private isCovered({ request, path: file }: KnownLog): boolean {
    return this.options.requests.some(
      ({ path: asked }) =>
        isSamePath(asked, request) ||
        isSamePath(asked, file) ||
        (isBelow(file, asked) && statOf(file) === undefined),
    );
  }

  async end(): Promise<Survey> {
    for (const log of this.missing.values()) {
      if (log.state !== 'here' || !this.isCovered(log) || this.unsaid.has(log.log)) continue;
      const fate = await this.fateOf(log);
      if (fate !== null)
        this.updates.push({ ...log, state: fate[0], detail: fate[1] && this.missed(fate[1]) });
    }
    const { tasks, updates, standing, problems, notices, empty } = this;
    return { tasks, updates, standing, problems, notices, empty };
  }

  /** What is settled of one loss is not settled of the next, which may be told in the same words. */
  private missed(detail: string): string {
    return `${detail} (missed at ${instantOf(this.options.now)})`;
  }

  /** A copy that stood beside the log is not where the log went: lines may have followed in the log alone. */
  private wasBeside({ file }: Stranger, log: KnownLog): boolean {
    const other = this.others.get(identityOf(file.stats!));
    return other !== undefined && other.read_to + other.rest >= log.read_to + log.rest;
  }

  /** Of a log that was looked for and stands nowhere as it was read; null where it may stand in what was not readable. */
  private async fateOf(log: KnownLog): Promise<[LogState, string | null] | null> {
    const now = statOf(log.path);
    const isThere = now !== undefined && identityOf(now) === log.identity;
    // Nothing is in every file.
    for (const other of log.read_to > 0 ? this.seen : []) {
      if (!isThere && this.wasBeside(other, log)) continue;
      // Of an archive that was known by its size and times alone the first bytes were not read.
      const isLike = other.start.length === 0 || beginsLike(other, log);
      if (other.size < log.read_to + log.rest || !isLike) continue;
      const isHeld = await this.readable(other.file, () => this.holds(other, log));
      if (isHeld !== false) return isHeld && ['gone', null];
    }
    if (isThere) {
      const detail =
        log.form === 'plain' && Number(now.size) < log.read_to + log.rest
          ? `it holds ${now.size} bytes, and ${log.read_to + log.rest} were read of it before`
          : `what was read of it before (${log.read_to} bytes) does not stand there any more`;
      return ['changed', detail];
    }
    if (log.rest > 0)
      return ['lost', `it is gone, with ${log.rest} bytes behind byte ${log.read_to} that were never read`];
    if (log.is_settled || log.form === 'archive') return ['gone', null];
    return [
      'lost',
      `it is gone, and nobody knows whether it was written to after it had been read up to byte ${log.read_to}`,
    ];
  }
}

/** How a file that stands somewhere is told from others, and whether it was written to since. */
export const placeOf = ({ stats }: SourceFile) => ({
  identity: identityOf(stats!),
  size: Number(stats!.size),
  mtime_ns: String(stats!.mtimeNs),
});

/** What a later run would not find out by itself. */
function isDifferent(before: KnownLog, now: KnownLog): boolean {
  const told = ['name', 'path', 'form', 'identity', 'state', 'is_settled'] as const;
  if (told.some((name) => before[name] !== now[name])) return true;
  const isGrown = now.form === 'plain' && before.size !== now.size;
  return !isGrown && (before.size !== now.size || before.mtime_ns !== now.mtime_ns);
}

const beginsLike = ({ start }: Stranger, log: KnownLog): boolean =>
  start.length >= startLength(log) && sha256(start.subarray(0, startLength(log))) === log.start_sha256;

function standsThere({ path: file, identity }: KnownLog): boolean {
  const stats = statOf(file);
  return stats !== undefined && identityOf(stats) === identity;
}

/** Reads all of an archive, so that nothing is believed of one that is damaged further on. */
async function measure(chunks: AsyncIterable<Uint8Array>): Promise<{ start: Buffer; bytes: number }> {
  let start: Buffer = Buffer.alloc(0);
  let bytes = 0;
  for await (const chunk of chunks) {
    if (start.length < START_BYTES) start = Buffer.concat([start, chunk]).subarray(0, START_BYTES);
    bytes += chunk.length;
  }
  return { start: Buffer.from(start), bytes };
}

const STEP = 64 << 10;
const LF = 10;

/** Where the last line of the bytes from `from` on ends; `from` where none does. */
function lastLineEnd(fd: number, from: number, size: number): number {
  for (let to = size; to > from; ) {
    const start = Math.max(from, to - STEP);
    const bytes = Buffer.allocUnsafe(to - start);
    const feed = bytes.subarray(0, readSync(fd, bytes, 0, bytes.length, start)).lastIndexOf(LF);
    if (feed >= 0) return start + feed + 1;
    to = start;
  }
  return from;
}

/** Of what can be read once. */
const NO_PLACE = { identity: '-', size: 0, mtime_ns: '0' };

/** A log of which nothing was read yet. */
export function newLog({ file, form, request }: Task, log: number): KnownLog {
  return {
    log,
    ...{ name: file.name, path: file.path, request, kind: file.as, form, state: 'here', detail: null },
    ...NO_PLACE,
    ...{ read_to: 0, lines: 0, rest: 0, is_settled: false },
    ...{ ...NOTHING_READ, head: '' },
  };
}

/** Where a log stands, as it was found, and what of it is still to be read. */
export function placeIn({ file, form, size, isSettled }: Task, readTo: number) {
  const rest = form === 'stream' ? 0 : size - readTo;
  return {
    rest,
    is_settled: rest === 0 && isSettled,
    ...(form === 'stream' ? NO_PLACE : placeOf(file)),
    name: file.name,
    path: file.path,
  };
}
