/** Brings a lake up to date: what the logs hold beyond what it has, in transactions of rows, rejects, account and place. */
import { createReadStream } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { LakelogError, shellWord } from '../../errors.js';
import { instantOf } from '../../instant.js';
import { kernelPath } from '../../kernel-path.js';
import type { InputProblem } from '../../schema/result.js';
import { version } from '../../version.js';
import { type Database, openBeside } from '../duckdb/connection.js';
import { quote } from '../duckdb/sql.js';
import {
  type InputRequest,
  isPassing,
  openInput,
  problemOf,
  type SourceFile,
  Unreadable,
} from '../input/index.js';
import { countDuplicates } from '../load/duplicates.js';
import { type Before, behindOf, lateIn } from '../load/late.js';
import { accountOf, markNotice } from '../load/ledger.js';
import { type LoadedFile, type LoadOptions, loadFiles } from '../load/load.js';
import { BASE_TABLES } from '../tables/base.js';
import type { LoadPlan } from '../tables/plan.js';
import { findShared, putRows, STAGE, takeOutKnown } from './commit.js';
import { headAfter } from './fingerprint.js';
import { absolute, addTo, batchesOf, canBeLookedAtAgain, isReadable, resolveLogs } from './inputs.js';
import { addRequests, type KnownLog, piecesOf, readLogs, readRequests, writeLogs } from './logs.js';
import {
  attach,
  CATALOG,
  create,
  DamagedLake,
  detach,
  explained,
  isLeftBehind,
  isThere,
  type LakeFile,
  lakeFileOf,
  setAside,
} from './open.js';
import { asOwnFiles } from './own-files.js';
import { type BatchReading, batchOpener, type Ends, tailOf } from './read.js';
import { type Reached, reachedBy, type Skimmed, skim, type Taken, takenIn } from './skim.js';
import { newLog, placeIn, type Survey, survey, type Task } from './survey.js';
import { BATCH_COLUMNS, lakePlan } from './tables.js';
import {
  allOf,
  brokenLogs,
  isSameUnread,
  isToldByState,
  readUnread,
  remembered,
  type StillUnread,
  settleable,
  type Unread,
  unfinished,
  unreadAfter,
  writeUnread,
} from './unread.js';

/** A lake as a run is told to use it. */
export interface LakeUse {
  /** As the user named it. */
  readonly name: string;
  readonly lockTimeoutS: number;
  /** False: only answers from it. */
  readonly sync: boolean;
  /** Only for one that is made now. */
  readonly keepContent: boolean;
  /** Makes it anew from the logs. */
  readonly rebuild: boolean;
  /** Its logs are followed from where they ended: what a copy of one holds of before is no news either. */
  readonly follows?: true;
}

export interface SyncOptions extends Omit<LoadOptions, 'gatedKinds'> {
  readonly use: LakeUse;
  readonly showContent: boolean;
  readonly rotationGraceS: number;
  readonly cwd: string;
  readonly acks?: string | undefined;
}

/** What a run read into the lake, and what it found of the rest. */
export interface Synced {
  readonly logs: readonly KnownLog[];
  readonly problems: readonly InputProblem[];
  readonly notices: readonly string[];
  readonly mayBeEmpty: readonly string[];
  /** Plain files without a byte. */
  readonly empty: readonly string[];
  /** Bytes and files that are new, and that were read before and stand where they stood. */
  readonly read: { readonly bytes: number; readonly files: number };
  readonly before: { readonly bytes: number; readonly files: number };
  /** Whether the logs were looked at, and when that was done last. */
  readonly isSynced: boolean;
  readonly lastSync: string | null;
  /** The first loading is not at its end yet. */
  readonly isLoading: boolean;
  readonly usedKnown: boolean;
  /** Names of known logs that were not looked at, because others were named. */
  readonly unseen: readonly string[];
  /** By log: the hash of what stands behind its last line end. */
  readonly tails: ReadonlyMap<number, string>;
}

