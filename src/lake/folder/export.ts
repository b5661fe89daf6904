/** What the logs of a host hold beyond what the lake has of them becomes batches of it. */
import { instantOf, microsOf } from '../../instant.js';
import type { BatchPlace, BatchReceipt, DataFile, RejectSums } from '../../schema/batch.js';
import type { FileAccount, InputProblem } from '../../schema/result.js';
import { type Database, openBeside } from '../duckdb/connection.js';
import { cannotBeRead, type InputRequest, type SourceFile } from '../input/index.js';
import { countOwnDuplicates } from '../load/duplicates.js';
import { behindOf, lateIn } from '../load/late.js';
import { accountOf, markNotice } from '../load/ledger.js';
import { type LoadedFile, type LoadOptions, loadFiles, THREADS as USUAL_THREADS } from '../load/load.js';
import { blocksGates } from '../load/rejects.js';
import { explode } from '../load/staging.js';
import { headAfter } from '../store/fingerprint.js';
import { absolute, addTo, batchesOf, canBeLookedAtAgain, isReadable, resolveLogs } from '../store/inputs.js';
import type { Piece } from '../store/logs.js';
import { type BatchReading, batchOpener, type Ends } from '../store/read.js';
import { newLog, placeIn, type Survey, survey, type Task } from '../store/survey.js';
import { lakePlan } from '../store/tables.js';
import {
  allOf,
  isSamePath,
  isToldByState,
  keptAfter,
  lostAmong,
  remembered,
  settleable,
  type Unread,
  unfinished,
  unreadAfter,
} from '../store/unread.js';
import { Committed } from './committed.js';
import { type Exported, type Filling, type LogBatch, sumOfAccounts } from './fill.js';
import { type Gap, gapsIn, gapsLeft } from './gaps.js';
import { holderOf, readingOf } from './holders.js';
import { logsOf, type PublishedLog, Ways } from './host-logs.js';
import {
  beginLook,
  brokenOf,
  type HostLog,
  type HostState,
  headsOf,
  heldBy,
  lostBatches,
  readHost,
  stillLookingAt,
  unreadOf,
  writeHost,
} from './hosts.js';
import { logName } from './layout.js';
import { lostAfter } from './lost-logs.js';
import { lostRows } from './lost-rows.js';
import type { FolderLake } from './making.js';
import { type Batch, type PublishedBatch, publishBatch, publishNamed, putBack } from './publish.js';
import { type Chain, chainsOf, damage, pieceOf, short } from './receipts.js';

export interface ExportOptions extends Omit<LoadOptions, 'gatedKinds'>, Filling {
  readonly rotationGraceS: number;
  readonly acks?: string | undefined;
}

/** A batch is of so many bytes and the rest of a line. */
const MOST_BYTES = 64 << 20;
/** So many bytes are loaded at once: small batches together, and one for each thread. */
const ROUND_BYTES = 2 * MOST_BYTES;
/** The bytes of a batch are hashed in one piece. */
const THREADS = { ...USUAL_THREADS, part: Number.MAX_SAFE_INTEGER };
const STAGE = 'stage';

/** Publishes what is new of the logs. The lake is locked. @throws LakelogError. */
export async function exportLogs(
  db: Database,
  lake: FolderLake,
  given: readonly InputRequest[],
  options: ExportOptions,
): Promise<Exported> {
  let exporting = new Exporting(db, lake, options);
  try {
    // What was gone is among the receipts from then on; behind it there may be another gap.
    while (await exporting.fillGaps(given)) exporting = new Exporting(db, lake, options, exporting.stage);
    const exported = await exporting.run(given);
    await exporting.restoreRows(given);
    return exported;
  } finally {
    exporting.stage?.close();
  }
}

/** How far a log is published. */
interface Reached {
  readonly root: string | null;
  readonly last: string | null;
  readonly read_to: number;
  readonly lines: number;
  readonly head: string;
  readonly name: string | null;
  readonly path: string | null;
}

class Exporting {
  private readonly db: Database;
  private readonly lake: FolderLake;
  private readonly options: ExportOptions;
  private readonly committed: Committed;
  private readonly chains: readonly Chain[];
  private readonly ways: Ways;
  private readonly published: readonly PublishedLog[];
  private readonly logs: readonly HostLog[];
  private readonly requests: readonly InputRequest[];
  private readonly state: HostState | null;
  /** What it knows of its logs once it looked. */
  private after: Pick<HostState, 'logs' | 'lost'> | null = null;
  private readonly unread: readonly Unread[];
  private readonly problems: InputProblem[] = [];
  private readonly notices: string[] = [];
  private readonly reached = new Map<Task, Reached>();
  private readonly ends = new Map<Task, Ends>();
  private readonly newest = new Map<Task, bigint>();
  /** Of logs that were added to, by their heads. */
  private readonly accounts = new Map<string, readonly LogBatch[]>();
  /** What batches are called that are gone. */
  private readonly names = new Map<Task, string>();
  private readonly read = { bytes: 0, files: new Set<string>() };
  stage: Database | undefined;

