/** Batches of a lake file become batches of the folder, as they stand in its tables: its logs may be gone. */
import type { Readable } from 'node:stream';
import { LakelogError, shellWord } from '../../errors.js';
import { instantOf, rfc3339 } from '../../instant.js';
import { kernelPath } from '../../kernel-path.js';
import type { BatchAccount, BatchPlace, BatchReceipt, RejectSums } from '../../schema/batch.js';
import type { InputProblem } from '../../schema/result.js';
import type { Database } from '../duckdb/connection.js';
import { type InputRequest, statOf } from '../input/index.js';
import { withFile } from '../store/bytes.js';
import { endOf, headAfter, isSame, startOf } from '../store/fingerprint.js';
import { type KnownLog, readLogs, readRequests } from '../store/logs.js';
import { attach, CATALOG, detach, isThere, lakeFileOf } from '../store/open.js';
import { lakePlan } from '../store/tables.js';
import { isBrokenLog, readUnread, type Unread } from '../store/unread.js';
import { Committed } from './committed.js';
import { type Exported, ensureSameMaking, sumOfAccounts } from './fill.js';
import { gapsLeft } from './gaps.js';
import { Ways } from './host-logs.js';
import {
  beginLook,
  type HostLog,
  type HostState,
  headsOf,
  lostBatches,
  problemsOf,
  readHost,
  stillLookingAt,
  unreadOf,
  writeHost,
} from './hosts.js';
import { logName } from './layout.js';
import { lostAfter } from './lost-logs.js';
import { type Lost, lostRows } from './lost-rows.js';
import type { FolderLake } from './making.js';
import { type Batch, type BatchRows, publishNamed, putBack } from './publish.js';
import { damage, short } from './receipts.js';

export interface FromOptions {
  readonly file: string;
  readonly host: string;
  readonly cwd: string;
  readonly lockTimeoutS: number;
  readonly now: Date;
  readonly stdin: Readable;
}

interface Made {
  readonly keeps_content: boolean;
  readonly max_line_bytes: number;
  readonly is_loading: boolean;
  /** RFC 3339 UTC. */
  readonly last_sync: string | null;
}

type Known = Pick<HostState, 'host' | 'logs' | 'lost' | 'unread'>;

interface HeldBatch extends BatchAccount {
  readonly batch: number;
  readonly byte_from: number;
  readonly lines_before: number;
  readonly sha256: string;
  readonly head: string;
  readonly newest_record: string | null;
}

/** Publishes what the folder does not have. @throws LakelogError. */
export async function exportFile(db: Database, lake: FolderLake, options: FromOptions): Promise<Exported> {
  const file = lakeFileOf(options.file, options.cwd, options.lockTimeoutS);
  if (!isThere(file))
    throw new LakelogError('there is no lake', {
      where: options.file,
      next: `fill one: lakelog sync --lake ${shellWord(options.file)} LOGS`,
    });
  await attach(db, file, 'read');
  try {
    const [made] = await db.objects<Made>(
      'SELECT keeps_content, max_line_bytes, is_loading, last_sync FROM main.lake',
    );
    ensureSameMaking(lake, { maxLineBytes: made!.max_line_bytes, keepContent: false });
    if (lake.making.keeps_content && !made!.keeps_content)
      throw new LakelogError('the folder keeps content, and the lake file has none', {
        where: options.file,
        next: 'fill another folder from it',
      });
    const exporting = new FromFile(db, lake, options);
    const requests = await readRequests(db);
    exporting.begin(requests);
    for (const log of await readLogs(db)) await exporting.take(log);
    const known = await exporting.remember(made!, requests, await readUnread(db));
    return exporting.told(known);
  } finally {
    await detach(db);
  }
}

/** A batch of the lake file, and what is published of its log before it and with it. */
interface Held {
  readonly log: KnownLog;
  readonly batch: HeldBatch;
  readonly reached: Reached;
  readonly root: string;
  readonly head: string;
}

/** How far a log is published. */
type Reached = Pick<BatchPlace, 'before' | 'head'> & { readonly root: string | null };

class FromFile {
  private readonly db: Database;
  private readonly lake: FolderLake;
  private readonly options: FromOptions;
  private readonly committed: Committed;
  private readonly there: ReadonlyMap<string, BatchReceipt>;
  /** Batches of which rows are gone. */
  private readonly lost: ReadonlyMap<string, Lost>;
  private readonly logs: HostLog[] = [];
  private readonly files: Exported['files'][number][] = [];
  private readonly problems: InputProblem[] = [];
  /** Of the logs of the lake file the heads of their batches, by the last of these. */
  private readonly heads = new Map<string, readonly string[]>();
  private readonly read = { bytes: 0, files: 0 };
  private readonly before = { bytes: 0, files: 0 };

