/** Where the rows of batches stand since small files were merged. */
import { whyUnreadable } from '../../errors.js';
import {
  type BatchReceipt,
  COMPACTION_FORMAT,
  type CompactionReceipt,
  type DataFile,
} from '../../schema/batch.js';
import type { InputProblem } from '../../schema/result.js';
import { BATCHES, COMPACTIONS } from './layout.js';
import type { Place } from './place.js';
import { damage } from './receipts.js';
import { unsealed } from './seal.js';

export interface Compactions {
  readonly commits: readonly CompactionReceipt[];
  readonly problems: readonly InputProblem[];
}

export const compactionName = (id: string) => `${COMPACTIONS}/${id}.json`;

const AGAIN = 'put back the one that was published, or the files that it replaced';

export function readCompactions(place: Place, lakeId: string, at: (name: string) => string): Compactions {
  const problems: InputProblem[] = [];
  const commits = place
    .list(COMPACTIONS)
    .sort()
    .flatMap((name): CompactionReceipt[] => {
      const commit = readCompaction(place, name, lakeId);
      if (typeof commit !== 'string') return [commit];
      problems.push(damage(at(name), `the compaction cannot be believed: ${commit}`, AGAIN));
      return [];
    });
  return { commits, problems };
}

function readCompaction(place: Place, name: string, lakeId: string): CompactionReceipt | string {
  let bytes: Buffer;
  try {
    bytes = place.read(name);
  } catch (error) {
    return whyUnreadable(error);
  }
  const commit = unsealed<CompactionReceipt>(bytes);
  if (typeof commit === 'string') return commit;
  if (commit.schema !== COMPACTION_FORMAT) return `its schema is not ${COMPACTION_FORMAT}`;
  if (commit.lake !== lakeId) return 'it is of another lake';
  if (compactionName(commit.id) !== name) return 'it is called otherwise than it says';
  return Array.isArray(commit.moves) ? commit : 'it does not say what it merged';
}

/** A file, and the base table that it holds rows of. */
export interface PlacedFile extends DataFile {
  readonly table: string;
}

/** What receipts name, wherever its rows stand now. */
export const publishedFiles = (receipts: readonly BatchReceipt[]): PlacedFile[] =>
  receipts.flatMap(({ tables }) =>
    Object.entries(tables).flatMap(([table, { files }]) => files.map((file) => ({ ...file, table }))),
  );

export interface Placed {
  /** By their paths: those that hold the rows now. */
  readonly files: ReadonlyMap<string, PlacedFile>;
  /** Paths of those that others took the place of; they may be there for a while. */
  readonly replaced: ReadonlySet<string>;
  readonly problems: readonly InputProblem[];
}

/** Puts merged files in the place of what they were made of; they may have been merged again. */
export function placed(
  published: readonly PlacedFile[],
  { commits }: Compactions,
  at: (name: string) => string,
): Placed {
  const files = new Map(published.map((file) => [file.path, file]));
  const replaced = new Set<string>();
  let left = commits.flatMap(({ id, moves }) =>
    moves.filter(({ table }) => table !== BATCHES).map((move) => ({ id, ...move })),
  );
  for (let isMoving = true; isMoving; ) {
    const ready = left.filter(({ replaces }) => replaces.every((path) => files.has(path)));
    isMoving = ready.length > 0;
    left = left.filter((move) => !ready.includes(move));
    for (const { replaces, files: made, table } of ready) {
      for (const path of replaces) {
        files.delete(path);
        replaced.add(path);
      }
      for (const file of made) files.set(file.path, { ...file, table });
    }
  }
  const problems = left.map(({ id, replaces }) => {
    const lacking = replaces.filter((path) => !files.has(path));
    return damage(
      at(compactionName(id)),
      `it merged ${lacking[0]}${lacking.length > 1 ? ` and ${lacking.length - 1} more` : ''}, which no receipt names`,
      'put back the receipt of that batch',
    );
  });
  return { files, replaced, problems };
}

/** Files of merged receipts that commits name, without those that were merged again. */
export function receiptFiles({ commits }: Pick<Compactions, 'commits'>): PlacedFile[] {
  const moves = commits.flatMap((commit) => commit.moves.filter(({ table }) => table === BATCHES));
  const replaced = new Set(moves.flatMap(({ replaces }) => replaces));
  return moves
    .flatMap(({ files, table }) => files.map((file) => ({ ...file, table })))
    .filter(({ path }) => !replaced.has(path));
}

/** Whether what it took the place of is nobody's any more. A clock that went wrong keeps nothing for ever. */
export const isOld = ({ made_at }: CompactionReceipt, now: Date, graceS: number): boolean =>
  Math.abs(now.getTime() - Date.parse(made_at)) >= graceS * 1_000;
