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
import { type Chain, damage, tipOf } from './receipts.js';
import { sealed, unsealed } from './seal.js';
import { Ways } from './ways.js';

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
  const heads = new Set(receipts.map(({ file }) => file.head));
  const ends = new Map<string, number[]>();
  for (const { file } of receipts) {
    const of = ends.get(file.root) ?? [];
    of.push(file.byte_to);
    ends.set(file.root, of);
  }
  return [
    ...[...lacking].map((name) => untold(at(name), 'it is missing')),
    ...states.flatMap((state) => lostBatches(state, heads, ends)),
  ];
}

/** @param heads of all batches. @param ends of the batches of a log, by its first one. */
function lostBatches(
  { host, logs }: HostState,
  heads: ReadonlySet<string>,
  ends: ReadonlyMap<string, readonly number[]>,
): InputProblem[] {
  return logs.flatMap(({ path, root, read_to, head }) => {
    const end = () => Math.max(0, ...(ends.get(root!) ?? []).filter((one) => one < read_to));
    return root === null || heads.has(head)
      ? []
      : [
          damage(
            `${host}:${path}`,
            `bytes ${end()} to ${read_to} of the log are not in the lake, and ${host} published them: receipts are gone`,
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

/** Of each batch, by its number: who published it, and who has the same bytes in a log of its own. */
export function hostsOf(
  receipts: readonly BatchReceipt[],
  hosts: readonly HostState[],
): Map<number, ReadonlySet<string>> {
  const having = new Map(receipts.map(({ batch, host }) => [batch, new Set([host])]));
  const ways = new Ways(receipts);
  for (const { host, logs } of hosts)
    for (const { head } of logs)
      for (const { batch } of ways.upTo(head)?.batches ?? []) having.get(batch)?.add(host);
  return having;
}

/** What a host knows of its logs: as far as receipts say, and where they stood at its last look. */
export function logsOf(
  host: string,
  state: HostState | null,
  chains: readonly Chain[],
  ways: Ways,
): HostLog[] {
  const known = (state?.logs ?? []).flatMap((log): HostLog[] => {
    if (log.root === null || ways.upTo(log.head)) return [log];
    // What was published of it is gone: as far as there is no doubt whose it is.
    const [rest, ...others] = chains.filter(({ root, batches }) => root === log.root && ways.to(batches[0]!));
    if (rest === undefined) return [];
    const isAll = others.length === 0 && ways.to(tipOf(rest)) !== null;
    const batches = isAll ? rest.batches : rest.batches.slice(0, 1);
    return [{ ...log, ...reached({ ...rest, batches }) }];
  });
  const heads = new Set(known.map(({ head }) => head));
  const isKnown = ({ batches }: Chain) => batches.some(({ file }) => heads.has(file.head));
  const others = chains.filter((chain) => ways.to(tipOf(chain)) && !isKnown(chain));
  const logs = [...known, ...others.map((chain) => derived(chain, host, ways))];
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
function derived(chain: Chain, host: string, ways: Ways): HostLog {
  const { file, host: by } = tipOf(chain);
  // What other logs begin with too may be of this host by one of them.
  const parts = chain.batches.findLastIndex(({ id }) => ways.followersOf(id).length > 1);
  const isOwn = chain.batches.slice(parts + 1).some((one) => one.host === host);
  const place = isOwn ? file.path : '';
  return {
    ...{ log: 0, name: place, path: place, request: place, kind: file.kind, form: file.form },
    ...{ identity: '-', size: 0, mtime_ns: '0', rest: 0, is_settled: false },
    ...{ state: isOwn ? 'here' : 'gone', detail: isOwn ? null : `exported by ${by}` },
    ...NOTHING_READ,
    ...reached(chain),
  };
}
