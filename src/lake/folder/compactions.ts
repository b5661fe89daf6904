/** Where the rows of batches stand since small files were merged. */
import { whyUnreadable } from '../../errors.js';
import {
  type BatchReceipt,
  COMPACTION_FORMAT,
  type CompactionReceipt,
  type DataFile,
  type Move,
} from '../../schema/batch.js';
import type { InputProblem } from '../../schema/result.js';
import { BATCHES, COMPACTIONS, PUBLISHED_NAMES, receiptName, tableName } from './layout.js';
import type { Place } from './place.js';
import { damage } from './receipts.js';
import { unsealed } from './seal.js';

export interface Compactions {
  readonly commits: readonly CompactionReceipt[];
  readonly problems: readonly InputProblem[];
}

export const compactionName = (id: string) => `${COMPACTIONS}/${id}.json`;

const AGAIN =
  'put back the one that was published; without a copy remove it, and let the hosts publish again what is missed: lakelog sync; then: lakelog lake compact';

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

/** A move, and the compaction that it is of. */
export interface OwnMove extends Move {
  readonly id: string;
}

export interface Moves {
  readonly held: readonly OwnMove[];
  readonly voided: readonly OwnMove[];
}

/** What tells whether rows or receipts that a compaction moved are to be found without it. */
export interface Standing {
  readonly has: (name: string) => boolean;
  /** Whether something is lost where that file is not there, which no compaction made. */
  readonly isMissed: (name: string) => boolean;
}

/**
 * Moves whose files are gone while nothing rests on them: what they were made of stands there by itself again, or is of
 * no batch of the lake any more. Nobody needs to put back what such a move made.
 */
export function movesOf({ commits }: Pick<Compactions, 'commits'>, { has, isMissed }: Standing): Moves {
  const all = commits.flatMap(({ id, moves }) => moves.map((move): OwnMove => ({ id, ...move })));
  const makers = new Map(all.flatMap((move) => move.files.map((file) => [file.path, move] as const)));
  const known = new Map<string, boolean>();
  const isLost = (path: string): boolean => {
    if (!known.has(path)) {
      // Whoever made a commit by hand makes no circle of it.
      known.set(path, false);
      known.set(path, !has(path) && (makers.get(path)?.replaces.some(isLost) ?? isMissed(path)));
    }
    return known.get(path)!;
  };
  let held: readonly OwnMove[] = all;
  for (;;) {
    const again = new Set(held.flatMap(({ replaces }) => replaces));
    const next = held.filter(
      ({ files, replaces }) =>
        files.some(({ path }) => again.has(path) || has(path)) || replaces.some(isLost),
    );
    if (next.length === held.length) break;
    held = next;
  }
  const isHeld = new Set(held);
  return { held, voided: all.filter((move) => !isHeld.has(move)) };
}

/** @param names of files that are there. */
export function movesAmong(
  compactions: Pick<Compactions, 'commits'>,
  names: ReadonlySet<string>,
  receipts: readonly BatchReceipt[],
): Moves {
  const published = new Set(publishedFiles(receipts).map(({ path }) => path));
  const ids = new Set(receipts.map(({ id }) => receiptName(id)));
  return movesOf(compactions, {
    has: (name) => names.has(name),
    // Which receipt stood in a file says its name.
    isMissed: (name) => (name.startsWith(`${BATCHES}/`) ? !ids.has(name) : published.has(name)),
  });
}

/** Names of all files that hold rows or receipts. */
export const heldNames = (place: Pick<Place, 'list'>): Set<string> =>
  new Set([...PUBLISHED_NAMES.map(tableName), BATCHES].flatMap((folder) => place.list(folder)));

/** Puts merged files in the place of what they were made of; they may have been merged again. */
export function placed(
  published: readonly PlacedFile[],
  { held }: Pick<Moves, 'held'>,
  at: (name: string) => string,
): Placed {
  const files = new Map(published.map((file) => [file.path, file]));
  const replaced = new Set<string>();
  let left = held.filter(({ table }) => table !== BATCHES);
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
      'put back the receipt of that batch; or let its host publish the batch again: lakelog sync',
    );
  });
  return { files, replaced, problems };
}

/** Files of merged receipts that commits name, without those that were merged again. */
export function receiptFiles(all: readonly Move[]): PlacedFile[] {
  const moves = all.filter(({ table }) => table === BATCHES);
  const replaced = new Set(moves.flatMap(({ replaces }) => replaces));
  return moves
    .flatMap(({ files, table }) => files.map((file) => ({ ...file, table })))
    .filter(({ path }) => !replaced.has(path));
}

/** Names of all files that commits name as made. */
export const madeFiles = ({ commits }: Pick<Compactions, 'commits'>): Set<string> =>
  new Set(commits.flatMap(({ moves }) => moves.flatMap(({ files }) => files.map(({ path }) => path))));

/** Whether what it took the place of is nobody's any more. A clock that went wrong keeps nothing for ever. */
export const isOld = ({ made_at }: CompactionReceipt, now: Date, graceS: number): boolean =>
  Math.abs(now.getTime() - Date.parse(made_at)) >= graceS * 1_000;
