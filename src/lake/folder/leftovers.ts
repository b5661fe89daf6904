/** What compactions leave behind goes when the lake is whole without it, and not before. */
import path from 'node:path';
import { LakelogError, messageOf } from '../../errors.js';
import { COMPACTION_FORMAT, type CompactionReceipt } from '../../schema/batch.js';
import { EXIT, type InputProblem } from '../../schema/result.js';
import type { Database } from '../duckdb/connection.js';
import { sha256 } from '../store/fingerprint.js';
import type { Settle } from '../store/unread.js';
import {
  compactionName,
  heldNames,
  isOld,
  type Moves,
  madeFiles,
  movesAmong,
  placed,
  publishedFiles,
  readCompactions,
} from './compactions.js';
import type { Hashes } from './hashes.js';
import { BATCHES, batchNumber, COMPACTIONS, MERGED } from './layout.js';
import type { FolderLake } from './making.js';
import { receiptsToGo } from './merge-receipts.js';
import { Without } from './place.js';
import { damage, readReceipts } from './receipts.js';
import { sealed } from './seal.js';
import { type FolderState, lookInto, MISSED_IN_IT } from './state.js';
import { parquet } from './tables.js';

export interface Sweeping {
  readonly now: Date;
  /** How long files that were merged stay for who reads them now. */
  readonly graceS: number;
  readonly hashes: Pick<Hashes, 'of' | 'keep'>;
  readonly settle: Settle;
  /** What is told of where the lake is not whole. */
  readonly otherwise: string;
}

/**
 * @returns the lake as it is then, and how many files went.
 * @throws LakelogError (exit 3) for a lake that is not as its commits say: it is mended first, and all stays.
 */
export async function sweep(
  db: Database,
  lake: FolderLake,
  { now, graceS, hashes, settle, otherwise }: Sweeping,
): Promise<{ readonly state: FolderState; readonly removed: number }> {
  const going = goingIn(lake, now, graceS);
  const names = new Set([...going.leftovers, ...going.others]);
  const rest = { ...lake, place: new Without(lake.place.path, names) };
  const state = lookInto(rest, { env: {}, hashed: () => true, hashes: () => hashes });
  // What is gone for good, and explained, is in no file that goes.
  const { open } = settle(state.problems);
  const damaged = open.filter(({ problem }) => problem === 'lake');
  const problems = damaged.length > 0 ? damaged : await strangeRows(db, lake, going.leftovers, state);
  if (problems.length > 0) throw refused(lake, problems, going.leftovers, otherwise);
  for (const name of names) lake.place.remove(name);
  return { state: { ...state, lake }, removed: names.size };
}

function refused(
  lake: FolderLake,
  [first]: readonly InputProblem[],
  [leftover]: readonly string[],
  otherwise: string,
): LakelogError {
  const { path: where, detail, next } = first!;
  // A commit that cannot be believed names what nobody knows the use of: it is what is to be put back.
  const isCommit = where.startsWith(path.join(lake.name, COMPACTIONS));
  if (leftover === undefined || isCommit || where === path.join(lake.name, leftover))
    return new LakelogError(`${otherwise}: ${detail}`, { where, next: next!, exitCode: EXIT.cannotVouch });
  const missed = `${otherwise}: ${MISSED_IN_IT.detail} (${where}: ${detail})`;
  return new LakelogError(missed, {
    where: path.join(lake.name, leftover),
    next: MISSED_IN_IT.next,
    exitCode: EXIT.cannotVouch,
  });
}

interface Going {
  /** Merged files that no compaction names. */
  readonly leftovers: readonly string[];
  /** What was merged, and compactions of which nothing is left. */
  readonly others: readonly string[];
}

function goingIn(lake: FolderLake, now: Date, graceS: number): Going {
  const { place, making } = lake;
  const at = (name: string) => name;
  const compactions = readCompactions(place, making.lake_id, at);
  const { receipts } = readReceipts(place, making.lake_id, at);
  const names = heldNames(place);
  const moves = movesAmong(compactions, names, receipts);
  const made = madeFiles(compactions);
  const isLeft = (name: string) => path.posix.basename(name).startsWith(MERGED) && !made.has(name);
  const [left, old] = [[...names].filter(isLeft), oldIn(compactions.commits, moves, now, graceS)];
  const { files, replaced } = placed(publishedFiles(receipts), moves, at);
  const rows = [...replaced].filter((name) => old.has(name) && !files.has(name) && names.has(name));
  const ofReceipts = receiptsToGo(place, { moves, old, unnamed: left.filter(isOfReceipts) });
  return {
    leftovers: left.filter((name) => !isOfReceipts(name)),
    others: [...rows, ...ofReceipts, ...voidCommits(lake, compactions.commits, moves)],
  };
}

const isOfReceipts = (name: string) => name.startsWith(`${BATCHES}/`);

/** Files that were merged at least so long ago. */
function oldIn(
  commits: readonly CompactionReceipt[],
  { held }: Moves,
  now: Date,
  graceS: number,
): Set<string> {
  const ids = new Set(commits.filter((commit) => isOld(commit, now, graceS)).map(({ id }) => id));
  return new Set(held.filter(({ id }) => ids.has(id)).flatMap(({ replaces }) => replaces));
}

/** What else a commit with such a move says is committed anew first. */
function voidCommits(
  { place }: FolderLake,
  commits: readonly CompactionReceipt[],
  { held, voided }: Moves,
): string[] {
  const ids = new Set(voided.map(({ id }) => id));
  return commits
    .filter(({ id }) => ids.has(id))
    .map(({ checksum: _, ...commit }) => {
      const moves = held.filter(({ id }) => id === commit.id).map(({ id: __, ...move }) => move);
      const paths = moves.flatMap(({ files }) => files.map((file) => file.path));
      const id = sha256(Buffer.from([commit.id, ...paths].join('\n')));
      if (moves.length > 0)
        place.put(compactionName(id), sealed({ ...commit, schema: COMPACTION_FORMAT, id, moves }));
      return compactionName(commit.id);
    });
}

/** Rows of batches that have no receipt stand nowhere else. */
async function strangeRows(
  db: Database,
  lake: FolderLake,
  leftovers: readonly string[],
  { receipts }: FolderState,
): Promise<InputProblem[]> {
  const known = new Set(receipts.map(({ id }) => batchNumber(id)));
  for (const name of leftovers.filter((one) => !one.startsWith('base_seqs/'))) {
    const where = path.join(lake.name, name);
    try {
      const { cells } = await db.rows(`SELECT DISTINCT batch FROM ${parquet([lake.place.at(name)])}`);
      const strange = cells.find(([batch]) => !known.has(batch as number));
      if (strange)
        return [damage(where, `it has rows of batch ${strange[0]}, ${UNKNOWN}`, MISSED_IN_IT.next)];
    } catch (error) {
      return [damage(where, `no compaction names it, and it cannot be read: ${messageOf(error)}`, REMOVE)];
    }
  }
  return [];
}

const UNKNOWN = 'which has no receipt, and no compaction names the file';
const REMOVE = 'the lake is whole without it: remove the file';