/**
 * One transaction takes so many bytes, and more of them where that makes a row group of the engine (122,880 rows) in at
 * most so many: it goes into the lake at once, while fewer rows are written ahead, then put in their place, and again
 * when the next come behind them.
 */
const ROUND = { bytes: 64 << 20, lines: 130_000, most: 384 << 20 };
const isRound = (bytes: number, lines: number) =>
  bytes >= ROUND.bytes && (lines >= ROUND.lines || (bytes / lines) * ROUND.lines > ROUND.most);
/** How long others wait for a first loading, and how long they are let in. */
const TURN_MS = 5_000;
const GAP_MS = 100;

/** Attaches the lake as the current catalog of `db`, with all in it that the logs hold. */
export async function openSynced(
  db: Database,
  requests: readonly InputRequest[],
  options: SyncOptions,
): Promise<Synced> {
  const syncing = new Syncing(db, options);
  if (!options.use.sync) return syncing.asItIs();
  await syncing.prepare(requests);
  try {
    return await syncing.run(requests);
  } finally {
    // The engine is closed, and the lake with it, when its last connection is.
    syncing.close();
  }
}

/** Makes a lake that takes what the logs hold now as read, and has no line of it. */
export async function beginAtEnd(
  db: Database,
  requests: readonly InputRequest[],
  options: SyncOptions,
): Promise<void> {
  const syncing = new Syncing(db, options);
  await syncing.prepare(requests);
  await syncing.skip(requests);
}

class Syncing {
  private readonly db: Database;
  private readonly options: SyncOptions;
  private readonly file: LakeFile;
  private plan: LoadPlan = lakePlan(false);
  private isLoading = false;
  private logs: KnownLog[] = [];
  /** What was not read when it was looked at last. */
  private unread: readonly Unread[] = [];
  private bytesBefore = 0;
  /** Logs that nobody looked for, because others were named. */
  private unseen: readonly KnownLog[] = [];
  private readonly marks: string[] = [];
  private read = { bytes: 0, files: new Set<string>() };
  private stage: Database | undefined;
  /** What turned out to be unreadable where it was read, of a look whose problems these are. */
  private broken = new Set<SourceFile>();
  private problems: InputProblem[] = [];
  /** Something was found in the midst of a rotation: the next look finds it at rest, under whatever name. */
  private isMoving = false;

  constructor(db: Database, options: SyncOptions) {
    this.db = db;
    this.options = options;
    this.file = lakeFileOf(options.use.name, options.cwd, options.use.lockTimeoutS);
  }

  close(): void {
    this.stage?.close();
  }

  /** Without a look at the logs. */
  async asItIs(): Promise<Synced> {
    if (!isThere(this.file)) throw this.nowhere();
    await this.open('read');
    const problems = this.unread.map((one) => remembered(one));
    return this.told({ problems, notices: [], mayBeEmpty: [], empty: [] }, [], false, false);
  }

  private nowhere(): LakelogError {
    return new LakelogError('there is no lake yet', {
      where: this.file.name,
      next: `fill it: lakelog sync --lake ${shellWord(this.file.name)} LOGS`,
      exitCode: 3,
    });
  }

  /** There is a lake, if an empty one. */
  async prepare(given: readonly InputRequest[]): Promise<void> {
    const { db, file } = this;
    const { use, maxLineBytes } = this.options;
    if (use.rebuild && isThere(file)) {
      if (given.some(({ isDefault }) => isDefault)) this.former = await this.requestsOfOld();
      await setAside(db, file);
    }
    if (isThere(file)) return;
    await asOwnFiles(() => create(db, file, { keepsContent: use.keepContent, maxLineBytes, version }));
  }

  /** Where a lake that is made anew looked for its logs. */
  private former: readonly InputRequest[] | null = null;

