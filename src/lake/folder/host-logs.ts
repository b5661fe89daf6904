/** The logs of hosts, as far as they are published: two logs may begin alike, and part. */
import type { BatchReceipt } from '../../schema/batch.js';
import { identityOf, statOf } from '../input/index.js';
import { withFile } from '../store/bytes.js';
import { isNamed, isSame, NOTHING_READ } from '../store/fingerprint.js';
import { hashOf } from './hash-file.js';
import { type HostLog, type HostState, heldBy } from './hosts.js';
import { type Chain, chainsBehindGaps, isWhole, pieceOf, tipOf } from './receipts.js';

/** @returns who published a batch, and who has it in a log of its own: two logs may begin alike. */
export function holdersOf(
  receipts: readonly BatchReceipt[],
  hosts: readonly HostState[],
): (receipt: BatchReceipt) => string[] {
  const ways = new Ways(receipts);
  const holders = new Map<string, Set<string>>(receipts.map(({ id, host }) => [id, new Set([host])]));
  for (const { host, logs } of hosts)
    for (const { head } of logs) for (const { id } of ways.wayTo(head) ?? []) holders.get(id)!.add(host);
  return ({ id }) => [...holders.get(id)!];
}

/** Batches one behind the other, which are a log: where two hosts have logs that begin alike, they part. */
export class Ways {
  private readonly byHead: ReadonlyMap<string, BatchReceipt>;
  private readonly byId: ReadonlyMap<string, BatchReceipt>;
  private readonly followers = new Map<string, BatchReceipt[]>();

  constructor(receipts: readonly BatchReceipt[]) {
    this.byHead = new Map(receipts.map((receipt) => [receipt.file.head, receipt]));
    this.byId = new Map(receipts.map((receipt) => [receipt.id, receipt]));
    for (const receipt of receipts) {
      const before = this.beforeOf(receipt);
      if (before) this.followers.set(before.id, [...this.followersOf(before.id), receipt]);
    }
  }

  /** Null where one of them is not there. */
  wayTo(head: string): BatchReceipt[] | null {
    const way: BatchReceipt[] = [];
    for (let at = this.byHead.get(head); at; at = this.beforeOf(at)) {
      way.push(at);
      if (at.file.before === null) return way.reverse();
    }
    return null;
  }

  followersOf(id: string): readonly BatchReceipt[] {
    return this.followers.get(id) ?? [];
  }

  /** The batch before it, where the two join: that of another place may have its name. */
  private beforeOf({ file: { before: id, byte_from, root } }: BatchReceipt): BatchReceipt | undefined {
    const before = this.byId.get(id ?? '');
    // Whoever seals receipts may have made a circle of them.
    const joins = before && before.file.byte_from < byte_from && before.file.byte_to === byte_from;
    return joins && before.file.root === root ? before : undefined;
  }

  /**
   * The batches of a log, as far as its file has them where others were published since: by another host, or by a run that was killed.
   * @param main what most go on with who begin like this log.
   */
  wayOf(log: HostLog, host: string, main: Chain | undefined): BatchReceipt[] | null {
    const first = this.byId.get(log.root ?? '');
    const own = this.wayTo(log.head) ?? (first?.file.before === null ? [first] : null);
    const way = own && main ? onMain(own, main, log) : own;
    for (let last = way?.at(-1); last; ) {
      const next = this.followersOf(last.id);
      last =
        next.find((one) => stands(one, log)) ??
        (next.length === 1 && isOwn(next[0]!, log, host) ? next[0] : undefined);
      if (last) way!.push(last);
    }
    return way;
  }
}

/** Where a log was published twice at once, in other byte ranges, all go on with the same ones. */
function onMain(own: BatchReceipt[], main: Chain, log: HostLog): BatchReceipt[] {
  const tip = own.at(-1)!;
  if (main.batches.includes(tip)) return own;
  const end = main.batches.findIndex(({ file }) => file.byte_to >= tip.file.byte_to);
  const way = main.batches.slice(0, end + 1);
  return end >= 0 && way.every((batch) => own.includes(batch) || stands(batch, log)) ? way : own;
}

/** Whether the bytes of a batch stand in the file of a log. */
function stands(batch: BatchReceipt, { path, form }: HostLog): boolean {
  const { byte_from, byte_to } = batch.file;
  const stats = form === 'plain' ? statOf(path) : undefined;
  if (!stats?.isFile() || stats.size < byte_to) return false;
  return isNamed(pieceOf(batch), hashOf(path, byte_from, byte_to));
}

