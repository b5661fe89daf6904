/** Receipts of days that are over become lines of few files: each stands there as it was published, with its checksum. */
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { instantOf } from '../../instant.js';
import { COMPACTION_FORMAT, type DataFile, type Move } from '../../schema/batch.js';
import { version } from '../../version.js';
import { sha256 } from '../store/fingerprint.js';
import { compactionName, type Moves, receiptFiles } from './compactions.js';
import { stagedAt } from './data-file.js';
import { BATCHES, mergedReceiptsName } from './layout.js';
import type { FolderLake } from './making.js';
import { allSynced, type Place } from './place.js';
import { isMergedName, textsOf } from './receipts.js';
import { sealed, unsealed } from './seal.js';
import type { FolderState } from './state.js';

/** What merging comes to. */
export interface Merging {
  readonly files: number;
  readonly into: number;
  readonly bytes: number;
  readonly bytes_before: number;
}

interface ReceiptFile {
  readonly name: string;
  readonly lines: readonly Buffer[];
  readonly bytes: number;
}

/** @param most bytes of a merged file; those that have half of it are left as they are. */
export async function mergeReceipts(
  lake: FolderLake,
  state: FolderState,
  { now, most }: { readonly now: Date; readonly most: number },
): Promise<Merging> {
  const sum = { files: 0, into: 0, bytes: 0, bytes_before: 0 };
  for (const group of groupsOf(lake, state, now, most)) {
    const [file] = (await mergeGroup(lake, group, now)).files;
    sum.files += group.length;
    sum.into++;
    sum.bytes += file!.bytes;
    sum.bytes_before += group.reduce((total, { bytes }) => total + bytes, 0);
  }
  return sum;
}

/** Files that are merged together: what was merged before and is small, and receipts that were made before today. */
function groupsOf(
  { place }: FolderLake,
  { receipts }: FolderState,
  now: Date,
  most: number,
): ReceiptFile[][] {
  const today = now.toISOString().slice(0, 10);
  const old = new Set(receipts.filter(({ made_at }) => made_at.slice(0, 10) < today).map(({ id }) => id));
  const isClosed = (name: string) => isMergedName(name) || old.has(path.posix.basename(name, '.json'));
  const groups: ReceiptFile[][] = [];
  let group: ReceiptFile[] = [];
  let size = 0;
  for (const name of place.list(BATCHES).filter(isClosed).sort()) {
    const { lines, wrong } = textsOf(place, name);
    if (wrong !== null || !lines.every(isWhole)) continue;
    const bytes = lines.reduce((sum, { length }) => sum + length, 0);
    if (bytes >= most / 2) continue;
    group.push({ name, lines, bytes });
    size += bytes;
    if (size < most) continue;
    groups.push(group);
    [group, size] = [[], 0];
  }
  return [...groups, group].filter(({ length }) => length > 1);
}

/** Somebody may have changed it since the lake was looked into. */
const isWhole = (line: Buffer) => idOf(line) !== '';

async function mergeGroup(
  { place, making }: FolderLake,
  group: readonly ReceiptFile[],
  now: Date,
): Promise<Move> {
  // The same receipt may stand in a small file and in one that it was merged into.
  const lines = [...new Set(group.flatMap((file) => file.lines.map((line) => line.toString())))].sort();
  const bytes = Buffer.from(lines.join(''));
  const hash = sha256(bytes);
  const file: DataFile = {
    path: mergedReceiptsName(hash),
    ...{ bytes: bytes.length, rows: lines.length, sha256: hash },
  };
  const replaces = group.map(({ name }) => name).filter((name) => name !== file.path);
  const move: Move = { table: BATCHES, files: [file], replaces };
  const id = sha256(Buffer.from([file.path, ...replaces].join('\n')));
  const stage = place.stage();
  try {
    const staged = { file: stagedAt(stage, file.path), commit: path.join(stage.path, 'commit') };
    const made_at = instantOf(now);
    const commit = { schema: COMPACTION_FORMAT, id, lake: making.lake_id, version, made_at, moves: [move] };
    writeFileSync(staged.file, bytes);
    writeFileSync(staged.commit, sealed(commit));
    await allSynced([staged.file, staged.commit]);
    place.put(file.path, { staged: staged.file });
    place.put(compactionName(id), { staged: staged.commit });
    return move;
  } finally {
    stage.remove();
  }
}

const digestsOf = (lines: readonly Buffer[]) => lines.map(sha256);

export interface Replaced {
  readonly moves: Pick<Moves, 'held'>;
  /** Files that were merged so long ago that nobody reads them. */
  readonly old: ReadonlySet<string>;
  /** Merged files that no compaction names. */
  readonly unnamed: readonly string[];
}

/**
 * Files whose receipts stand in merged ones, whole and under a commit.
 * What was published again under the name of a batch whose receipt is merged is no commit, and goes at once. What no
 * compaction names goes where all that it holds stands in files that stay.
 */
export function receiptsToGo(place: Reading, { moves: { held }, old, unnamed }: Replaced): string[] {
  const names = new Set(place.list(BATCHES));
  const replaced = held.filter(({ table }) => table === BATCHES).flatMap(({ replaces }) => replaces);
  const there = [...new Set(replaced)].filter((name) => names.has(name));
  if (there.length === 0 && unnamed.length === 0) return [];
  const standing = new Map<string, Set<string>>();
  for (const { lines, wrong } of receiptFiles(held).map((file) => textsOf(place, file.path))) {
    if (wrong !== null) continue;
    for (const line of lines)
      standing.set(idOf(line), (standing.get(idOf(line)) ?? new Set()).add(sha256(line)));
  }
  const gone = there.filter((name) => {
    const { lines, wrong } = textsOf(place, name);
    if (wrong !== null && isMergedName(name)) return false;
    const isHeld = lines.length > 0 && lines.every((line) => standing.get(idOf(line))?.has(sha256(line)));
    const isAgain = !isMergedName(name) && standing.has(path.posix.basename(name, '.json'));
    return isHeld ? old.has(name) : isAgain;
  });
  return [...gone, ...doubled(place, unnamed, [...names], new Set([...gone, ...unnamed]))];
}

function doubled(
  place: Reading,
  unnamed: readonly string[],
  names: readonly string[],
  going: ReadonlySet<string>,
): string[] {
  if (unnamed.length === 0) return [];
  const staying = names.filter((name) => !going.has(name)).map((name) => textsOf(place, name));
  const whole = staying.filter(({ wrong }) => wrong === null);
  const others = new Set(whole.flatMap(({ lines }) => digestsOf(lines)));
  return unnamed.filter((name) =>
    digestsOf(textsOf(place, name).lines).every((digest) => others.has(digest)),
  );
}

type Reading = Pick<Place, 'list' | 'read'>;

/** A line that cannot be read is of no batch, and held nowhere. */
function idOf(line: Buffer): string {
  const receipt = unsealed<{ readonly id: string }>(line);
  return typeof receipt === 'string' ? '' : receipt.id;
}