  private async requestsOfOld(): Promise<readonly InputRequest[]> {
    const { db, file } = this;
    try {
      await attach(db, file, 'read');
      const requests = await readRequests(db);
      await detach(db);
      if (requests.length > 0) return requests;
    } catch (error) {
      if (!(error instanceof DamagedLake)) throw error;
      await detach(db).catch(() => {});
    }
    throw new LakelogError('the lake cannot say which logs it was filled from, and is left as it is', {
      where: file.name,
      next: `name them: lakelog sync --lake ${shellWord(file.name)} --rebuild LOGS`,
    });
  }

  async skip(given: readonly InputRequest[]): Promise<void> {
    const { db } = this;
    await this.open('write');
    const requests = absolute(given, this.options.cwd);
    const { files } = await resolveLogs(given, this.finding);
    const { tasks } = await this.survey(files, requests);
    await db.run('BEGIN');
    await addRequests(db, requests);
    const batches = db.rowAppender('base_batches');
    const names = [...BASE_TABLES.batches, ...BATCH_COLUMNS].map(({ name }) => name);
    const logs: KnownLog[] = [];
    let next = 0;
    for (const task of tasks.filter(({ form }) => form !== 'stream')) {
      let reached: Reached | undefined;
      const rows: Readonly<Record<string, string | number>>[] = [];
      // What is damaged is told by the look that comes.
      const isWhole = await isReadable(addTo([], task.file), async () => {
        for await (const batch of batchesOf(task, this.options)) {
          const skimmed = skim(batch);
          const before = reached?.lines ?? 0;
          reached = reachedBy(batch, skimmed, reached);
          const place = { log: logs.length + 1, lines_before: before, head: reached.head };
          rows.push({ ...skimmedRow(batch, skimmed), ...place });
        }
      });
      if (!isWhole) continue;
      for (const row of rows.map((one) => ({ ...one, batch: next++ })))
        batches.add(names.map((name) => row[name as keyof typeof row] ?? null));
      const readTo = reached?.read_to ?? 0;
      logs.push({ ...newLog(task, logs.length + 1), ...placeIn(task, readTo), ...reached });
    }
    batches.close();
    await writeLogs(db, logs);
    await db.run('COMMIT');
  }

  private async open(mode: 'read' | 'write'): Promise<void> {
    const { db, file, options } = this;
    await attach(db, file, mode);
    const [lake] = await db.objects<{ keeps_content: boolean; max_line_bytes: number; is_loading: boolean }>(
      'SELECT keeps_content, max_line_bytes, is_loading FROM main.lake',
    );
    const { keeps_content: keepsContent, max_line_bytes, is_loading } = lake!;
    this.ensureSameLimit(max_line_bytes);
    this.isLoading = is_loading;
    this.plan = lakePlan(keepsContent);
    this.logs = await readLogs(db);
    this.unread = await readUnread(db);
    this.bytesBefore = this.logs.reduce((sum, { read_to }) => sum + read_to, 0);
    const wanted = options.showContent ? '--show-content' : options.use.keepContent ? '--keep-content' : null;
    if (wanted === null || keepsContent) return;
    throw new LakelogError(`the lake keeps no content, which ${wanted} asks for`, {
      where: file.name,
      next: `make it anew with it: lakelog sync --lake ${shellWord(file.name)} --rebuild --keep-content`,
    });
  }

  /** Lines were judged by it when they were read. */
  private ensureSameLimit(limit: number): void {
    if (limit === this.options.maxLineBytes) return;
    throw new LakelogError(`the lake was filled with --max-line-bytes ${limit}`, {
      where: this.file.name,
      next: `say so here too, or make it anew: lakelog sync --lake ${shellWord(this.file.name)} --rebuild`,
    });
  }

