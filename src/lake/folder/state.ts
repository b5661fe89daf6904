/** What a folder lake holds by its commits, and whether it stands in the folder: what is not, is told by its name. */
import type { BigIntStats } from 'node:fs';
import path from 'node:path';
import { whyUnreadable } from '../../errors.js';
import type { BatchReceipt } from '../../schema/batch.js';
import type { InputProblem } from '../../schema/result.js';
import {
  compactionName,
  heldNames,
  movesAmong,
  type OwnMove,
  type PlacedFile,
  placed,
  publishedFiles,
  readCompactions,
  receiptFiles,
} from './compactions.js';
import { Hashes, type Identity, identityOf } from './hashes.js';
import { hasGapOfSeveral, holesOf } from './holes.js';
import { contradictions, type HostState, readHosts } from './hosts.js';
import { BATCHES, COMPACTIONS, MERGED, PUBLISHED_NAMES, receiptName, tableName } from './layout.js';
import type { FolderLake } from './making.js';
import { type Chain, CUT, chainsOf, damage, nextIfRefused, readReceipts, short } from './receipts.js';

export interface FolderState {
  readonly lake: FolderLake;
  /** In the order of logs and of their bytes. */
  readonly receipts: readonly BatchReceipt[];
  readonly chains: readonly Chain[];
  /** Files that are there and are what a commit says, as far as was looked. */
  readonly files: readonly PlacedFile[];
  /** Base tables that lack rows, because a file is missing or another. */
  readonly torn: ReadonlySet<string>;
  readonly hosts: readonly HostState[];
  readonly problems: readonly InputProblem[];
  readonly notices: readonly string[];
  /** Where the receipt of a batch is, as a user finds it. */
  readonly receiptAt: (id: string) => string;
  /** What stood there when it was looked at. */
  readonly seen: Seen;
}

/** Names of commits, and files with what tells that nobody touched them. */
export interface Seen {
  readonly commits: readonly string[];
  readonly files: ReadonlyMap<string, Identity>;
}

export interface Looking {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Base tables whose files are read whole and hashed, if they are new; all others are told by their size. */
  readonly hashed: (table: string) => boolean;
  readonly hashes?: (lake: FolderLake) => Pick<Hashes, 'of' | 'keep'>;
}

/** A publisher or a compaction may come to its end while it is looked. */
const LOOKS = 5;

/** @throws an error of the system where the folder cannot be read. */
export function lookInto(lake: FolderLake, looking: Looking): FolderState {
  for (let left = LOOKS; ; left--) {
    const before = commitsOf(lake);
    const state = look(lake, looking, before);
    if (state.problems.length === 0) return state;
    const now = commitsOf(lake);
    if (isSame(before, now)) return state;
    // Where files were removed all the while, it is not known which are missing.
    if (left === 1)
      return isSame(merges(before), merges(now)) ? state : { ...state, problems: [again(lake)] };
  }
}

const merges = (names: readonly string[]) => names.filter((name) => name.startsWith(`${COMPACTIONS}/`));
const again = ({ name }: FolderLake) =>
  damage(name, 'files were merged each time that it was looked at', 'run the same command again');

const commitsOf = ({ place }: FolderLake) => [...place.list(BATCHES), ...place.list(COMPACTIONS)].sort();
const isSame = (a: readonly string[], b: readonly string[]) => a.join('\n') === b.join('\n');