  /** @param stage of the one before: its name is taken. */
  constructor(db: Database, lake: FolderLake, options: ExportOptions, stage?: Database) {
    const { place, making } = lake;
    this.db = db;
    this.lake = lake;
    this.options = options;
    this.stage = stage;
    this.committed = new Committed(lake);
    this.chains = chainsOf(this.committed.read.receipts);
    this.state = readHost(place, making.lake_id, options.host);
    const { receipts } = this.committed.read;
    this.ways = new Ways(receipts);
    this.published = logsOf(options.host, this.state, this.ways, this.chains);
    this.logs = this.published.map(({ log }) => log);
    this.requests = this.state?.requests ?? [];
    this.unread = unreadOf(this.state, options.host, receipts, options.now);
  }

  /** Before anything is published: a host that has receipts and no memory is known to have lost it. */
  private announce(requests: readonly InputRequest[]): void {
    beginLook(this.lake.place, this.state, this.looked(), requests, this.committed.read.receipts);
  }

  async run(given: readonly InputRequest[]): Promise<Exported> {
    const { options, lake } = this;
    const [usesKnown, named] = [this.usesKnown(given), this.namedBy(given)];
    const requests = absolute(named, options.cwd);
    const inputs = await resolveLogs(named, { ...options, lakePath: lake.place.path });
    const pieces = async (log: number) => this.piecesOf(log);
    const again = requests.filter(canBeLookedAtAgain);
    this.announce(again);
    const found = await survey(inputs.files, this.logs, { ...options, requests, pieces });
    await this.publishAll(found);
    const logs = this.logsAfter(found);
    const isMissed = (one: InputProblem) => usesKnown && isToldByState(one, logs);
    const { files } = inputs;
    const problems = [
      ...inputs.problems.filter((one) => !isMissed(one)),
      ...found.problems,
      ...unfinished(logs, files, options),
    ];
    const looked = { ...options, requests: again, files, problems, known: this.logs, logs };
    const { receipts } = this.committed.read;
    const now = this.headsNow();
    const published = { receipts, ways: this.ways, now };
    const lost = await lostAfter(this.state, logs, published, options);
    const state = { ...this.looked(), logs, lost };
    this.after = state;
    const unread = unreadAfter(this.unread, looked);
    const where = ({ path }: Unread) => `${options.host}:${path}`;
    this.problems.push(
      ...settleable(problems, unread.found, options.cwd, where),
      ...lostAmong(unread.kept, again).map((one) => remembered(one, where(one))),
      ...brokenOf({ host: options.host, logs: heldBy(state) }),
      ...lostBatches(state, receipts, new Set([...headsOf(receipts), ...now.keys()])),
      ...gapsLeft(options.host, this.committed),
    );
    this.notices.push(...inputs.notices, ...found.notices);
    writeHost(lake.place, {
      ...{ ...state, requests: this.requestsAfter(again), unread: allOf(unread) },
      ...{ looking_at: stillLookingAt(this.state, requests), of_files: this.ofFiles(looked, unread.found) },
    });
    return this.told(logs, found, inputs.files, usesKnown);
  }

  /**
   * Publishes batches that are gone from among others, where a log that was named still has their bytes.
   * @returns whether there were any.
   */
  async fillGaps(given: readonly InputRequest[]): Promise<boolean> {
    const gaps = gapsIn(this.committed.read.receipts, this.ways);
    if (gaps.length === 0) return false;
    let isAny = false;
    const { options, lake } = this;
    const named = this.namedBy(given);
    const { files } = await resolveLogs(named, { ...options, lakePath: lake.place.path });
    this.announce(absolute(named, options.cwd).filter(canBeLookedAtAgain));
    for (const gap of gaps) {
      const { id, from, to, before, after } = gap;
      // One that cannot be believed stands where it would be put.
      if (this.committed.has(id)) continue;
      const own = { byte_from: from, bytes: to - from, sha256: id, before: before.at(-1)?.id ?? null };
      const file = await holderOf([...before.map(pieceOf), own], after.file, files, options);
      if (!file) continue;
      await this.publishRound([await this.readingIn(gap, file)]);
      isAny = true;
    }
    return isAny;
  }