  async run(given: readonly InputRequest[]): Promise<Synced> {
    const { db } = this;
    await this.open('read');
    const before = this.logs;
    const known = given.some(({ isDefault }) => isDefault) ? (this.former ?? (await readRequests(db))) : [];
    const named = known.length > 0 ? known : given;
    const requests = absolute(named, this.options.cwd);
    const inputs = await resolveLogs(named, this.finding);
    let found = await this.survey(inputs.files, requests);
    const isNew = known.length === 0 && (await this.lacks(requests));
    // What was written ahead by a run that was killed is put in its place, or every run would read it again.
    const isUnfinished = this.isLoading || isLeftBehind(this.file);
    const unreadBy = ({ problems }: Survey) =>
      this.unreadBy({ ...inputs, problems: [...inputs.problems, ...problems] }, requests, before);
    let unread = unreadBy(found);
    const unreadNow = () => {
      unread = unreadBy(found);
      return allOf(unread);
    };
    this.isMoving = inputs.problems.some(isPassing);
    const saysMore =
      this.isMoving || found.problems.some(isPassing) || !isSameUnread(allOf(unread), this.unread);
    if (found.tasks.length + found.updates.length > 0 || isNew || isUnfinished || saysMore) {
      await detach(db);
      await this.open('write');
      do found = await this.survey(inputs.files, requests);
      while (!(await asOwnFiles(() => this.bring(found, requests, unreadNow))));
    }
    // A log that was read whole and is gone is no news; what else became of one that is gone is told by itself.
    const isTold = (one: InputProblem) => known.length > 0 && isToldByState(one, this.logs);
    const said = [...inputs.problems.filter((one) => !isTold(one)), ...found.problems];
    const problems = [
      ...settleable(said, unread.found, this.options.cwd),
      ...unread.kept.map((one) => remembered(one)),
    ];
    const notices = [...inputs.notices, ...found.notices];
    const mayBeEmpty = inputs.files
      .filter((file) => this.isPlain(file, found) && (file.maybeEmpty || this.hasHistory(file)))
      .map(({ name }) => name);
    const told = { problems, notices, mayBeEmpty, empty: found.empty.map(({ name }) => name) };
    const isSeen = ({ log, request }: KnownLog) =>
      requests.some(({ path }) => path === request) || found.standing.some((one) => one.log === log);
    this.unseen = this.logs.filter((log) => log.state === 'here' && log.form !== 'stream' && !isSeen(log));
    return this.told(told, found.standing, true, known.length > 0);
  }

  /** What is not read by now of what can be looked at again, lines without an end among it. */
  private unreadBy(
    {
      files,
      problems,
    }: { readonly files: readonly SourceFile[]; readonly problems: readonly InputProblem[] },
    requests: readonly InputRequest[],
    known: readonly KnownLog[],
  ): StillUnread {
    const { logs, options } = this;
    const lasting = problems.filter((one) => !isPassing(one));
    const all = [...lasting, ...unfinished(logs, files, options)];
    const looked = requests.filter(canBeLookedAtAgain);
    return unreadAfter(this.unread, { requests: looked, files, problems: all, known, logs, ...options });
  }

  private get finding() {
    return { ...this.options, lakePath: this.file.path };
  }

  private survey(files: readonly SourceFile[], requests: readonly InputRequest[]): Promise<Survey> {
    const { options, db, logs } = this;
    return survey(files, logs, { ...options, requests, pieces: (log) => piecesOf(db, log) });
  }

  private async lacks(requests: readonly InputRequest[]): Promise<boolean> {
    const { cells } = await this.db.rows('SELECT path FROM main.lake_requests');
    const held = cells.map(([path]) => path);
    return requests.some((one) => canBeLookedAtAgain(one) && !held.includes(one.path));
  }

  /** An archive that holds nothing was not just rotated. */
  private isPlain(file: SourceFile, { empty }: Survey): boolean {
    const isIt = (log: KnownLog) => log.form === 'plain' && log.state === 'here' && log.path === file.path;
    return empty.includes(file) || this.logs.some(isIt);
  }

  /** Records were read before that stood there, or in what was rotated away from there. */
  private hasHistory({ path: here }: SourceFile): boolean {
    return this.logs.some(
      ({ path, request, state, read_to }) =>
        read_to > 0 && (path === here ? state !== 'here' : request === here),
    );
  }

