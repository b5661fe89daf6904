/** Whether every file of a folder lake is what its receipt says, and the logs that are still here what was published. */
import type { Readable } from 'node:stream';
import type { FilesCheck, LogCheck } from '../../schema/lake.js';
import type { InputProblem } from '../../schema/result.js';
import type { Database } from '../duckdb/connection.js';
import { statOf } from '../input/index.js';
import { isBrokenLog } from '../store/unread.js';
import { checkBytes, type ReceiptFile, unknownHead } from '../store/verify.js';
import { checkBatches, checkSums } from './check.js';
import { hashFile } from './hash-file.js';
import { Ways } from './host-logs.js';
import { PUBLISHED_NAMES } from './layout.js';
import type { FolderLake } from './making.js';
import { type Chain, pieceOf, tipOf } from './receipts.js';
import { type FolderState, lookInto } from './state.js';

export interface Verified {
  readonly check: FilesCheck;
  readonly logs: readonly LogCheck[];
}

/** Every byte is read, whatever was hashed before. @param host whose logs are looked for here. */
export async function verifyFolder(
  db: Database,
  lake: FolderLake,
  host: string,
  options: { readonly stdin: Readable },
): Promise<Verified> {
  const hashes = () => ({ of: (name: string) => hashFile(lake.place.at(name)), keep: () => {} });
  const state = lookInto(lake, { env: {}, hashed: () => true, hashes });
  const problems: InputProblem[] = [...state.problems.filter(({ problem }) => problem === 'lake')];
  for (const base of PUBLISHED_NAMES)
    if (base !== 'seqs' && base !== 'batches') problems.push(...(await checkSums(db, state, base)));
  problems.push(...(await checkBatches(db, state, state.receipts)));
  const logs: LogCheck[] = [];
  const ways = new Ways(state.receipts);
  for (const chain of state.chains) logs.push(await checkLog(chain, { ...state, ways }, host, options));
  return {
    check: {
      files: state.files.length,
      bytes: state.files.reduce((sum, { bytes }) => sum + bytes, 0),
      batches: state.receipts.length,
      problems: problems.map(({ path, detail, next = null }) => ({ path, detail, next })),
    },
    logs,
  };
}

async function checkLog(
  chain: Chain,
  { hosts, ways }: FolderState & { readonly ways: Ways },
  host: string,
  options: { readonly stdin: Readable },
): Promise<LogCheck> {
  const { file } = tipOf(chain);
  const facts = { file: file.name, batches: chain.batches.length, bytes: file.byte_to, head: file.head };
  const heads = new Set(chain.batches.map((batch) => batch.file.head));
  const logs = hosts.find((one) => one.host === host)?.logs.filter(({ head }) => heads.has(head)) ?? [];
  const [own] = logs.sort((a, b) => b.read_to - a.read_to);
  const stats = own && statOf(own.path);
  if (!own || !stats || own.state === 'gone')
    return {
      ...facts,
      status: 'absent',
      detail: own ? 'it is not there to be compared' : 'it stands on another host',
    };
  if (isBrokenLog(own)) return { ...facts, status: 'different', detail: own.detail };
  const source = { name: own.name, path: own.path, as: 'any', stats, maybeEmpty: true } as const;
  const pieces = (ways.wayTo(own.head) ?? chain.batches).map(pieceOf);
  return { ...facts, ...(await checkBytes(source, pieces, options)) };
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
