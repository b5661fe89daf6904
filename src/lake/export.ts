/** Filling a folder lake, which is done apart from asking it. */
import type { Account } from '../schema/account.js';
import { type ExportOptions, exportLogs } from './folder/export.js';
import { type Exported, fillFolder } from './folder/fill.js';
import { exportFile } from './folder/from.js';
import { withoutRecordsIn } from './folder/ledger.js';
import type { InputRequest } from './input/index.js';
import { withEngine } from './with-engine.js';

export { isCluster, isFolderLake } from './folder/layout.js';

export interface ExportUse extends ExportOptions {
  /** A lake file whose batches are published, in the place of logs. */
  readonly from?: string | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** Publishes what is new of the logs. @returns the account of all logs of the host. */
export async function exportToFolder(
  requests: readonly InputRequest[],
  options: ExportUse,
): Promise<Account> {
  const { env, from: file, cwd, host, now, stdin, use } = options;
  const exported = await withEngine(env, (db) =>
    fillFolder(db, options, async (lake) => {
      const done = await (file === undefined
        ? exportLogs(db, lake, requests, options)
        : exportFile(db, lake, { file, cwd, host, now, stdin, lockTimeoutS: use.lockTimeoutS }));
      return { ...done, problems: [...done.problems, ...withoutRecordsIn(lake, done)] };
    }),
  );
  return accountOf(options, exported);
}

/** Nothing is asked of the calls. */
function accountOf({ use, now }: ExportUse, exported: Exported): Account {
  const { files, problems, notices, mayBeEmpty, read, before, usedKnown } = exported;
  return {
    files,
    ...{ problems, notices, mayBeEmpty, rejects: [], kinds: [], gaps: [], absent: [] },
    ...{ callsLoaded: 0, replayRunsLoaded: 0, callsSelected: 0, inconsistent: 0, notJudgeable: 0 },
    ...{ conflicts: 0, firstConflict: null, unjudgeable: null, unknownTraces: null, firstLate: null },
    ...{ newestCall: null, newestSelected: null, newestSelectedGated: null },
    window: { since: null, until: null, tz: 'UTC' },
    lake: {
      ...{
        path: use.name,
        synced: true,
        last_sync: now.toISOString(),
        loading: false,
        known_logs: usedKnown,
      },
      ...{ not_looked_at: [], new_bytes: read.bytes, new_files: read.files },
      ...{ earlier_bytes: before.bytes, earlier_files: before.files },
    },
  };
}