  /**
   * Batch after batch; what was committed stays, whatever becomes of the rest.
   * @returns whether it came to its end: not where another process brought the lake further meanwhile.
   */
  private async bring(
    { tasks: found, updates, problems }: Survey,
    requests: readonly InputRequest[],
    unreadNow: () => readonly Unread[],
  ): Promise<boolean> {
    const { db } = this;
    [this.broken, this.problems] = [new Set(), problems];
    const tasks = this.options.use.follows ? await this.withoutTaken(found) : found;
    await db.run('BEGIN');
    await addRequests(db, requests.filter(canBeLookedAtAgain));
    await writeLogs(db, updates);
    await db.run(`UPDATE main.lake SET is_loading = ${tasks.length > 0}; COMMIT`);
    this.replace(updates);
    const tails: Task[] = [];
    let round: BatchReading[] = [];
    let [size, lines] = [0, 0];
    for (const task of tasks) {
      if (task.form === 'plain') tails.push(task);
      let goesOn = true;
      const tell = (error: Unreadable) => this.giveUp(task.file, error);
      await isReadable(tell, async () => {
        for await (const batch of batchesOf(task, this.options)) {
          round.push(batch);
          size += batch.range.to - batch.range.from;
          lines += batch.likelyLines;
          if (!isRound(size, lines)) continue;
          await this.commit(round);
          [round, size, lines] = [[], 0, 0];
          if (this.broken.has(task.file)) return;
          // What can be read once cannot be begun anew.
          goesOn = task.form === 'stream' || (await this.letOthersIn());
          if (!goesOn) return;
        }
      });
      if (!goesOn) return false;
      round = round.filter((batch) => !this.broken.has(batch.task.file));
    }
    if (round.length > 0) await this.commit(round);
    await this.finish(
      tails.filter(({ file }) => !this.broken.has(file)),
      unreadNow,
    );
    return true;
  }

  private giveUp(file: SourceFile, error: Unreadable): void {
    this.broken.add(file);
    this.problems.push(problemOf(file.name, error));
  }

  /** Copies of logs that were taken as read begin behind what was taken: a rotation is a copy, seen in its midst. */
  private async withoutTaken(tasks: readonly Task[]): Promise<Task[]> {
    const { db } = this;
    const taken = await takenLogs(db);
    const known: KnownLog[] = [];
    const copied: string[] = [];
    const first = await this.nextBatch();
    const begun = await Promise.all(
      tasks.map(async (task) => {
        for (const of of task.log === null && task.form !== 'stream' ? taken : []) {
          const reached = await this.takenOf(task, of);
          if (reached === null) continue;
          const number = this.nextLog() + known.length;
          const log = { ...newLog(task, number), ...placeIn(task, reached.read_to), ...reached };
          known.push(log);
          const next = first + copied.length;
          copied.push(...of.map(({ batch }, i) => `(${batch}, ${number}, ${next + i})`));
          return { ...task, log, from: reached.read_to, to: Math.max(task.to, reached.read_to) };
        }
        return task;
      }),
    );
    if (known.length === 0) return begun;
    // A log is known again by its batches, from its first byte on.
    await db.run(
      `BEGIN; INSERT INTO main.base_batches SELECT b.* REPLACE (n.batch AS batch, n.log AS log)
       FROM main.base_batches b JOIN (VALUES ${copied.join(', ')}) n(of, log, batch) ON n.of = b.batch`,
    );
    await writeLogs(db, known);
    await db.run('COMMIT');
    this.replace(known);
    return begun;
  }

