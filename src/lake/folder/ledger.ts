/** What became of the lines of all logs of a folder lake: the sum of its receipts. */
import type { BlockingGroup } from '../../schema/account.js';
import type { BatchReceipt } from '../../schema/batch.js';
import type { FileAccount, InputProblem } from '../../schema/result.js';
import type { Database } from '../duckdb/connection.js';
import type { Ledger } from '../load/account.js';
import { withoutRecords } from '../load/ledger.js';
import { islandsOf } from '../load/seqs.js';
import { unknownTraces } from '../load/traces.js';
import { baseTable } from '../tables/base.js';
import type { Conflicts } from './alike.js';
import { sumOfAccounts } from './export.js';
import { batchNumber } from './layout.js';
import type { FolderState } from './state.js';
import { filesOf, parquet } from './tables.js';

export interface FoundAlike {
  /** Lines of batches, by number, that an earlier one holds. */
  readonly taken: readonly ReadonlyMap<number, number>[];
  readonly conflicts: Conflicts;
}

/** @param isWhole no call fell out, and none is missing, so that sums of receipts are sums of rows. */
export function folderLedger(
  db: Database,
  state: FolderState,
  { taken, conflicts }: FoundAlike,
  isWhole: boolean,
  problems: readonly InputProblem[],
): Ledger {
  const { receipts } = state;
  const accounts = receipts.map(({ id, account }, batch) => {
    const out = taken.reduce((sum, counts) => sum + (counts.get(batchNumber(id)) ?? 0), 0);
    return {
      ...account,
      loaded: account.loaded - out,
      duplicates: account.duplicates + out,
      conflicts: conflicts.counts.get(batch) ?? 0,
    };
  });
  const files = filesOfLogs(receipts, accounts);
  return {
    files,
    rejects: rejectGroups(receipts),
    hasCalls: receipts.some(({ kinds }) => kinds.length > 0),
    summary: isWhole ? 'main.base_summary' : null,
    firstConflict: conflicts.first,
    firstLate: firstLate(receipts),
    unknownTraces: () => unknownTraces(db, baseTable('runs')),
    fillSeqs: () => fillSeqs(db, state),
    problems: [...problems, ...files.flatMap(withoutRecords)],
    notices: [...state.notices, ...receipts.flatMap(({ notices }) => notices), ...sharedLogs(state)],
    mayBeEmpty: [],
    nameOf: (batch) => receipts[batch]!.file.name,
  };
}

function filesOfLogs(
  receipts: readonly BatchReceipt[],
  accounts: readonly BatchReceipt['account'][],
): FileAccount[] {
  const byName = new Map<string, number[]>();
  for (const [i, { file }] of receipts.entries())
    byName.set(file.name, [...(byName.get(file.name) ?? []), i]);
  return [...byName].map(([file, of]) => {
    const batches = of.map((i) => ({ account: accounts[i]!, newest_record: receipts[i]!.newest_record }));
    return { file, ...sumOfAccounts(batches), head: receipts[of.at(-1)!]!.file.head };
  });
}

/** In the order of logs and lines. */
function rejectGroups(receipts: readonly BatchReceipt[]): BlockingGroup[] {
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

function firstLate(receipts: readonly BatchReceipt[]): Ledger['firstLate'] {
  const batch = receipts.findIndex(({ account }) => account.late_line !== null);
  return batch < 0 ? null : { batch, line: receipts[batch]!.account.late_line! };
}

async function fillSeqs(db: Database, state: FolderState): Promise<void> {
  const files = filesOf(state, 'seqs');
  if (files.length === 0) return;
  const none = '(SELECT CAST(NULL AS VARCHAR) AS writer_id, CAST(NULL AS BIGINT) AS seq)';
  const islands = `SELECT writer_id, first_seq, last_seq FROM ${parquet(files)}`;
  await db.run(`CREATE OR REPLACE TABLE ${baseTable('seqs')} AS ${islandsOf(none, islands)}`);
}

/** The same bytes are one batch, whoever publishes them. */
function sharedLogs({ hosts, receipts }: FolderState): string[] {
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
