/** What an earlier run of this user counted of batches that never change: it need not be counted again. */
import type { BatchReceipt } from '../../schema/batch.js';
import type { InputProblem } from '../../schema/result.js';
import type { Database } from '../duckdb/connection.js';
import { countIds, type Ids } from './alike.js';
import { checkBatches, checkKinds, checkRejects, checkSums } from './check.js';
import { cacheFile, readCache, writeCache } from './hashes.js';
import { tableName } from './layout.js';
import type { FolderState } from './state.js';
import { filesOf, parquet } from './tables.js';

type Env = Readonly<Record<string, string | undefined>>;

/** Hashes of files whose rows came to what receipts say, and of those receipts; ids of batches none of whose call_ids are alike. */
interface Counted {
  readonly files: readonly string[];
  readonly receipts: readonly string[];
  readonly different: readonly string[];
  /** Calls of these that have a call_id. */
  readonly ids: number;
}

export interface Counting {
  readonly problems: readonly InputProblem[];
  readonly ids: Ids;
}

const MOST_TOLD = 5;
const COUNTED = ['calls', 'runs'] as const;
const isCounted = (table: string) => COUNTED.some((base) => tableName(base) === table);

/** Files are what their hashes say; what was counted of one is true of it for ever. */
export async function count(db: Database, state: FolderState, env: Env): Promise<Counting> {
  const file = cacheFile(state.lake, env, 'counted');
  const isComplete = !COUNTED.some((base) => state.torn.has(tableName(base)));
  const before = isComplete ? readCache<Counted>(file) : null;
  const fresh = freshIn(state, before);
  const problems = [
    ...(await sums(db, fresh)),
    ...(await checkRejects(db, state, fresh.receipts)),
    ...(await checkBatches(db, state, fresh.receipts)).slice(0, MOST_TOLD),
  ];
  const ids = await countAll(db, state, before);
  const isNews = fresh.receipts.length > 0 || before?.different.length !== state.receipts.length;
  if (isComplete && problems.length === 0 && isNews) writeCache(file, countedOf(state, ids));
  return { problems, ids };
}

async function sums(db: Database, state: FolderState): Promise<InputProblem[]> {
  const problems: InputProblem[] = [];
  if (state.receipts.length === 0 && state.files.length === 0) return problems;
  for (const base of COUNTED) problems.push(...(await checkSums(db, state, base)));
  // What lacks rows lacks them of some kind.
  return problems.length > 0 ? problems : checkKinds(db, state);
}

/** What of a lake was not counted yet: batches with files of their own, or else all. */
function freshIn(state: FolderState, before: Counted | null): FolderState {
  if (before === null) return state;
  const [known, sealed] = [new Set(before.files), new Set(before.receipts)];
  const receipts = state.receipts.filter(({ checksum }) => !sealed.has(checksum));
  const files = state.files.filter(({ table, sha256 }) => isCounted(table) && !known.has(sha256));
  const own = new Set(
    receipts.flatMap(({ tables }) =>
      Object.values(tables).flatMap((one) => one.files.map(({ path }) => path)),
    ),
  );
  const isApart =
    files.every(({ path }) => own.has(path)) && state.receipts.length - receipts.length === sealed.size;
  return isApart ? { ...state, receipts, files } : state;
}

function countedOf({ files, receipts }: FolderState, { ids, areDifferent }: Ids): Counted {
  return {
    files: files.filter(({ table }) => isCounted(table)).map(({ sha256 }) => sha256),
    receipts: receipts.map(({ checksum }) => checksum),
    ...(areDifferent ? { different: receipts.map(({ id }) => id), ids } : { different: [], ids: 0 }),
  };
}

/** New batches are compared among themselves, and with those of which it is known that no two are alike. */
async function countAll(db: Database, state: FolderState, before: Counted | null): Promise<Ids> {
  const files = filesOf(state, 'calls');
  if (files.length === 0) return { ids: 0, areDifferent: true };
  const known = new Set(before?.different);
  const there = new Set(state.receipts.map(({ id }) => id));
  if (known.size === 0 || ![...known].every((id) => there.has(id))) return countIds(db, parquet(files));
  const fresh = state.receipts.filter(({ id }) => !known.has(id));
  if (fresh.length === 0) return { ids: before!.ids, areDifferent: true };
  const own = freshFiles(state, fresh);
  // Merged meanwhile: what is new cannot be told by its files.
  if (own === null) return countIds(db, parquet(files));
  if (own.length === 0) return { ids: before!.ids, areDifferent: true };
  const added = await countIds(db, parquet(own));
  const isOwn = new Set(own);
  const old = files.filter((name) => !isOwn.has(name));
  const isApart = old.length === 0 || (await areApart(db, parquet(old), parquet(own)));
  return { ids: before!.ids + added.ids, areDifferent: added.areDifferent && isApart };
}

/** Files that hold the calls of these batches and no others; null where some were merged with those of others. */
function freshFiles({ files, lake }: FolderState, fresh: readonly BatchReceipt[]): string[] | null {
  const there = new Map(files.map((file) => [file.path, file]));
  const own = fresh.flatMap(({ tables }) => tables[tableName('calls')]?.files ?? []);
  return own.every(({ path }) => there.has(path)) ? own.map(({ path }) => lake.place.at(path)) : null;
}

async function areApart(db: Database, old: string, fresh: string): Promise<boolean> {
  const { cells } = await db.rows(
    `SELECT count(*) FROM (SELECT call_id FROM ${old} SEMI JOIN (SELECT call_id FROM ${fresh}) USING (call_id) LIMIT 1)`,
  );
  return cells[0]![0] === 0;
}
