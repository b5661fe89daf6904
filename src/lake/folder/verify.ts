/** Whether every file of a folder lake is what its receipt says, and the logs that are still here what was published. */
import type { Readable } from 'node:stream';
import type { FilesCheck, LogCheck } from '../../schema/lake.js';
import type { InputProblem } from '../../schema/result.js';
import type { Database } from '../duckdb/connection.js';
import { statOf } from '../input/index.js';
import { checkBytes, type ReceiptFile, unknownHead } from '../store/verify.js';
import { checkSums } from './check.js';
import { hashFile } from './hash-file.js';
import { batchNumber, PUBLISHED_NAMES } from './layout.js';
import type { FolderLake } from './making.js';
import { type Chain, damage, tipOf } from './receipts.js';
import { type FolderState, lookInto } from './state.js';
import { filesOf, parquet } from './tables.js';

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
  problems.push(...(await checkBatches(db, state)));
  const logs: LogCheck[] = [];
  for (const chain of state.chains) logs.push(await checkLog(chain, state, host, options));
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

/** What engines without receipts see of batches. */
async function checkBatches(db: Database, state: FolderState): Promise<InputProblem[]> {
  const files = filesOf(state, 'batches');
  if (state.torn.has('base_batches') || files.length === 0) return [];
  const rows = await db.objects<Record<string, string | number | null> & { batch: number }>(
    `SELECT batch, host, file, log, lines, loaded, rejected, duplicates, blank, bytes, late, late_line, byte_from,
       lines_before, sha256, head, newest_record FROM ${parquet(files)}`,
  );
  const found = new Map(rows.map((row) => [row.batch, row]));
  return state.receipts.flatMap(({ id, host, file, account, newest_record }) => {
    const row = found.get(batchNumber(id));
    const said: Readonly<Record<string, string | number | null>> = {
      ...{ host, file: file.name, lines: account.lines, loaded: account.loaded, rejected: account.rejected },
      ...{ duplicates: account.duplicates, blank: account.blank, bytes: account.bytes },
      ...{ late: account.late, late_line: account.late_line, newest_record, log: file.path },
      ...{ byte_from: file.byte_from, lines_before: file.lines_before, sha256: id, head: file.head },
    };
    const name = row === undefined ? 'batch' : Object.keys(said).find((key) => said[key] !== row[key]);
    return name === undefined
      ? []
      : [
          damage(
            state.receiptAt(id),
            `its ${name} is another in base_batches`,
            'put the receipt back as it was published',
          ),
        ];
  });
}

async function checkLog(
  chain: Chain,
  { hosts }: FolderState,
  host: string,
  options: { readonly stdin: Readable },
): Promise<LogCheck> {
  const { file } = tipOf(chain);
  const facts = { file: file.name, batches: chain.batches.length, bytes: file.byte_to, head: file.head };
  const own = hosts.find((one) => one.host === host)?.logs.find(({ root }) => root === chain.root);
  const stats = own && statOf(own.path);
  if (!own || !stats || own.state === 'gone')
    return {
      ...facts,
      status: 'absent',
      detail: own ? 'it is not there to be compared' : 'it stands on another host',
    };
  if (own.state === 'lost' || own.state === 'changed')
    return { ...facts, status: 'different', detail: own.detail };
  const source = { name: own.name, path: own.path, as: 'any', stats, maybeEmpty: true } as const;
  const pieces = chain.batches.map(({ id, account, file: { byte_from } }) => ({
    ...{ byte_from, bytes: account.bytes, sha256: id },
  }));
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
