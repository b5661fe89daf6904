/** What became of the lines of all logs of a folder lake: the sum of its receipts. */
import { microsOf } from '../../instant.js';
import type { BlockingGroup } from '../../schema/account.js';
import type { BatchAccount, BatchReceipt } from '../../schema/batch.js';
import type { FileAccount, InputProblem, LakeReceipt } from '../../schema/result.js';
import type { Database } from '../duckdb/connection.js';
import type { Ledger } from '../load/account.js';
import { lateIn } from '../load/late.js';
import { withoutRecords as haveNone } from '../load/ledger.js';
import { islandsOf } from '../load/seqs.js';
import { unknownTraces } from '../load/traces.js';
import { sha256 } from '../store/fingerprint.js';
import { baseTable } from '../tables/base.js';
import type { Conflicts } from './alike.js';
import { type Exported, sumOfAccounts } from './fill.js';
import type { FolderLake } from './making.js';
import { ordinalOf } from './ordinal.js';
import { readReceipts } from './receipts.js';
import type { FolderState } from './state.js';
import { filesOf, parquet } from './tables.js';

/** What was published stands there for good: it can be settled, until more of the log comes. */
export const withoutRecords = (account: FileAccount): InputProblem[] =>
  haveNone(account).map((problem) => ({
    ...problem,
    fingerprint: sha256(Buffer.from(`holds no record ${account.head}`)),
  }));

/** The same of the logs of a host, by the names that they have in the lake: what is settled there is settled here. */
export function withoutRecordsIn(
  { place, making }: FolderLake,
  { files, mayBeEmpty }: Pick<Exported, 'files' | 'mayBeEmpty'>,
): InputProblem[] {
  const none = files.filter((file) => haveNone(file).length > 0);
  if (none.length === 0) return [];
  const { receipts } = readReceipts(place, making.lake_id, (name) => name);
  const names = new Map(receipts.map(({ file }) => [file.head, file.name]));
  const nameOf = ({ file, head }: FileAccount) => (mayBeEmpty.includes(file) ? file : names.get(head ?? ''));
  return none.flatMap((account) => withoutRecords({ ...account, file: nameOf(account) ?? account.file }));
}

export interface FoundAlike {
  /** Lines of batches, by number, that an earlier one holds. */
  readonly taken: readonly ReadonlyMap<number, number>[];
  readonly conflicts: Conflicts;
}

/** Of every receipt: what became of its lines among those of all others. The views are made. */
export async function accountsOf(
  db: Database,
  { receipts }: FolderState,
  { taken, conflicts }: FoundAlike,
): Promise<BatchAccount[]> {
  const out = receipts.map(({ batch }) => taken.reduce((sum, counts) => sum + (counts.get(batch) ?? 0), 0));
  // A line that fell out is not late any more.
  const late = await lateIn(
    db,
    receipts.flatMap(({ account, file, batch }, i) => {
      if (out[i] === 0 || account.late === 0) return [];
      const before = receipts.filter(
        (one) => one.file.root === file.root && one.file.byte_to <= file.byte_from && one.newest_record,
      );
      const times = before.map(({ newest_record }) => microsOf(newest_record!));
      return [{ batch, newest: times.length === 0 ? null : times.reduce((a, b) => (a > b ? a : b)) }];
    }),
  );
  return receipts.map(({ account, batch }, i) => {
    const now = out[i] === 0 ? account : { late: 0, late_line: null, ...lateOf(late.get(batch)) };
    return {
      ...account,
      loaded: account.loaded - out[i]!,
      duplicates: account.duplicates + out[i]!,
      conflicts: conflicts.counts.get(batch) ?? 0,
      ...{ late: now.late, late_line: now.late_line },
    };
  });
}

const lateOf = (found: { readonly late: number; readonly line: number } | undefined) =>
  found && { late: found.late, late_line: found.line };

export interface LedgerParts {
  readonly accounts: readonly BatchAccount[];
  readonly firstConflict: Conflicts['first'];
  /** No call fell out, and none is missing: sums of receipts are sums of rows. */
  readonly isWhole: boolean;
  readonly problems: readonly InputProblem[];
  readonly callsAt: (time: bigint) => string;
}

