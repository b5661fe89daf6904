/** What a host remembers of its logs between two exports, and tells of those that it cannot vouch for. */
import { shellWord, whyUnreadable } from '../../errors.js';
import { instantOf } from '../../instant.js';
import type { BatchReceipt } from '../../schema/batch.js';
import type { InputProblem } from '../../schema/result.js';
import type { InputRequest } from '../input/index.js';
import { sha256 } from '../store/fingerprint.js';
import type { KnownLog } from '../store/logs.js';
import { brokenLogs, isSamePath, remembered, type Unread } from '../store/unread.js';
import { HOSTS, hostName } from './layout.js';
import type { Place } from './place.js';
import { chainsBehindGaps, damage } from './receipts.js';
import { sealed, unsealed } from './seal.js';

const HOST_FORMAT = 'lakelog.host.v1';

/** A log as its host knows it, and the first batch of it; null where nothing of it was published yet. */
export interface HostLog extends KnownLog {
  readonly root: string | null;
  /** Heads of what was published of the same bytes in other batches. */
  readonly also?: readonly string[];
}

/** Receipts are the truth of what was published; this is what a look at the logs said last. */
export interface HostState {
  readonly schema: typeof HOST_FORMAT;
  readonly host: string;
  /** Of which lake. */
  readonly lake: string;
  /** RFC 3339 UTC: when the logs were looked at last. */
  readonly synced_at: string;
  readonly requests: readonly InputRequest[];
  readonly logs: readonly HostLog[];
  /** What could not be read when it was looked at last; not there: all could. */
  readonly unread?: readonly Unread[];
  /** As they were published, where receipts are gone since and the logs were not published again. */
  readonly lost?: readonly LostLog[];
  /** The first look at these has not come to its end. */
  readonly looking_at?: readonly InputRequest[];
  /** By lake file, what it could not read, lost or was not filled with when it was published last. */
  readonly of_files?: Readonly<Record<string, readonly Unread[]>>;
}

/** RFC 3339 UTC: when it was missed first. */
export type LostLog = HostLog & { readonly lost_at: string };

export function writeHost(place: Place, state: Omit<HostState, 'schema'>): void {
  place.replace(hostName(state.host), sealed({ schema: HOST_FORMAT, ...state }));
}

/**
 * Who asks while a host looks somewhere for the first time is told that it began to: what it published by then may be
 * less than it has. A memory that is gone is missed by itself.
 * @param began nothing but who looks, and when.
 */
export function beginLook(
  place: Place,
  before: HostState | null,
  began: Pick<HostState, 'host' | 'lake' | 'synced_at'>,
  requests: readonly InputRequest[],
  receipts: readonly BatchReceipt[],
): void {
  const isDamaged = before === null && place.has(hostName(began.host));
  if (isDamaged || isForgotten(before, began.host, receipts)) return;
  const known = before?.requests ?? [];
  const news = requests.filter((one) => !known.some(({ path }) => isSamePath(path, one.path)));
  if (before !== null && news.length === 0) return;
  writeHost(place, {
    ...(before ?? { ...began, logs: [] }),
    requests: [...known, ...news],
    looking_at: [...(before?.looking_at ?? []), ...news],
  });
}

/** @param requests of a look that came to its end. */
export const stillLookingAt = (
  before: Pick<HostState, 'looking_at'> | null,
  requests: readonly InputRequest[],
): readonly InputRequest[] =>
  (before?.looking_at ?? []).filter(({ path }) => !requests.some((one) => isSamePath(one.path, path)));

/** Receipts say that it looked, and what it knew by that is gone. */
const isForgotten = (state: HostState | null, host: string, receipts: readonly BatchReceipt[]): boolean =>
  state === null && receipts.some((one) => one.host === host);

/** What is not known any more of a host whose memory is gone: receipts say nothing of what it could not read or lost. */
export function unreadOf(
  state: HostState | null,
  host: string,
  receipts: readonly BatchReceipt[],
  now: Date,
): readonly Unread[] {
  if (state !== null) return state.unread ?? [];
  if (!isForgotten(state, host, receipts)) return [];
  const path = hostName(host);
  const detail = 'what the host knew of logs that it could not read, or lost, is gone with this file';
  return [{ ...damage(path, detail, 'put the file back from a copy'), by: [path], mark: instantOf(now) }];
}

/** Null for one that never looked, or whose memory is damaged: receipts say the same, if slower. */
export function readHost(place: Place, lakeId: string, host: string): HostState | null {
  const name = hostName(host);
  const state = place.has(name) ? stateIn(place.read(name), name, lakeId) : null;
  return typeof state === 'string' ? null : state;
}

/** @returns why it is none that can be believed. */
function stateIn(bytes: Buffer, name: string, lakeId: string): HostState | string {
  const state = unsealed<HostState>(bytes);
  if (typeof state === 'string') return state;
  if (state.schema !== HOST_FORMAT) return `its schema is not ${HOST_FORMAT}`;
  if (state.lake !== lakeId) return 'it is of another lake';
  if (hostName(state.host) !== name) return OF_ANOTHER;
  if (!Array.isArray(state.logs) || !Array.isArray(state.requests)) return 'it names no logs';
  // An earlier version did not tell what had led to it.
  return { ...state, unread: (state.unread ?? []).map((one) => ({ ...one, by: one.by ?? [one.path] })) };
}

export interface Hosts {
  readonly states: readonly HostState[];
  readonly problems: readonly InputProblem[];
}

type Reading = Pick<Place, 'list' | 'read'>;

const LOOK_AGAIN = 'let the host look again, at all of its logs by their names: lakelog sync LOGS';