function look(lake: FolderLake, looking: Looking, commits: readonly string[]): FolderState {
  const { place, making } = lake;
  const at = (name: string) => path.join(lake.name, name);
  const hosts = readHosts(place, making.lake_id, at);
  const { receipts, problems, merged } = readReceipts(place, making.lake_id, at);
  const compactions = readCompactions(place, making.lake_id, at);
  // After commits: what they name was there before them.
  const names = compactions.commits.length > 0 ? heldNames(place) : new Set<string>();
  const { held, voided } = movesAmong(compactions, names, receipts);
  const now = placed(publishedFiles(receipts), { held }, at);
  const files = checkFiles(lake, [...now.files.values(), ...receiptFiles(held)], looking, at);
  const strangers = strangersIn(lake, now, { commits, receipts }, at);
  const chains = chainsOf(receipts);
  const standing = (name: string) => (merged.has(name) ? `${at(merged.get(name)!)}, ${name}` : at(name));
  const isOfReceipts = ({ path: where }: InputProblem) => where.startsWith(at(`${BATCHES}/`));
  const lostReceipts = files.problems.filter(isOfReceipts);
  const damaged = [
    ...problems,
    ...compactions.problems,
    ...few(lostReceipts),
    // Of batches whose receipts were merged no host makes these again.
    ...now.problems.map((one) => (lostReceipts.length === 0 ? one : { ...one, next: CUT })),
    ...holesOf(receipts, standing),
    ...few(files.problems.filter((one) => !isOfReceipts(one))),
    ...few(strangers.problems),
    ...hosts.problems,
    ...contradictions(hosts, receipts, place, at),
  ];
  return {
    ...{
      lake,
      chains,
      files: files.fine.filter(({ table }) => table !== BATCHES),
      torn: files.torn,
      hosts: hosts.states,
    },
    receipts: chains.flatMap(({ batches }) => batches),
    problems: withLeftovers(damaged, strangers.leftovers.map(at)),
    notices: [...strangers.notices, ...forgotten(voided, at)],
    receiptAt: (id) => standing(receiptName(id)),
    seen: { commits, files: files.seen },
  };
}

/** Merged files that no compaction names: whether all rows stand elsewhere too says the rest of the lake. */
function withLeftovers(damaged: readonly InputProblem[], leftovers: readonly string[]): InputProblem[] {
  const { detail, next } = damaged.length === 0 ? UNFINISHED : MISSED_IN_IT;
  return [...damaged, ...few(leftovers.map((where) => damage(where, detail, next)))];
}

const UNFINISHED = {
  detail: 'these rows stand there twice: a compaction was stopped on its way',
  next: 'lakelog lake compact',
};
export const MISSED_IN_IT = {
  detail:
    'no compaction that can be believed names this file, and rows that are missed may stand in it alone',
  next: 'leave it there, and put back its commit (compactions/ID.json) from a copy; without one let the hosts publish again what is missed: lakelog sync; then: lakelog lake compact',
};

/** What such a commit says, nobody needs. */
const forgotten = (voided: readonly OwnMove[], at: (name: string) => string) =>
  [...new Set(voided.map(({ id }) => id))].map(
    (id) =>
      `${at(compactionName(id))} names a file that is gone, and nothing rests on it: lakelog lake compact forgets it`,
  );

const MOST_TOLD = 10;

/** A lost disk is told once, not a thousand times. */
function few(problems: readonly InputProblem[]): InputProblem[] {
  const more = problems.length - MOST_TOLD;
  const [last] = problems.slice(-1);
  if (more <= 0 || last === undefined) return [...problems];
  return [...problems.slice(0, MOST_TOLD), { ...last, detail: `${last.detail}; so are ${more} more files` }];
}

function checkFiles(
  lake: FolderLake,
  named: readonly PlacedFile[],
  { env, hashed, hashes: own }: Looking,
  at: (name: string) => string,
) {
  const hashes = own ? own(lake) : new Hashes(lake, env);
  const seen = new Map<string, Identity>();
  const torn = new Set<string>();
  const problems: InputProblem[] = [];
  const lookAt = (file: PlacedFile): readonly [string, string] | null => {
    let putBack = file.table === BATCHES ? CUT : PUT_BACK;
    try {
      const stats = lake.place.statsOf(file.path);
      if (stats && file.table !== BATCHES) putBack = REMOVE_FIRST;
      if (stats) seen.set(file.path, identityOf(stats));
      const wrong = wrongIn(file, stats, hashed(file.table) ? hashes : null);
      return wrong === null ? null : [wrong, putBack];
    } catch (error) {
      return [`the file cannot be read: ${whyUnreadable(error)}`, nextIfRefused(error) ?? putBack];
    }
  };
  const fine = named.filter((file) => {
    const wrong = lookAt(file);
    if (wrong === null) return true;
    torn.add(file.table);
    problems.push(damage(at(file.path), ...wrong));
    return false;
  });
  hashes.keep(new Set(named.map(({ path }) => path)));
  return { fine, torn, problems, seen };
}

const AGAIN = 'let the host publish its rows again from the log: lakelog sync';
const PUT_BACK = `put it back from a copy; or ${AGAIN}`;
const REMOVE_FIRST = `put it back from a copy; or remove it, and ${AGAIN}`;