  private async takenOf(task: Task, taken: readonly Taken[]): Promise<Reached | null> {
    const total = taken.reduce((sum, { bytes }) => sum + bytes, 0);
    if (task.size < total) return null;
    const input = await openInput(task.file, this.options).catch((error: unknown) => {
      // It changed since it was found, which whoever reads it is told.
      if (error instanceof Unreadable) return null;
      throw error;
    });
    if (input === null) return null;
    const chunks =
      input.kind === 'stream'
        ? input.chunks
        : createReadStream(task.file.path, { fd: input.fd, autoClose: false, start: 0, end: total - 1 });
    try {
      return await takenIn(chunks, taken);
    } finally {
      input.close();
    }
  }

  /** When others were let in last, and when the last round came to its end. */
  private since = Date.now();
  private ended = Date.now();

  /** Before another round like the last would make them wait longer. @returns whether the lake is as it was left. */
  private async letOthersIn(): Promise<boolean> {
    const [now, last] = [Date.now(), this.ended];
    this.ended = now;
    if (now + (now - last) - this.since < TURN_MS) return true;
    const { db, logs } = this;
    await detach(db);
    await sleep(GAP_MS);
    await attach(db, this.file, 'write');
    [this.since, this.ended] = [Date.now(), Date.now()];
    this.logs = await readLogs(db);
    this.unread = await readUnread(db);
    const told = (all: readonly KnownLog[]) => all.map(({ log, read_to, state }) => [log, read_to, state]);
    return JSON.stringify(told(this.logs)) === JSON.stringify(told(logs));
  }

  /** The rows of batches, and how far their logs were read by that, at once. */
  private async commit(readings: readonly BatchReading[]): Promise<void> {
    const { db } = this;
    const lined = readings.map((reading, i) => this.continued(reading, readings[i - 1]));
    const { files, ends } = await this.load(lined);
    const first = await this.nextBatch();
    await db.run('BEGIN');
    const logs = await this.put(files, ends, first);
    await writeLogs(db, logs);
    await db.run('COMMIT');
    this.replace(logs);
  }

  /** A batch of a log that an earlier round began counts its lines from where that one ended. */
  private continued(reading: BatchReading, before: BatchReading | undefined): BatchReading {
    if (reading.range.linesBefore !== null || before?.task === reading.task) return reading;
    return { ...reading, range: { ...reading.range, linesBefore: this.logOf(reading.task)!.lines } };
  }

  /** Into tables of their own, without what the lake has, and nothing of a log that turns out to be unreadable. */
  private async load(
    readings: readonly BatchReading[],
  ): Promise<{ readonly files: StagedFile[]; readonly ends: ReadonlyMap<SourceFile, Ends> }> {
    const { db, plan, options } = this;
    if (this.stage === undefined) {
      this.stage = await openBeside(db, STAGE);
      this.stage.explainFailures((error) => explained(error, this.file));
    }
    const ends = new Map<SourceFile, Ends>();
    const loaded = await loadFiles(this.stage, plan, readings, {
      ...options,
      hashes: true,
      everyReject: true,
      // What is gated may be another thing tomorrow.
      gatedKinds: null,
      open: batchOpener(options, ends),
    });
    for (const { source, error } of loaded.unreadable) {
      const { file } = (source as BatchReading).task;
      if (!this.broken.has(file)) this.giveUp(file, error);
    }
    // Of others no line is a copy of one of these.
    if (loaded.unreadable.length > 0)
      return this.load(readings.filter(({ task }) => !this.broken.has(task.file)));
    const within = await countDuplicates(this.stage, loaded.files);
    const known = await takeOutKnown(this.stage, CATALOG);
    const late = await lateIn(this.stage, await this.behind(loaded.files));
    const files = loaded.files.map((file) => ({
      ...file,
      duplicates: (within.get(file.batch) ?? 0) + (known.get(file.batch) ?? 0),
      late: late.get(file.batch) ?? null,
    }));
    return { files, ends };
  }

