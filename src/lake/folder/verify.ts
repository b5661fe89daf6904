/** Whether every file of a folder lake is what its receipt says, and the logs that are still here what was published. */
import type { BatchReceipt } from '../../schema/batch.js';
import type { FilesCheck, LogCheck } from '../../schema/lake.js';
import type { InputProblem } from '../../schema/result.js';
import type { Database } from '../duckdb/connection.js';
import { statOf } from '../input/index.js';
import { checkBytes, type ReceiptFile, statusOf, unknownHead, type VerifyOptions } from '../store/verify.js';
import { checkBatches, checkSums } from './check.js';
import { hashFile } from './hash-file.js';
import { Ways } from './host-logs.js';
import { brokenOf, type HostLog } from './hosts.js';
import { PUBLISHED_NAMES } from './layout.js';
import type { FolderLake } from './making.js';
import { type Chain, pieceOf, tipOf } from './receipts.js';
import { lookInto } from './state.js';

export interface Verified {
  readonly check: FilesCheck;
  readonly logs: readonly LogCheck[];
}

/** Every byte is read, whatever was hashed before. @param host whose logs are looked for here. */
export async function verifyFolder(
  db: Database,
  lake: FolderLake,
  host: string,
  options: VerifyOptions,
): Promise<Verified> {
  const hashes = () => ({ of: (name: string) => hashFile(lake.place.at(name)), keep: () => {} });
  const state = lookInto(lake, { env: {}, hashed: () => true, hashes });
  const problems: InputProblem[] = [...state.problems.filter(({ problem }) => problem === 'lake')];
  for (const base of PUBLISHED_NAMES)
    if (base !== 'seqs' && base !== 'batches') problems.push(...(await checkSums(db, state, base)));
  problems.push(...(await checkBatches(db, state, state.receipts)));
  const { settled, open } = options.settle(problems);
  const logs: LogCheck[] = [];
  const own = state.hosts.find((one) => one.host === host)?.logs ?? [];
  const known = { host, own, ways: new Ways(state.receipts) };
  for (const chain of state.chains) logs.push(await checkLog(chain, known, options));
  return {
    check: {
      files: state.files.length,
      bytes: state.files.reduce((sum, { bytes }) => sum + bytes, 0),
      batches: state.receipts.length,
      problems: open.map(told),
      settled: settled.map(told),
    },
    logs,
  };
}

const told = ({ path, detail, next }: InputProblem) => ({ path, detail, next: next ?? null });

interface Known {
  readonly host: string;
  /** Its logs. */
  readonly own: readonly HostLog[];
  readonly ways: Ways;
}

async function checkLog(chain: Chain, known: Known, options: VerifyOptions): Promise<LogCheck> {
  const { file } = tipOf(chain);
  const facts = { file: file.name, batches: chain.batches.length, bytes: file.byte_to, head: file.head };
  const [own] = logsAt(chain, known.own);
  if (own)
    return { ...facts, ...(await checkWay(own, wayUpTo(own, chain, known.ways), known.host, options)) };
  return { ...facts, ...(await checkPart(chain, known, options)) };
}

type Check = Pick<LogCheck, 'status' | 'detail'>;

/** Logs that end with one of its batches, as their host knows them, the longest first. */
function logsAt({ batches }: Chain, logs: readonly HostLog[]): HostLog[] {
  const heads = new Set(batches.map(({ file }) => file.head));
  return logs.filter(({ head }) => heads.has(head)).sort((a, b) => b.read_to - a.read_to);
}

/** What of it is published; where receipts are missing, from the last one of these on. */
const wayUpTo = ({ head }: HostLog, { batches }: Chain, ways: Ways) =>
  ways.wayTo(head) ?? batches.slice(0, batches.findIndex(({ file }) => file.head === head) + 1);

/** What stands before receipts that are missing, or beside a log, ends no log: it may stand in those that begin alike. */
async function checkPart({ root, batches }: Chain, known: Known, options: VerifyOptions): Promise<Check> {
  const { host } = tipOf({ root, batches });
  const alike = known.own.filter((log) => log.root === root);
  const checks: Check[] = [];
  for (const log of alike) checks.push(await checkWay(log, batches, known.host, options));
  const same = checks.find(({ status }) => status === 'same');
  if (same) return same;
  if (host !== known.host) return { status: 'absent', detail: 'it stands on another host' };
  // Where nothing is missed of a log, this is none of it: it was published twice at once, or its log is forgotten.
  const torn = checks.find((_, i) => known.ways.wayTo(alike[i]!.head) === null);
  return torn ?? { status: 'absent', detail: 'no log that its host knows has it' };
}

async function checkWay(
  log: HostLog,
  batches: readonly BatchReceipt[],
  host: string,
  options: VerifyOptions,
): Promise<Check> {
  const stats = statOf(log.path);
  if (!stats || log.state === 'gone') return { status: 'absent', detail: 'it is not there to be compared' };
  const [broken] = brokenOf({ host, logs: [log] });
  if (broken) return { status: statusOf(broken, options), detail: broken.detail };
  const source = { name: log.name, path: log.path, as: 'any', stats, maybeEmpty: true } as const;
  return checkBytes(source, batches.map(pieceOf), options);
}

/** Whether the lake had what a gate's receipt rests on. */
export function verifyReceiptOf(lake: FolderLake, files: readonly ReceiptFile[]): LogCheck[] {
  const { receipts } = lookInto(lake, { env: {}, hashed: () => false });
  return files.map(({ file, head, bytes }) => {
    const found = receipts.find((receipt) => receipt.file.head === head);
    if (found === undefined) return unknownHead({ file, head });
    const facts = { file, batches: 0, bytes: found.file.byte_to, head };
    return found.file.byte_to === bytes
      ? { ...facts, status: 'same', detail: null }
      : { ...facts, status: 'different', detail: `the receipt counts ${bytes} bytes of it` };
  });
}