function wrongIn(
  file: PlacedFile,
  stats: BigIntStats | undefined,
  hashes: Pick<Hashes, 'of'> | null,
): string | null {
  if (stats === undefined)
    return file.table === BATCHES
      ? 'the file is missing, and holds receipts that were merged'
      : 'the file is missing, and a receipt names it';
  if (!stats.isFile()) return 'this is no file, and a receipt names it as one';
  if (Number(stats.size) !== file.bytes)
    return `the file has ${stats.size} bytes, and its receipt says ${file.bytes}: it was cut, or is another`;
  if (hashes === null || hashes.of(file.path, stats) === file.sha256) return null;
  return 'the file is another than its receipt says (SHA-256)';
}

/** Rows that no commit names. @param known commits by their names, and receipts that can be believed. */
function strangersIn(
  { place }: FolderLake,
  { files, replaced }: ReturnType<typeof placed>,
  known: { readonly commits: readonly string[]; readonly receipts: readonly BatchReceipt[] },
  at: (name: string) => string,
) {
  // In this order: what is being made has a draft until its commit stands.
  const names = PUBLISHED_NAMES.flatMap((base) => place.list(tableName(base)));
  const making = new Set(place.staged().flatMap(({ name, ageMs }) => (ageMs < STOPPED_MS ? [name] : [])));
  const commits = new Set(known.commits);
  const believed = new Set(known.receipts.map(({ id }) => id));
  const isMerged = (id: string) => id.startsWith(MERGED);
  // Which of them named it, nobody needs to know: rows are read as they were.
  const isMergedSince = place.list(COMPACTIONS).some((name) => !commits.has(name));
  const problems: InputProblem[] = [];
  const leftovers: string[] = [];
  const ids = new Set<string>();
  const hasRow = hasGapOfSeveral(known.receipts);
  for (const name of names) {
    const file = path.posix.basename(name);
    if (files.has(name) || replaced.has(name) || /^[._]/.test(file)) continue;
    const id = file.replace(/\.parquet$/, '');
    if (id === file) problems.push(damage(at(name), NO_FILE_OF_IT, 'take it out of the folder'));
    else if (making.has(`${id}.json`)) ids.add(id);
    else if (believed.has(id))
      problems.push(damage(at(name), 'the receipt of its batch does not name it', 'remove the file'));
    // A receipt that cannot be believed was told by its name.
    else if (commits.has(receiptName(id))) continue;
    else if (isMerged(id) ? isMergedSince : place.has(receiptName(id))) ids.add(id);
    else if (isMerged(id)) leftovers.push(name);
    else problems.push(damage(at(name), STRANGER, hasRow ? inRow(id) : REMEDY));
  }
  const isMerging = [...ids].some(isMerged);
  const batches = [...ids].filter((id) => !isMerged(id));
  return {
    ...{ problems, leftovers },
    notices: [
      ...batches.map((id) => `batch ${short(id)} is being published now, and is of the next run`),
      ...(isMerging ? ['files are being merged now; they are read as they were'] : []),
    ],
  };
}

const NO_FILE_OF_IT = 'this is no file of the lake, and other programs may take it for one';
/** Whoever has not come to its end by then was killed. */
const STOPPED_MS = 600_000;
const STRANGER =
  'these rows have no receipt: a publication that was stopped on its way, a copy, or a receipt that was lost';
const REMEDY = 'let the host publish the log again (lakelog sync), put back the receipt, or remove the file';

/** Where several batches in a row are gone, no log makes one of them again. */
const inRow = (id: string) =>
  `put back its receipt (${receiptName(id)}) from a copy; without one, settle the gap in its log, and remove the file`;

/** What became of a lake since it was looked at. */
export function changedSince({ lake, seen }: FolderState): InputProblem[] {
  const at = (name: string) => path.join(lake.name, name);
  const touched = [...seen.files].filter(([name, identity]) => {
    const stats = lake.place.statsOf(name);
    return stats === undefined || identityOf(stats) !== identity;
  });
  const gone = seen.commits.filter((name) => !lake.place.has(name));
  return [...touched.map(([name]) => name), ...gone]
    .slice(0, 1)
    .map((name) => damage(at(name), 'the lake changed while it was asked', 'run the same command again'));
}
