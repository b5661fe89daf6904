/** What a host remembers of its logs between two exports, and tells of those that it cannot vouch for. */
import { whyUnreadable } from '../../errors.js';
import type { BatchReceipt } from '../../schema/batch.js';
import type { InputProblem } from '../../schema/result.js';
import type { InputRequest } from '../input/index.js';
import { NOTHING_READ, sha256 } from '../store/fingerprint.js';
import type { KnownLog } from '../store/logs.js';
import { remembered } from '../store/unread.js';
import { HOSTS, hostName } from './layout.js';
import type { Place } from './place.js';
import { type Chain, damage, isWhole, tipOf } from './receipts.js';
import { sealed, unsealed } from './seal.js';

const HOST_FORMAT = 'lakelog.host.v1';

/** A log as its host knows it, and the first batch of it; null where nothing of it was published yet. */
export interface HostLog extends KnownLog {
  readonly root: string | null;
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
  readonly unread?: readonly InputProblem[];
}

export function writeHost(place: Place, state: Omit<HostState, 'schema'>): void {
  place.replace(hostName(state.host), sealed({ schema: HOST_FORMAT, ...state }));
}

/** Who asks while a host looks for the first time finds that it began to, and nothing wrong with that. */
export function beginHost(
  place: Place,
  state: Pick<HostState, 'host' | 'lake' | 'synced_at'>,
  receipts: Iterable<BatchReceipt>,
): void {
  if (place.has(hostName(state.host)) || [...receipts].some(({ host }) => host === state.host)) return;
  writeHost(place, { ...state, requests: [], logs: [] });
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
  if (hostName(state.host) !== name) return 'it is of another host';
  return Array.isArray(state.logs) && Array.isArray(state.requests) ? state : 'it names no logs';
}

export interface Hosts {
  readonly states: readonly HostState[];
  readonly problems: readonly InputProblem[];
}

type Reading = Pick<Place, 'list' | 'read'>;

const LOOK_AGAIN = 'let the host look again: lakelog sync';

const untold = (where: string, why: string) =>
  damage(where, `what the host said of its logs cannot be read: ${why}`, LOOK_AGAIN);

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
  const ends = new Map<string, number>();
  for (const { file } of receipts) ends.set(file.root, Math.max(file.byte_to, ends.get(file.root) ?? 0));
  return [
    ...[...lacking].map((name) => untold(at(name), 'it is missing')),
    ...states.flatMap((state) => lostBatches(state, ends)),
  ];
}

/** @param ends how far the logs are published, by their first batch. */
function lostBatches({ host, logs }: HostState, ends: ReadonlyMap<string, number>): InputProblem[] {
  return logs.flatMap(({ path, root, read_to }) => {
    const end = root === null ? read_to : (ends.get(root) ?? 0);
    return end >= read_to
      ? []
      : [
          damage(
            `${host}:${path}`,
            `bytes ${end} to ${read_to} of the log are not in the lake, and ${host} published them: receipts are gone`,
            `put back from a copy what is gone from batches/ and its files, or let ${host} publish it again: lakelog sync`,
          ),
        ];
  });
}

/** Why a host cannot vouch for its logs, whatever receipts say. */
export function problemsOf(state: Pick<HostState, 'host' | 'logs' | 'unread'>): InputProblem[] {
  const { host, unread = [] } = state;
  return [...unread.map((one) => remembered(one, `${host}:${one.path}`)), ...brokenLogs(state)];
}

/** Logs that a host cannot vouch for. Others have the same bytes, or nothing was read of any: the place tells them apart. */
export function brokenLogs({ host, logs }: Pick<HostState, 'host' | 'logs'>): InputProblem[] {
  return logs
    .filter(({ state }) => state === 'lost' || state === 'changed')
    .map(({ path, detail, head }) => ({
      ...{ path: `${host}:${path}`, problem: 'changed', detail: detail! },
      fingerprint: sha256(Buffer.from(`${host}:${path} ${head}`)),
    }));
}

/** Who published a batch, and who has the same bytes in a log of its own. */
export function hostsOf({ host, file }: BatchReceipt, hosts: readonly HostState[]): string[] {
  const others = hosts.filter(({ logs }) =>
    logs.some(({ root, read_to }) => root === file.root && read_to >= file.byte_to),
  );
  return [...new Set([host, ...others.map((other) => other.host)])];
}

/** What a host knows of its logs: as far as receipts say, and where they stood at its last look. */
export function logsOf(host: string, state: HostState | null, chains: readonly Chain[]): HostLog[] {
  const whole = chains.filter(isWhole);
  const known = (state?.logs ?? []).flatMap((log): HostLog[] => {
    if (log.root === null) return [log];
    const chain = whole.find(({ root }) => root === log.root);
    return chain ? [{ ...log, ...reached(chain) }] : [];
  });
  const others = whole.filter(({ root }) => known.every((log) => log.root !== root));
  const logs = [...known, ...others.map((chain) => derived(chain, host))];
  return logs.map((log, i) => ({ ...log, log: i + 1 }));
}

function reached(chain: Chain) {
  const { file, account } = tipOf(chain);
  return {
    ...{ root: chain.root, read_to: file.byte_to, lines: file.lines_before + account.lines, head: file.head },
    ...{ start_sha256: file.start_sha256, end_sha256: file.end_sha256 },
  };
}

/** Of a log of which receipts alone are known. One that another host exported may stand here too, and is looked for nowhere. */
function derived(chain: Chain, host: string): HostLog {
  const { file, host: by } = tipOf(chain);
  const isOwn = chain.batches.some((one) => one.host === host);
  const place = isOwn ? file.path : '';
  return {
    ...{ log: 0, name: place, path: place, request: place, kind: file.kind, form: file.form },
    ...{ identity: '-', size: 0, mtime_ns: '0', rest: 0, is_settled: false },
    ...{ state: isOwn ? 'here' : 'gone', detail: isOwn ? null : `exported by ${by}` },
    ...NOTHING_READ,
    ...reached(chain),
  };
}