export function folderLedger(
  db: Database,
  state: FolderState,
  { accounts, firstConflict, isWhole, problems, callsAt }: LedgerParts,
): Ledger {
  const { receipts } = state;
  const files = filesOfLogs(receipts, accounts);
  return {
    files,
    rejects: rejectGroups(receipts),
    hasCalls: receipts.some(({ kinds }) => kinds.length > 0),
    summary: isWhole ? 'main.base_summary' : null,
    firstConflict: firstConflict && { ...firstConflict, batch: indexOf(receipts, firstConflict.batch) },
    ordinal: ordinalOf('s'),
    callsAt,
    firstLate: firstLate(accounts),
    unknownTraces: () => unknownTraces(db, baseTable('runs')),
    fillSeqs: () => fillSeqs(db, state),
    problems: [...problems, ...files.flatMap(withoutRecords)],
    notices: [...state.notices, ...receipts.flatMap(({ notices }) => notices), ...sharedLogs(state)],
    mayBeEmpty: [],
    nameOf: (batch) => receipts[batch]!.file.name,
  };
}

const indexOf = (receipts: readonly BatchReceipt[], number: number) =>
  receipts.findIndex(({ batch }) => batch === number);

export function filesOfLogs(
  receipts: readonly BatchReceipt[],
  accounts: readonly BatchReceipt['account'][],
): FileAccount[] {
  const byName = new Map<string, number[]>();
  for (const [i, { file }] of receipts.entries()) {
    const of = byName.get(file.name) ?? [];
    of.push(i);
    byName.set(file.name, of);
  }
  return [...byName].map(([file, of]) => {
    const batches = of.map((i) => ({ account: accounts[i]!, newest_record: receipts[i]!.newest_record }));
    return { file, ...sumOfAccounts(batches), head: receipts[of.at(-1)!]!.file.head };
  });
}

/** In the order of logs and lines. */
export function rejectGroups(receipts: readonly BatchReceipt[]): BlockingGroup[] {
  const groups = new Map<string, BlockingGroup>();
  for (const { file, rejects } of receipts) {
    for (const { reason, count, line, detail, blocks } of rejects) {
      const key = `${blocks} ${reason}`;
      const before = groups.get(key) ?? { reason, count: 0, first: `${file.name}:${line}`, detail, blocks };
      groups.set(key, { ...before, count: before.count + count });
    }
  }
  return [...groups.values()].sort((a, b) => b.count - a.count || (a.reason < b.reason ? -1 : 1));
}

/** @param of when it was published or looked at, and how many logs it holds. */
export const lakeReceiptOf = (
  path: string,
  receipts: readonly BatchReceipt[],
  of: { readonly times: readonly string[]; readonly logs: number },
): LakeReceipt => ({
  ...{ path, synced: true, last_sync: [...of.times].sort().at(-1) ?? null, loading: false },
  ...{ known_logs: true, not_looked_at: [], new_bytes: 0, new_files: 0 },
  earlier_bytes: receipts.reduce((sum, { account }) => sum + account.bytes, 0),
  earlier_files: of.logs,
  batches: receipts.length,
  hosts: new Set(receipts.map(({ host }) => host)).size,
});

export function firstLate(accounts: readonly BatchAccount[]): Ledger['firstLate'] {
  const batch = accounts.findIndex(({ late_line }) => late_line !== null);
  return batch < 0 ? null : { batch, line: accounts[batch]!.late_line! };
}

async function fillSeqs(db: Database, state: FolderState): Promise<boolean> {
  const files = filesOf(state, 'seqs');
  if (files.length === 0) return false;
  const none = '(SELECT CAST(NULL AS VARCHAR) AS writer_id, CAST(NULL AS BIGINT) AS seq)';
  const islands = `SELECT writer_id, first_seq, last_seq FROM ${parquet(files)}`;
  await db.run(`CREATE OR REPLACE TABLE ${baseTable('seqs')} AS ${islandsOf(none, islands)}`);
  return true;
}

/** The same bytes are one batch, whoever publishes them. */
export function sharedLogs({ hosts, receipts }: Pick<FolderState, 'hosts' | 'receipts'>): string[] {
  const names = new Map(receipts.map(({ file }) => [file.root, file.name]));
  const byRoot = new Map<string, string[]>();
  for (const { host, logs } of hosts)
    for (const { root } of logs) if (root !== null) byRoot.set(root, [...(byRoot.get(root) ?? []), host]);
  return [...byRoot].flatMap(([root, of]) => {
    const both = [...new Set(of)].sort();
    return both.length < 2 || !names.has(root)
      ? []
      : [
          `${names.get(root)} stands on ${both.join(' and ')}, and is one log: what they have in common counts once`,
        ];
  });
}