/** Where another file stands by now, or another log in it, nothing there tells what this host published before it was killed. */
function isOwn(batch: BatchReceipt, log: HostLog, host: string): boolean {
  const stats = statOf(log.path);
  if (batch.host !== host || !stats || identityOf(stats) !== log.identity) return batch.host === host;
  return log.form === 'plain' && !withFile(log.path, (fd) => isSame(fd, Number(stats.size), log));
}

/** A log that a host knows, as far as it is published, and its batches. */
export interface PublishedLog {
  readonly log: HostLog;
  readonly batches: readonly BatchReceipt[];
}

/** What a host knows of its logs: as far as receipts say, and where they stood at its last look. */
export function logsOf(
  host: string,
  state: Pick<HostState, 'logs' | 'lost'> | null,
  ways: Ways,
  chains: readonly Chain[],
): PublishedLog[] {
  const known = heldBy(state).flatMap((log): PublishedLog[] => {
    if (log.root === null) return [{ log, batches: [] }];
    const main = chains.find((chain) => isWhole(chain) && chain.root === log.root);
    const batches = ways.wayOf(log, host, main);
    return batches ? [{ log: { ...log, ...grown(log, batches) }, batches }] : [];
  });
  // Of logs that a memory named and that are gone with it, one word is told, and not of each again.
  const is_settled = state === null;
  const heads = new Set(known.map(({ log }) => log.head));
  const others = chains
    .filter(({ batches }) => batches.every(({ file }) => !heads.has(file.head)))
    .flatMap((chain): PublishedLog[] => {
      const batches = ways.wayTo(tipOf(chain).file.head);
      if (batches === null) return [];
      const log = derived(batches, host, ways, is_settled);
      if (log.path === '') return [{ log, batches }];
      // What this host published twice at once, and went on with the other, is no log of its own.
      if (known.some((one) => one.log.root === log.root)) return [];
      // Nor is what it published anew since receipts were gone, which are there again.
      const holder = known.find((one) => holds(one.log, batches));
      if (!holder) return [{ log, batches }];
      const also = new Set([...(holder.log.also ?? []), log.head]);
      known[known.indexOf(holder)] = { ...holder, log: { ...holder.log, also: [...also] } };
      return [];
    });
  return [...known, ...others].map(({ log, batches }, i) => ({ log: { ...log, log: i + 1 }, batches }));
}

/** Whether a log that a host knows begins with the bytes of these batches, all of them, or did when it was asked first. */
function holds(log: HostLog, batches: readonly BatchReceipt[]): boolean {
  const { head, byte_to } = batches.at(-1)!.file;
  if (log.also?.includes(head)) return true;
  return log.root !== null && log.read_to >= byte_to && batches.every((batch) => stands(batch, log));
}

/** A run that was killed published of what had been without an end. */
function grown({ read_to, rest }: HostLog, batches: readonly BatchReceipt[]) {
  const now = reached(batches);
  return { ...now, rest: Math.max(0, rest - Math.max(0, now.read_to - read_to)) };
}

function reached(batches: readonly BatchReceipt[]) {
  const { file, account } = batches.at(-1)!;
  return {
    ...{ root: file.root, read_to: file.byte_to, lines: file.lines_before + account.lines, head: file.head },
    ...{ start_sha256: file.start_sha256, end_sha256: file.end_sha256 },
  };
}

/** Logs of a host behind gaps, of which nothing else is known where its memory is gone. */
export const behindGaps = (host: string, ways: Ways, receipts: readonly BatchReceipt[]): HostLog[] =>
  chainsBehindGaps(receipts)
    .filter(({ batches }) => batches.some((one) => one.host === host))
    .map(({ batches }) => derived(batches, host, ways, true));

/** Of a log of which receipts alone are known. One that another host exported may stand here too, and is looked for nowhere. */
function derived(batches: readonly BatchReceipt[], host: string, ways: Ways, is_settled: boolean): HostLog {
  const { file, host: by } = batches.at(-1)!;
  // What other logs begin with too may be of this host by one of them.
  const parts = batches.findLastIndex(({ id }) => ways.followersOf(id).length > 1);
  const isOwn = batches.slice(parts + 1).some((one) => one.host === host);
  const place = isOwn ? file.path : '';
  return {
    ...{ log: 0, name: place, path: place, request: place, kind: file.kind, form: file.form },
    ...{ identity: '-', size: 0, mtime_ns: '0', rest: 0, is_settled },
    ...{ state: isOwn ? 'here' : 'gone', detail: isOwn ? null : `exported by ${by}` },
    ...NOTHING_READ,
    ...reached(batches),
  };
}