  /** Batches that may hold records which stand behind much newer ones, of earlier batches too. */
  private async behind(files: readonly LoadedFile[]): Promise<Before[]> {
    const rows = await this.db.objects<{ log: number; newest: number | string }>(
      'SELECT log, epoch_us(max(newest_record)) AS newest FROM main.base_batches WHERE newest_record IS NOT NULL GROUP BY log',
    );
    const newest = new Map<number | Task, bigint>(rows.map(({ log, newest }) => [log, BigInt(newest)]));
    const logOf = ({ source }: LoadedFile) => {
      const { task } = source as BatchReading;
      return this.logOf(task)?.log ?? task;
    };
    return behindOf(files, logOf, newest);
  }

  private async nextBatch(): Promise<number> {
    const { cells } = await this.db.rows('SELECT COALESCE(max(batch), -1) + 1 FROM main.base_batches');
    return cells[0]![0] as number;
  }

  /** In the current transaction. @returns the logs as they are known by that. */
  private async put(
    files: readonly StagedFile[],
    ends: ReadonlyMap<SourceFile, Ends>,
    first: number,
  ): Promise<KnownLog[]> {
    const { db, plan } = this;
    const shared = await findShared(db);
    await putRows(db, plan, first);
    const logs = new Map<number, KnownLog>();
    const numbers = new Map<Task, number>();
    const batches = db.rowAppender('base_batches');
    let next = this.nextLog();
    for (const file of files) {
      const { task, range } = file.source as BatchReading;
      let number = numbers.get(task) ?? this.logOf(task)?.log;
      if (number === undefined) number = next++;
      numbers.set(task, number);
      const before = logs.get(number) ?? this.logOf(task);
      const head = headAfter(before?.head ?? '', file.counts.sha256!);
      const lines = (before?.lines ?? 0) + file.counts.lines;
      const row = {
        ...accountOf(file, { duplicates: file.duplicates, conflicts: 0, late: file.late?.late ?? 0 }),
        late_line: file.late?.line ?? null,
        batch: first + file.batch,
        log: number,
        byte_from: range.from,
        lines_before: before?.lines ?? 0,
        sha256: file.counts.sha256,
        head,
      };
      const names = [...BASE_TABLES.batches, ...BATCH_COLUMNS].map(({ name }) => name);
      batches.add(names.map((name) => row[name as keyof typeof row] ?? null));
      const place = { ...newLog(task, number), ...before, ...placeIn(task, range.to) };
      logs.set(number, { ...place, ...ends.get(file.source)!, read_to: range.to, lines, head });
      this.marks.push(...markNotice(file));
      this.read.bytes += range.to - range.from;
      this.read.files.add(file.source.name);
    }
    batches.close();
    await shared();
    for (const [task, number] of numbers) this.numbered.set(task, number);
    return [...logs.values()];
  }

  private readonly numbered = new Map<Task, number>();

  private logOf(task: Task): KnownLog | undefined {
    const number = this.numbered.get(task) ?? task.log?.log;
    return this.logs.find(({ log }) => log === number);
  }

  private nextLog(): number {
    return 1 + this.logs.reduce((most, { log }) => Math.max(most, log), 0);
  }

  private replace(logs: readonly KnownLog[]): void {
    const others = this.logs.filter(({ log }) => !logs.some((one) => one.log === log));
    this.logs = [...others, ...logs].sort((a, b) => a.log - b.log);
  }