  /** Puts back rows that are gone while the receipts of their batches are there, where a log still has the bytes. */
  async restoreRows(given: readonly InputRequest[]): Promise<void> {
    const { options, lake } = this;
    const logs = logsOf(options.host, this.after, this.ways, this.chains);
    const all = logs.flatMap(({ log, batches }) => (log.state === 'here' ? [batches] : []));
    const lost = lostRows(lake, [...new Set(all.flat())]);
    if (lost.length === 0) return;
    const { files } = await resolveLogs(this.namedBy(given), { ...options, lakePath: lake.place.path });
    for (const { receipt, files: gone } of lost) {
      const batches = all.find((some) => some.includes(receipt))!;
      const pieces = batches.slice(0, batches.indexOf(receipt) + 1).map(pieceOf);
      const file = await holderOf(pieces, receipt.file, files, options);
      if (file) await this.restore(receipt, gone, file);
    }
  }

  private async restore(receipt: BatchReceipt, gone: readonly DataFile[], file: SourceFile): Promise<void> {
    const { byte_from: from, byte_to: to, lines_before } = receipt.file;
    const reading = await readingOf(this.taskOf(file, from, to), lines_before, this.options);
    const { loaded, stage, plan } = await this.load([reading], new Map());
    const [only] = loaded.files;
    if (only === undefined) return;
    await explode(stage, plan);
    const rows = { db: stage, catalog: STAGE, number: only.batch, plan };
    const there = await putBack(receipt, rows, gone, this.lake.place);
    if (there > 0) this.notices.push(`rows of batch ${short(receipt.id)} were gone, and are put back`);
    if (there < gone.length)
      this.problems.push(
        damage(receipt.file.name, `rows of batch ${short(receipt.id)} ${OTHERWISE}`, NEW_FOLDER),
      );
  }

  private async readingIn({ id, from, to, before, after }: Gap, file: SourceFile): Promise<BatchReading> {
    const task = this.taskOf(file, from, to);
    const last = before.at(-1);
    const lines = last ? last.file.lines_before + last.account.lines : 0;
    const reading = await readingOf(task, lines, this.options);
    this.begin(reading.task, before);
    this.names.set(reading.task, id);
    const { name, path } = after.file;
    this.reached.set(reading.task, { ...this.reached.get(reading.task)!, name, path });
    return reading;
  }

  private taskOf(file: SourceFile, from: number, to: number): Task {
    const size = Number(file.stats!.size);
    return { file, log: null, form: 'plain', request: file.path, from, to, size, isSettled: to === size };
  }

  private usesKnown(given: readonly InputRequest[]): boolean {
    return given.some(({ isDefault }) => isDefault) && this.requests.length > 0;
  }

  private namedBy(given: readonly InputRequest[]): readonly InputRequest[] {
    return this.usesKnown(given) ? this.requests : given;
  }

  /** Who looks, and when. */
  private looked() {
    const { host, now } = this.options;
    return { host, lake: this.lake.making.lake_id, synced_at: instantOf(now) };
  }

  private piecesOf(log: number): Piece[] {
    return this.batchesOf(log).map(pieceOf);
  }

  /** That are published of a log. */
  private batchesOf(number: number | undefined): readonly BatchReceipt[] {
    return this.published.find(({ log }) => log.log === number)?.batches ?? [];
  }

  private async publishAll({ tasks, problems }: Survey): Promise<void> {
    let round: BatchReading[] = [];
    let size = 0;
    for (const found of tasks) {
      // Of a log that nobody writes to any more the last line has its end, whatever it ends with.
      const task = found.form === 'plain' && found.isSettled ? { ...found, to: found.size } : found;
      this.begin(task, this.batchesOf(task.log?.log));
      const isRead = await isReadable(addTo(problems, task.file), async () => {
        for await (const batch of batchesOf(task, this.options, MOST_BYTES)) {
          round.push(batch);
          size += batch.range.to - batch.range.from;
          if (size < ROUND_BYTES) continue;
          await this.publishRound(round);
          [round, size] = [[], 0];
        }
      });
      if (isRead) continue;
      round = round.filter((batch) => batch.task !== task);
      if (this.reached.get(task)!.last === null) this.reached.delete(task);
    }
    if (round.length > 0) await this.publishRound(round);
  }

