/** A folder lake as a run asks it: looked into, seen as tables, and looked into again. */
import path from 'node:path';
import { LakelogError, messageOf, shellWord } from '../../errors.js';
import { EXIT, type InputProblem, type LakeReceipt } from '../../schema/result.js';
import type { Database } from '../duckdb/connection.js';
import type { Ledger } from '../load/account.js';
import { lakePlan } from '../store/tables.js';
import type { LoadPlan } from '../tables/plan.js';
import { fillTwins, findConflicts, findTaken } from './alike.js';
import type { PlacedFile } from './compactions.js';
import { Found } from './found.js';
import { problemsOf } from './hosts.js';
import { count } from './known.js';
import { MAKING, type PublishedName, publishedColumns, tableName } from './layout.js';
import { accountsOf, folderLedger, lakeReceiptOf } from './ledger.js';
import { openFolderLake } from './making.js';
import { ordinalOf } from './ordinal.js';
import { damage } from './receipts.js';
import { changedSince, type FolderState, lookInto } from './state.js';
import { callsOfDay, fillBatches, fillSmall, makeView, makeViews, parquet, sharedFiles } from './tables.js';

export interface FolderAsked {
  readonly name: string;
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly plan: LoadPlan;
  readonly showContent: boolean;
  readonly maxLineBytes: number;
  readonly hasRoster: boolean;
}

/** A lake that is open; its base tables are made. */
export class OpenFolder {
  readonly state: FolderState;
  readonly ledger: Ledger;
  /** What was found in files before; null where rows of a file hang on those of others, or a file is damaged. */
  readonly found: Found | null;

  constructor(state: FolderState, ledger: Ledger, found: Found | null) {
    this.state = state;
    this.ledger = ledger;
    this.found = found;
  }

  /** Where the batch of a row of this name stands among all, by log and byte. */
  readonly orderOf = ordinalOf;

  /** Absolute paths of all that the tables are read from. */
  get files(): string[] {
    const { files, lake } = this.state;
    return files.map(({ path }) => lake.place.at(path));
  }

  /**
   * What is wrong with what was answered. Files that nobody touched hold what the engine counted before: sums of them
   * would say less than that.
   */
  sinceThen(): InputProblem[] {
    const problems = changedSince(this.state);
    if (problems.length === 0) this.found?.keep();
    return problems;
  }

  get receipt(): LakeReceipt {
    const { receipts, lake, chains, hosts } = this.state;
    const times = [...receipts.map(({ made_at }) => made_at), ...hosts.map(({ synced_at }) => synced_at)];
    return lakeReceiptOf(lake.name, receipts, { times, logs: chains.length });
  }
}

export async function openFolder(db: Database, asked: FolderAsked): Promise<OpenFolder> {
  const lake = openFolderLake(asked.name, asked.cwd);
  const { keeps_content } = lake.making;
  if (asked.showContent && !keeps_content)
    throw new LakelogError('the lake keeps no content, which --show-content asks for', {
      where: asked.name,
      next: 'leave it out, or fill another folder with --keep-content',
    });
  db.explainFailures((error) => explained(error, asked.name));
  const planned = Object.keys(asked.plan) as PublishedName[];
  // Acknowledgements ask for rejects, and accounts for numbers of writers, whatever is asked; receipts are compared.
  const read = new Set([...planned, 'rejects' as const, 'seqs' as const, 'batches' as const].map(tableName));
  const state = lookInto(lake, { env: asked.env, hashed: (table) => read.has(table) });
  // Several statements read every file: where its columns stand is read once.
  await db.run('SET parquet_metadata_cache = true');
  await fillSmall(db, state);
  const counted = await count(db, state, asked.env);
  const { ids, areDifferent } = counted.ids;
  const among = !areDifferent ? 'TRUE' : ids === rowsOf(state, 'calls') ? null : 'call_id IS NULL';
  const taken = {
    calls: await findTaken(db, 'calls', shared(state, 'calls', among)),
    runs: await findTaken(db, 'runs', shared(state, 'runs', 'TRUE')),
  };
  const hasTaken = { calls: taken.calls.size > 0, runs: taken.runs.size > 0 };
  await makeViews(db, state, asked.plan, lakePlan(keeps_content), hasTaken);
  const conflicts = await findConflicts(db, areDifferent);
  if (asked.plan.twins) await fillTwins(db);
  const isWhole = !hasTaken.calls && !state.torn.has(tableName('calls')) && counted.problems.length === 0;
  const problems = [
    ...state.problems,
    ...counted.problems,
    ...nothingIn(state),
    ...state.hosts.flatMap(problemsOf),
  ];
  const accounts = await accountsOf(db, state, { taken: [taken.calls, taken.runs], conflicts });
  await fillBatches(db, state.receipts, accounts);
  const callsAt = (time: bigint) => callsOfDay(state, hasTaken, time);
  const parts = { accounts, firstConflict: conflicts.first, isWhole, problems, callsAt };
  const narrow = (files: readonly PlacedFile[]) => viewCallsOf(db, state, files);
  return new OpenFolder(
    state,
    folderLedger(db, state, parts),
    isWhole && !asked.hasRoster ? new Found(state, asked.env, narrow) : null,
  );
}

function viewCallsOf(db: Database, { lake }: FolderState, files: readonly PlacedFile[]): Promise<void> {
  const columns = publishedColumns(lakePlan(lake.making.keeps_content), 'calls');
  return makeView(
    db,
    'calls',
    columns,
    files.map(({ path }) => lake.place.at(path)),
  );
}

const rowsOf = ({ files }: FolderState, base: PublishedName) =>
  files.reduce((sum, { table, rows }) => sum + (table === tableName(base) ? rows : 0), 0);

/** Rows that may stand in several batches. @param condition null where none can. */
function shared(state: FolderState, base: 'calls' | 'runs', condition: string | null): string | null {
  const files = sharedFiles(state, base);
  return files.length === 0 || condition === null ? null : `(FROM ${parquet(files)} WHERE ${condition})`;
}

const nothingIn = ({ receipts, lake, problems }: FolderState): InputProblem[] =>
  receipts.length > 0 || problems.length > 0
    ? []
    : [
        damage(
          lake.name,
          'the lake holds no batch',
          `publish logs: lakelog sync --lake ${shellWord(lake.name)} LOGS`,
        ),
      ];

/** What the engine says of a file that is not there any more, or is none. */
export function explained(error: unknown, name: string): unknown {
  if (error instanceof LakelogError) return error;
  const [message] = messageOf(error).split('\n', 1) as [string];
  if (/^Binder Error: Table "c" does not have a column named/.test(message))
    return new LakelogError('the lake is damaged: its files have other columns than lakelog.json says', {
      where: path.join(name, MAKING),
      next: 'put it back as it was',
      exitCode: EXIT.cannotVouch,
      cause: error,
    });
  const ofFile =
    /parquet|snappy|zstd|thrift|No files found|Cannot open file|Could not read|No such file|footer/i.test(
      message,
    );
  if (!ofFile || /^(Parser|Binder|Catalog|Out of Memory)/.test(message)) return error;
  return new LakelogError(`the lake cannot be read: ${message}`, {
    where: name,
    next: 'run the same command again; if it says so again, see which file is damaged: lakelog lake verify',
    exitCode: EXIT.cannotVouch,
    cause: error,
  });
}
