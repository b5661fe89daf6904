/** What a host published and receipts do not tell of any more from its first byte on, as long as its bytes were not published again. */
import type { Readable } from 'node:stream';
import { instantOf } from '../../instant.js';
import type { BatchReceipt } from '../../schema/batch.js';
import { statOf, Unreadable } from '../input/index.js';
import { withFile } from '../store/bytes.js';
import { endLength, headAfter, isSame, nameBehind, START_BYTES } from '../store/fingerprint.js';
import { hashesIn, mayHold } from './holders.js';
import { behindGaps, type Ways } from './host-logs.js';
import { type HostLog, type HostState, headsOf, isThere, type LostLog } from './hosts.js';

interface Published {
  readonly receipts: readonly BatchReceipt[];
  readonly ways: Ways;
  /** Of logs that were added to since these were read, the heads of their batches, by the last of these. */
  readonly now: ReadonlyMap<string, readonly string[]>;
  /** Logs that were published, whether the host knows them or not. */
  readonly added?: readonly HostLog[];
}

type Options = { readonly host: string; readonly stdin: Readable; readonly now: Date };

/**
 * What a host published, as it knew before, and is in the lake neither by its receipts nor by what it published since.
 * What is there, and in no log that the host knows from now on, may go yet: behind a gap, or published by a lake file.
 * @param logs what it knows after its look.
 */
export async function lostAfter(
  before: HostState | null,
  logs: readonly HostLog[],
  { receipts, ways, now, added = [] }: Published,
  options: Options,
): Promise<LostLog[]> {
  const published = [...(before?.logs ?? behindGaps(options.host, ways, receipts)), ...added];
  const lost_at = instantOf(options.now);
  const all: LostLog[] = [...(before?.lost ?? []), ...published.map((log) => ({ ...log, lost_at }))];
  const heads = new Set([...headsOf(receipts), ...[...now.values()].flat()]);
  const held = logs.filter((log) => log.state === 'here' && isThere(log, heads));
  const waysOf = ({ head }: HostLog) => now.get(head) ?? ways.wayTo(head)?.map(({ file }) => file.head) ?? [];
  const known = new Set(logs.flatMap(waysOf));
  const lost: LostLog[] = [];
  for (const log of all) {
    if (log.root === null || known.has(log.head) || lost.some(({ head }) => head === log.head)) continue;
    const longer = held.filter(({ read_to }) => read_to >= log.read_to);
    if (longer.some((other) => isIn(other, log))) continue;
    if (await isProven(log, longer, receipts, options)) continue;
    // What is settled of a loss is not settled of the next one.
    lost.push(heads.has(log.head) ? { ...log, lost_at } : log);
  }
  return lost;
}

/**
 * Whether the log, which is published, is the other one, by the file where it stands. Who wrote into its midst is told
 * by the time of the file alone: of one that grew all bytes have to be those that were lost.
 */
function isIn(log: HostLog, other: HostLog): boolean {
  if (log.mtime_ns !== other.mtime_ns) return false;
  if (log.form === 'archive')
    return other.form === 'archive' && log.identity === other.identity && log.size === other.size;
  const stats = statOf(log.path);
  if (!stats?.isFile() || String(stats.mtimeNs) !== other.mtime_ns) return false;
  return withFile(log.path, (fd) => isSame(fd, Number(stats.size), { ...other, rest: 0 }));
}

/** As many batches are tried as the one behind which bytes are gone. */
const MOST_TRIED = 4;

/** Whether its bytes, which its hashes know, stand in a log that is published, under whatever name, plain or compressed. */
async function isProven(
  lost: HostLog,
  logs: readonly HostLog[],
  receipts: readonly BatchReceipt[],
  options: Options,
): Promise<boolean> {
  const { root, read_to: to } = lost;
  const tips = receipts
    .filter(({ file }) => file.root === root && file.byte_to < to)
    .sort((a, b) => b.file.byte_to - a.file.byte_to)
    .slice(0, MOST_TRIED);
  const behind = [...tips.map(({ id, file }) => ({ id, from: file.byte_to, head: file.head })), BEGINNING];
  const froms = [to - endLength(lost), ...behind.map(({ from }) => from)];
  for (const log of logs) {
    const [end, ...rests] = await hashesOf(log, lost, froms, options);
    if (end !== lost.end_sha256) continue;
    // The bytes at both ends are all.
    if (to <= START_BYTES + endLength(lost)) return true;
    const isBehind = ({ id, head }: (typeof behind)[number], bytes: string) =>
      [bytes, nameBehind(id, bytes)].some((name) => headAfter(head, name) === lost.head);
    if (behind.some((one, i) => isBehind(one, rests[i]!))) return true;
  }
  return false;
}

const BEGINNING = { id: null, from: 0, head: '' };

/** None where another log stands in its file. */
async function hashesOf(
  { name, path }: HostLog,
  lost: HostLog,
  froms: readonly number[],
  options: Options,
): Promise<string[]> {
  const stats = statOf(path);
  if (!stats?.isFile()) return [];
  const file = { ...{ name, path, stats }, as: 'any', maybeEmpty: true } as const;
  const place = { byte_to: lost.read_to, start_sha256: lost.start_sha256 };
  try {
    if (!(await mayHold(file, lost.read_to, place, options))) return [];
    return await hashesIn(file, froms, lost.read_to, options);
  } catch (error) {
    if (error instanceof Unreadable) return [];
    throw error;
  }
}