  /** @param batches what is published of it. */
  private begin(task: Task, batches: readonly BatchReceipt[]): void {
    const tip = batches.at(-1);
    this.reached.set(task, {
      root: tip?.file.root ?? null,
      last: tip?.id ?? null,
      ...{ read_to: tip?.file.byte_to ?? 0, head: tip?.file.head ?? '' },
      lines: tip ? tip.file.lines_before + tip.account.lines : 0,
      ...{ name: tip?.file.name ?? null, path: tip?.file.path ?? null },
    });
    const times = batches.flatMap(({ newest_record }) => newest_record ?? []);
    const micros = times.map(microsOf);
    if (micros.length > 0)
      this.newest.set(
        task,
        micros.reduce((a, b) => (a > b ? a : b)),
      );
  }

  /** A batch is what its bytes are, whatever else is loaded with it: so it can be made again. */
  private async load(readings: readonly BatchReading[], ends: Map<SourceFile, Ends>) {
    const { db, lake, options } = this;
    this.stage ??= await openBeside(db, STAGE);
    const { stage } = this;
    const plan = lakePlan(lake.making.keeps_content);
    const loaded = await loadFiles(stage, plan, readings, {
      ...options,
      ...{ hashes: true, everyReject: true, gatedKinds: null, pendingGraceS: 0, threads: THREADS },
      open: batchOpener(options, ends),
    });
    const [broken] = loaded.unreadable;
    if (broken) throw cannotBeRead(broken.source.name, broken.error.message);
    return { stage, plan, loaded, duplicates: await countOwnDuplicates(stage, loaded.files) };
  }

  private async publishRound(readings: readonly BatchReading[]): Promise<void> {
    const { options } = this;
    const ends = new Map<SourceFile, Ends>();
    const lined = readings.map((reading, i) => this.continued(reading, readings[i - 1]));
    const { stage, plan, loaded, duplicates } = await this.load(lined, ends);
    const taskOf = ({ source }: LoadedFile) => (source as BatchReading).task;
    const late = await lateIn(stage, behindOf(loaded.files, taskOf, this.newest));
    await explode(stage, plan);
    for (const file of loaded.files) {
      const account = accountOf(file, {
        duplicates: duplicates.get(file.batch) ?? 0,
        conflicts: 0,
        late: late.get(file.batch)?.late ?? 0,
      });
      const own = { ...withoutName(account), late_line: late.get(file.batch)?.line ?? null };
      const batchAs = (id: string): Batch => ({
        ...{ id, host: options.host, file: this.placeOf(file, id, ends.get(file.source)!), account: own },
        ...{ newestRecord: account.newest_record, rejects: rejectsOf(file), notices: markNotice(file) },
        rows: { db: stage, catalog: STAGE, number: file.batch, plan },
      });
      this.took(file, await this.publish(file, batchAs), ends.get(file.source)!);
    }
  }

  private async publish(file: LoadedFile, batchAs: (id: string) => Batch): Promise<PublishedBatch> {
    const { lake, options, committed } = this;
    const { task, range } = file.source as BatchReading;
    const publishing = { place: lake.place, lakeId: lake.making.lake_id, now: options.now, committed };
    const name = this.names.get(task);
    // What is gone comes back under its name.
    if (name !== undefined) {
      const batch = batchAs(name);
      return { batch, other: await publishBatch(batch, publishing) };
    }
    const { root, last } = this.reached.get(task)!;
    const at = { root, before: last, byte_to: range.to };
    return publishNamed(file.counts.sha256!, at, batchAs, publishing);
  }

  /** A batch of a log that an earlier round began counts its lines from where that one ended. */
  private continued(reading: BatchReading, before: BatchReading | undefined): BatchReading {
    if (reading.range.linesBefore !== null || before?.task === reading.task) return reading;
    return { ...reading, range: { ...reading.range, linesBefore: this.reached.get(reading.task)!.lines } };
  }

  private placeOf({ source }: LoadedFile, id: string, ends: Ends): BatchPlace {
    const { task, range } = source as BatchReading;
    const { root, last, lines, head, name, path } = this.reached.get(task)!;
    const where = path ?? task.file.path;
    return {
      name: name ?? logName(this.options.host, where, root ?? id),
      ...{ path: where, kind: task.file.as, form: task.form, byte_from: range.from, byte_to: range.to },
      ...{ lines_before: lines, before: last, root: root ?? id, head: headAfter(head, id) },
      ...ends,
    };
  }