  constructor(db: Database, lake: FolderLake, options: FromOptions) {
    this.db = db;
    this.lake = lake;
    this.options = options;
    this.committed = new Committed(lake);
    const { receipts } = this.committed.read;
    this.there = new Map(receipts.map((receipt) => [receipt.id, receipt]));
    this.lost = new Map(lostRows(lake, receipts).map((one) => [one.receipt.id, one]));
  }

  begin(requests: readonly InputRequest[]): void {
    const { place, making } = this.lake;
    const { host } = this.options;
    const before = readHost(place, making.lake_id, host);
    const began = { host, lake: making.lake_id, synced_at: rfc3339(0n) };
    beginLook(place, before, began, requests, this.committed.read.receipts);
  }

  async take(log: KnownLog): Promise<void> {
    const batches = await this.db.objects<HeldBatch>(
      `SELECT batch, bytes, lines, loaded, rejected, duplicates, blank, pending, conflicts, late, late_line,
         byte_from, lines_before, sha256, head, newest_record
       FROM main.base_batches WHERE log = ${log.log} ORDER BY byte_from`,
    );
    const { bytes } = this.read;
    let reached: Reached = { before: null, root: null, head: '' };
    const heads: string[] = [];
    for (const batch of batches) {
      reached = await this.publish(log, batch, reached);
      heads.push(reached.head);
    }
    this.heads.set(reached.head, heads);
    // In the folder batches may be called otherwise, and so the log.
    const { root, head } = reached;
    if (log.form !== 'stream') this.logs.push({ ...log, root, head: root === null ? log.head : head });
    if (batches.length === 0) return;
    this.read.files += this.read.bytes > bytes ? 1 : 0;
    const accounts = batches.map((account) => ({ account, newest_record: account.newest_record }));
    this.files.push({ file: log.name, ...sumOfAccounts(accounts), conflicts: 0, head });
  }

  private async publish(log: KnownLog, batch: HeldBatch, reached: Reached): Promise<Reached> {
    const { committed, lake, options } = this;
    const at = { ...reached, byte_to: batch.byte_from + batch.bytes };
    const reachedBy = (id: string) => ({
      ...{ before: id, root: reached.root ?? id, head: headAfter(reached.head, id) },
    });
    const id = committed.nameOf(batch.sha256, at);
    const there = this.there.get(id);
    if (there) {
      this.before.bytes += batch.bytes;
      const lost = this.lost.get(there.id);
      if (lost) await putBack(there, this.rowsOf(batch), lost.files, lake.place);
      this.compare(log, batch, there);
      return reachedBy(id);
    }
    const rejects = await this.rejectsOf(batch.batch);
    const published = await publishNamed(
      batch.sha256,
      at,
      (id) => this.batchAs(id, rejects, { log, batch, reached, ...reachedBy(id) }),
      { place: lake.place, lakeId: lake.making.lake_id, now: options.now, committed },
    );
    this.read.bytes += batch.bytes;
    return reachedBy(published.batch.id);
  }

  private batchAs(id: string, rejects: readonly RejectSums[], { log, batch, ...at }: Held): Batch {
    const { options } = this;
    const { root, head, reached } = at;
    // Who committed the first batch of a log named it, whoever adds to it.
    const named = this.committed.receiptOf(root)?.file;
    const byte_to = batch.byte_from + batch.bytes;
    return {
      ...{ id, host: options.host, newestRecord: batch.newest_record, notices: [], rejects },
      file: {
        name: named?.name ?? logName(options.host, log.path, root),
        ...{ path: named?.path ?? log.path, kind: log.kind, form: log.form, byte_from: batch.byte_from },
        ...{ byte_to, lines_before: batch.lines_before, before: reached.before, root, head },
        ...endsAt(log, byte_to),
      },
      account: accountOf(batch),
      rows: this.rowsOf(batch),
    };
  }

  private rowsOf({ batch: number }: HeldBatch): BatchRows {
    const { db, lake } = this;
    return { db, catalog: CATALOG, number, plan: lakePlan(lake.making.keeps_content) };
  }

  /** Lines that one of two publishers left out, because another batch of its own has them. */
  private compare(log: KnownLog, { sha256, loaded }: HeldBatch, { account, host }: BatchReceipt): void {
    if (account.loaded >= loaded) return;
    this.problems.push(
      damage(
        log.name,
        `batch ${short(sha256)} was published by ${host} with ${account.loaded} records, and the lake file has ${loaded} of it`,
        `let ${host} publish all of its batches: lakelog sync`,
      ),
    );
  }

  private rejectsOf(batch: number): Promise<RejectSums[]> {
    return this.db.objects<RejectSums>(
      `SELECT reason, count(*) AS count, min(line) AS line, arg_min(detail, line) AS detail, blocks
       FROM main.base_rejects WHERE batch = ${batch} GROUP BY reason, blocks ORDER BY line`,
    );
  }