const OF_ANOTHER = 'it is of another host';

const untold = (where: string, why: string) =>
  damage(
    where,
    `what the host said of its logs cannot be read: ${why}`,
    why === OF_ANOTHER ? 'take the file away, or put it where it was' : LOOK_AGAIN,
  );

/** To be read before the receipts are: what a host says that it published is there by then. */
export function readHosts(place: Reading, lakeId: string, at: (name: string) => string): Hosts {
  const problems: InputProblem[] = [];
  const states = place.list(HOSTS).flatMap((name) => {
    try {
      const state = stateIn(place.read(name), name, lakeId);
      if (typeof state !== 'string') return [state];
      problems.push(untold(at(name), state));
    } catch (error) {
      problems.push(untold(at(name), whyUnreadable(error)));
    }
    return [];
  });
  return { states, problems };
}

/** Where hosts and receipts, which were read later, do not say the same of what there is. */
export function contradictions(
  { states }: Hosts,
  receipts: readonly BatchReceipt[],
  place: Pick<Place, 'list'>,
  at: (name: string) => string,
): InputProblem[] {
  const there = new Set(place.list(HOSTS));
  const lacking = new Set(receipts.map(({ host }) => hostName(host)).filter((name) => !there.has(name)));
  const heads = headsOf(receipts);
  return [
    ...[...lacking].map((name) => untold(at(name), 'it is missing')),
    ...states.flatMap((state) => lostBatches(state, receipts, heads)),
  ];
}

/** Of what is published: the heads of logs, up to and with each batch. */
export const headsOf = (receipts: readonly BatchReceipt[]): ReadonlySet<string> =>
  new Set(receipts.map(({ file }) => file.head));

export const isThere = ({ root, head }: HostLog, heads: ReadonlySet<string>) =>
  root === null || heads.has(head);

/** What was lost may be there again, and its log is known as it was, unless what is left of it is known by itself. */
export function heldBy(state: Pick<HostState, 'logs' | 'lost'> | null): readonly HostLog[] {
  const { logs = [], lost = [] } = state ?? {};
  return [...logs, ...lost.filter(({ root }) => logs.every((log) => log.root !== root))];
}

/**
 * What a host published that no receipt tells of.
 * @param heads of these, and of what was published since they were read.
 */
export function lostBatches(
  { host, logs, lost = [] }: Pick<HostState, 'host' | 'logs' | 'lost'>,
  receipts: readonly BatchReceipt[],
  heads: ReadonlySet<string>,
): InputProblem[] {
  const gone = [...logs.map((log) => ({ ...log, lost_at: null })), ...lost].filter(
    (log) => !isThere(log, heads),
  );
  const behind = idsBehindGaps(new Set(gone.map(({ root }) => root)), receipts);
  return gone.map(({ path, root, head, read_to, lost_at }) => {
    const detail = `not all of the log is in the lake up to byte ${read_to}, where ${host} had published it: receipts are gone`;
    const next = `put back from a copy what is gone from batches/ and its files, or let ${host} publish it again: lakelog sync`;
    const settled = [`${host}:${path}`, head, lost_at, ...(behind.get(root) ?? [])].join(' ');
    return {
      ...damage(`${host}:${path}`, detail, next),
      // What the host did not miss yet may come back with its next look.
      ...(lost_at !== null && { fingerprint: sha256(Buffer.from(settled)) }),
    };
  });
}

/**
 * What is settled of a loss is not settled of these, of which nothing else tells once they are gone too.
 * @returns ids by the root of their log.
 */
function idsBehindGaps(
  roots: ReadonlySet<string | null>,
  receipts: readonly BatchReceipt[],
): ReadonlyMap<string | null, readonly string[]> {
  const byRoot = new Map<string | null, BatchReceipt[]>();
  for (const receipt of roots.size === 0 ? [] : receipts) {
    const { root } = receipt.file;
    if (!roots.has(root)) continue;
    const own = byRoot.get(root);
    if (own) own.push(receipt);
    else byRoot.set(root, [receipt]);
  }
  const idsOf = (own: readonly BatchReceipt[]) =>
    chainsBehindGaps(own)
      .flatMap(({ batches }) => batches.map(({ id }) => id))
      .sort();
  return new Map([...byRoot].map(([root, own]) => [root, idsOf(own)]));
}

/** Why a host cannot vouch for its logs, whatever receipts say. */
export function problemsOf(
  state: Pick<HostState, 'host' | 'logs' | 'unread' | 'lost' | 'looking_at' | 'of_files'>,
): InputProblem[] {
  const { host, logs, unread = [], lost = [], looking_at = [], of_files = {} } = state;
  return [
    ...looking_at.map((one) => unseen(host, one)),
    ...[...unread, ...Object.values(of_files).flat()].map((one) => remembered(one, `${host}:${one.path}`)),
    ...brokenOf({ host, logs: heldBy({ logs, lost }) }),
  ];
}

function unseen(host: string, { path }: InputRequest): InputProblem {
  const detail = 'its first look there has not come to its end, so that not all may be published';
  const where = `${host}:${path}`;
  const next = `let it: lakelog sync --host ${shellWord(host)} ${shellWord(path)}, there`;
  return { ...damage(where, detail, next), fingerprint: sha256(Buffer.from(`${where} begun`)) };
}

/** Logs that a host cannot vouch for. */
export const brokenOf = ({ host, logs }: Pick<HostState, 'host' | 'logs'>): InputProblem[] =>
  brokenLogs(logs, ({ path }) => `${host}:${path}`);