  private took({ source, counts, bytes }: LoadedFile, { batch, other }: PublishedBatch, ends: Ends): void {
    const { task } = source as BatchReading;
    const { lines, head } = this.reached.get(task)!;
    const { file, account, newestRecord } = batch;
    this.accounts.set(file.head, [...this.accountsAt(head), { account, newest_record: newestRecord }]);
    // Who committed the first batch of a log named it, whoever adds to it.
    const { name, path } = other?.file ?? file;
    this.reached.set(task, {
      ...{ root: file.root, last: batch.id, read_to: file.byte_to, lines: lines + counts.lines },
      ...{ head: file.head, name, path },
    });
    this.ends.set(task, ends);
    this.notices.push(...markNotice({ source, counts, bytes, batch: 0, maybeEmpty: false }));
    this.read.bytes += bytes;
    this.read.files.add(source.name);
  }

  /** What the host knows of its logs from now on. */
  private logsAfter({ updates }: Survey): HostLog[] {
    const byNumber = new Map(this.logs.map((log) => [log.log, log]));
    for (const update of updates) byNumber.set(update.log, { ...byNumber.get(update.log)!, ...update });
    let next = this.logs.length + 1;
    for (const [task, { root, read_to, lines, head }] of this.reached) {
      const known = task.log ? byNumber.get(task.log.log)! : { ...newLog(task, next++), root: null };
      byNumber.set(known.log, {
        ...{ ...known, ...placeIn(task, read_to), root, read_to, lines, head },
        ...this.ends.get(task),
      });
    }
    // What another host exported and does not stand here is no log of this one; a pipe is read once.
    return [...byNumber.values()].filter(({ path, form }) => path !== '' && form !== 'stream');
  }

  /** Of logs that were added to, the heads of their batches, by the last of these. */
  private headsNow(): ReadonlyMap<string, readonly string[]> {
    return new Map(
      [...this.reached].map(([{ log }, { head }]) => [
        head,
        [...this.batchesOf(log?.log).map(({ file }) => file.head), head],
      ]),
    );
  }

  /** What lake files could not read, and is not read here either since. */
  private ofFiles(
    looked: Parameters<typeof keptAfter>[1],
    found: readonly Unread[],
  ): Record<string, readonly Unread[]> {
    const held = Object.entries(this.state?.of_files ?? {});
    return Object.fromEntries(held.map(([file, all]) => [file, keptAfter(all, looked, found)]));
  }

  private requestsAfter(requests: readonly InputRequest[]): InputRequest[] {
    const more = requests.filter(({ path }) => !this.requests.some((one) => isSamePath(one.path, path)));
    return [...this.requests, ...more];
  }

  private accountsAt(head: string): readonly LogBatch[] {
    return this.accounts.get(head) ?? this.published.find(({ log }) => log.head === head)?.batches ?? [];
  }

  private accountOf({ name, head }: HostLog): FileAccount[] {
    const batches = this.accountsAt(head);
    return batches.length === 0 ? [] : [{ file: name, ...sumOfAccounts(batches), head }];
  }

  private told(
    logs: readonly HostLog[],
    { empty, standing }: Survey,
    files: readonly SourceFile[],
    usedKnown: boolean,
  ): Exported {
    const before = this.logs.filter(({ path }) => path !== '').reduce((sum, { read_to }) => sum + read_to, 0);
    const isRead = (file: SourceFile) => logs.some(({ path, read_to }) => path === file.path && read_to > 0);
    const mayBeEmpty = [...empty, ...files.filter((file) => file.maybeEmpty && !isRead(file))];
    return {
      files: logs.flatMap((log) => this.accountOf(log)),
      ...{ problems: this.problems, notices: this.notices, usedKnown },
      mayBeEmpty: mayBeEmpty.map(({ name }) => name),
      read: { bytes: this.read.bytes, files: this.read.files.size },
      before: { bytes: before, files: standing.length },
    };
  }
}

const OTHERWISE = 'are gone, and come out otherwise than its receipt says (another version published them)';
const NEW_FOLDER =
  'put back its files from a copy; without one, publish the logs into a new folder: lakelog sync';

const withoutName = ({ file: _, newest_record: __, ...account }: FileAccount) => account;

/** By reason, and by whether they could hide a call; the words are those of the first. */
export function rejectsOf({ source, counts }: LoadedFile): RejectSums[] {
  const groups = new Map<string, RejectSums>();
  for (const { reason, kind, count, line, detail } of counts.groups) {
    const blocks = blocksGates(source.as, kind, reason);
    const before = groups.get(`${blocks} ${reason}`) ?? { reason, count: 0, line, detail, blocks };
    groups.set(`${blocks} ${reason}`, { ...before, count: before.count + count });
  }
  return [...groups.values()];
}