  /**
   * What the lake file knows of its logs is what the host saw of them, as long as the host did not look later itself.
   * @returns what is known of the host.
   */
  async remember(
    { last_sync, is_loading }: Made,
    requests: readonly InputRequest[],
    unread: readonly Unread[],
  ): Promise<Known> {
    const { place, making } = this.lake;
    const { host, now } = this.options;
    const before = readHost(place, making.lake_id, host);
    const synced_at = last_sync ?? instantOf(now);
    const isLater = before !== null && before.synced_at > synced_at;
    const [first, second] = isLater ? [before.logs, this.logs] : [this.logs, before?.logs ?? []];
    // What the host missed in a log of its own no copy of that log makes good.
    const broken = (before?.logs ?? []).filter(isBrokenLog);
    const isBroken = (log: HostLog) => broken.some((one) => one === log || isOneLog(one, log));
    const isKnown = (log: HostLog) => first.some((one) => isOneLog(one, log));
    const others = [...first, ...second.filter((log) => !isKnown(log))].filter((log) => !isBroken(log));
    const logs = [...broken, ...others];
    const more = (before?.requests ?? []).filter(({ path }) => requests.every((one) => one.path !== path));
    const { receipts } = this.committed.read;
    const state = {
      ...{ host, lake: making.lake_id, logs },
      lost: await lostAfter(
        before,
        logs,
        { receipts, ways: new Ways(receipts), now: this.heads, added: this.logs },
        this.options,
      ),
      unread: unreadOf(before, host, receipts, now),
    };
    // What the host saw later itself it knows better, log by log, once it looks there.
    const left = this.leftBy(is_loading, unread, isLater ? this.logs : []);
    const of_files = { ...before?.of_files, [kernelPath(this.options.cwd, this.options.file)]: left };
    writeHost(place, {
      ...{ ...state, of_files, synced_at: isLater ? before.synced_at : synced_at },
      requests: [...more, ...requests],
      looking_at: stillLookingAt(before, requests),
    });
    return { host, logs: this.logs, lost: state.lost, unread: left };
  }

  /** What the lake file is without, and the state of no log tells. */
  private leftBy(isLoading: boolean, unread: readonly Unread[], untold: readonly HostLog[]): Unread[] {
    const { file, cwd } = this.options;
    const detail = 'the lake file was not filled to its end, so that not all of its logs are published';
    const next = `let it: lakelog sync --lake ${shellWord(file)}`;
    return [
      ...unread,
      ...untold.filter(isBrokenLog).map(({ path, request, detail: why, head }) => ({
        ...{ path, problem: 'changed' as const, detail: why!, by: [request], mark: head },
      })),
      ...(isLoading ? [{ ...damage(kernelPath(cwd, file), detail, next), by: [file] }] : []),
    ];
  }

  told(known: Known): Exported {
    const { receipts } = this.committed.read;
    const heads = new Set([...headsOf(receipts), ...[...this.heads.values()].flat()]);
    return {
      files: this.files,
      problems: [
        ...this.problems,
        ...problemsOf(known),
        ...lostBatches(known, receipts, heads),
        ...gapsLeft(known.host, this.committed),
      ],
      ...{ notices: [], mayBeEmpty: [], usedKnown: true },
      read: this.read,
      before: { ...this.before, files: this.files.length - this.read.files },
    };
  }
}

/** Two logs may begin alike: one of them is the other where it stands there, or holds the same. */
const isOneLog = (one: HostLog, other: HostLog) =>
  (one.root ?? one.path) === (other.root ?? other.path) &&
  (one.path === other.path || one.head === other.head);

/** How the log is known again up to the end of a batch: a lake file holds it of the last one only. */
function endsAt(log: KnownLog, byteTo: number): Pick<KnownLog, 'start_sha256' | 'end_sha256'> {
  const stats = log.form === 'plain' && byteTo < log.read_to ? statOf(log.path) : undefined;
  try {
    const own =
      stats?.isFile() &&
      withFile(log.path, (fd) => isSame(fd, Number(stats.size), log) && readEnds(fd, byteTo));
    if (own) return own;
  } catch {
    // What cannot be read is not looked at again either.
  }
  return { start_sha256: log.start_sha256, end_sha256: log.end_sha256 };
}

const readEnds = (fd: number, byteTo: number) => ({
  ...{ start_sha256: startOf(fd, byteTo), end_sha256: endOf(fd, byteTo) },
});

function accountOf(batch: HeldBatch): BatchAccount {
  const { bytes, lines, loaded, rejected, duplicates, blank, late, late_line } = batch;
  return { bytes, lines, loaded, rejected, duplicates, blank, pending: 0, conflicts: 0, late, late_line };
}
