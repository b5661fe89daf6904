/** What a host remembers of its logs between two exports, and tells of those that it cannot vouch for. */
import { messageOf } from '../../errors.js';
import type { BatchReceipt } from '../../schema/batch.js';
import type { InputProblem } from '../../schema/result.js';
import type { InputRequest } from '../input/index.js';
import { NOTHING_READ, sha256 } from '../store/fingerprint.js';
import type { KnownLog } from '../store/logs.js';
import { HOSTS, hostName } from './layout.js';
import type { Place } from './place.js';
import { type Chain, tipOf } from './receipts.js';
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
  /** RFC 3339 UTC: when the logs were looked at last. */
  readonly synced_at: string;
  readonly requests: readonly InputRequest[];
  readonly logs: readonly HostLog[];
}

export function writeHost(place: Place, state: Omit<HostState, 'schema'>): void {
  place.replace(hostName(state.host), sealed({ schema: HOST_FORMAT, ...state }));
}

/** Null for one that never looked, or whose memory is damaged: receipts say the same, if slower. */
export function readHost(place: Place, host: string): HostState | null {
  return place.has(hostName(host)) ? stateIn(place.read(hostName(host))) : null;
}

function stateIn(bytes: Buffer): HostState | null {
  const state = unsealed<HostState>(bytes);
  return typeof state === 'string' || state.schema !== HOST_FORMAT ? null : state;
}

export interface Hosts {
  readonly states: readonly HostState[];
  readonly problems: readonly InputProblem[];
}

export function readHosts(place: Pick<Place, 'list' | 'read'>, at: (name: string) => string): Hosts {
  const problems: InputProblem[] = [];
  const states = place.list(HOSTS).flatMap((name) => {
    try {
      const state = stateIn(place.read(name));
      if (state !== null) return [state];
      throw new Error('it is cut, or was edited');
    } catch (error) {
      problems.push({
        ...{ path: at(name), problem: 'lake' },
        detail: `what the host said of its logs cannot be read: ${messageOf(error)}`,
        next: 'let the host look again: lakelog sync',
      });
      return [];
    }
  });
  return { states, problems };
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
  const whole = chains.filter(({ batches }) => batches[0]!.file.before === null);
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