  /**
   * What is still without its line end is put into a transaction that nobody commits: answered from, and read again.
   */
  private async finish(tasks: readonly Task[], unreadNow: () => readonly Unread[]): Promise<void> {
    const { db } = this;
    const begun = tasks.filter((task) => this.logOf(task) === undefined);
    let next = this.nextLog();
    const empty = begun.map((task): KnownLog => {
      const log = newLog(task, next++);
      this.numbered.set(task, log.log);
      return { ...log, ...placeIn(task, 0) };
    });
    await db.run('BEGIN');
    const grown = tasks.flatMap((task) => {
      const log = this.logOf(task);
      return log && task.form === 'plain' ? [{ ...log, rest: task.size - log.read_to }] : [];
    });
    await writeLogs(db, [...empty, ...grown]);
    this.replace([...empty, ...grown]);
    this.unread = unreadNow();
    await writeUnread(db, this.unread);
    const now = instantOf(this.options.now);
    // Whoever does not look is told that more is to come.
    const isLoading = this.isMoving || this.problems.some(isPassing);
    await db.run(`UPDATE main.lake SET is_loading = ${isLoading}, last_sync = ${quote(now)}; COMMIT`);
    const tails = tasks.flatMap((task) => tailOf(task, this.logOf(task)?.lines ?? 0) ?? []);
    if (tails.length === 0) return;
    const { files, ends } = await this.load(
      tails.map((tail) => ({ ...tail, task: { ...tail.task, log: this.logOf(tail.task) ?? null } })),
    );
    await db.run('BEGIN');
    await this.put(files, ends, await this.nextBatch());
    for (const { source, counts } of files) {
      const log = this.logOf((source as BatchReading).task)!;
      this.tails.set(log.log, counts.sha256!);
    }
  }

  /** By log: the hash of what is answered from and not committed. */
  private readonly tails = new Map<number, string>();

  private async told(
    found: Pick<Synced, 'problems' | 'notices' | 'mayBeEmpty' | 'empty'>,
    standing: readonly KnownLog[],
    isSynced: boolean,
    usedKnown: boolean,
  ): Promise<Synced> {
    const { logs, read } = this;
    const [lake] = await this.db.objects<{ is_loading: boolean; last_sync: string | null }>(
      'SELECT is_loading, last_sync FROM main.lake',
    );
    // From another folder it is called otherwise.
    const nameHere = ({ name, path }: KnownLog) =>
      kernelPath(this.options.cwd, name) === path ? name : path;
    const broken = brokenLogs(logs, ({ path }) => path, nameHere);
    return {
      ...found,
      logs,
      problems: [...found.problems, ...broken],
      notices: [...found.notices, ...this.marks],
      read: { bytes: read.bytes, files: read.files.size },
      before: {
        bytes: this.bytesBefore,
        files: isSynced ? standing.length : logs.length,
      },
      isSynced,
      lastSync: lake!.last_sync,
      isLoading: !isSynced && lake!.is_loading,
      usedKnown,
      tails: this.tails,
      unseen: this.unseen.map(({ name }) => name),
    };
  }
}

type TakenBatch = Taken & { readonly batch: number; readonly log: number };

/** By log: the batches that were taken as read, which are its first ones; one of blank lines may stand behind them. */
async function takenLogs(db: Database): Promise<TakenBatch[][]> {
  const rows = await db.objects<TakenBatch>(
    'SELECT batch, log, byte_from, bytes, lines, sha256 FROM main.base_batches WHERE loaded = 0 AND blank = lines ORDER BY log, byte_from',
  );
  const logs = new Map<number, { batches: TakenBatch[]; bytes: number }>();
  for (const row of rows) {
    const taken = logs.get(row.log) ?? { batches: [], bytes: 0 };
    if (row.byte_from !== taken.bytes) continue;
    logs.set(row.log, { batches: [...taken.batches, row], bytes: taken.bytes + row.bytes });
  }
  // Copies hold what their log holds.
  const ofHash = new Map(
    [...logs.values()].map(({ batches }) => [batches.map((one) => one.sha256).join(), batches]),
  );
  return [...ofHash.values()];
}

/** What was loaded of a batch, without what the lake has. */
interface StagedFile extends LoadedFile {
  readonly duplicates: number;
  readonly late: { readonly late: number; readonly line: number } | null;
}

/** Its lines are accounted for as none of whose worth is known. */
function skimmedRow(
  { name, range }: BatchReading,
  { bytes, lines, sha256 }: Skimmed,
): Readonly<Record<string, string | number>> {
  const none = { loaded: 0, rejected: 0, duplicates: 0, pending: 0, conflicts: 0, late: 0 };
  return { file: name, bytes, lines, blank: lines, ...none, byte_from: range.from, sha256 };
}
