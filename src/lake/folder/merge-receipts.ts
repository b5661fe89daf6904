/** Receipts of days that are over become lines of few files: each stands there as it was published, with its checksum. */
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { instantOf } from '../../instant.js';
import { COMPACTION_FORMAT, type DataFile, type Move } from '../../schema/batch.js';
import { version } from '../../version.js';
import { sha256 } from '../store/fingerprint.js';
import { compactionName, isOld, readCompactions, receiptFiles } from './compactions.js';
import { stagedAt } from './data-file.js';
import { BATCHES, mergedReceiptsName } from './layout.js';
import type { FolderLake } from './making.js';
import { allSynced } from './place.js';
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

/** Merged files that a compaction did not commit, because it was killed: what they hold stands elsewhere too. */
export function removeUnfinishedReceipts({ place, making }: FolderLake): void {
  const { commits } = readCompactions(place, making.lake_id, (name) => name);
  const named = new Set(
    commits.flatMap(({ moves }) => moves.flatMap(({ files }) => files.map((file) => file.path))),
  );
  const names = place.list(BATCHES);
  const unfinished = names.filter((name) => isMergedName(name) && !named.has(name));
  if (unfinished.length === 0) return;
  const isUnfinished = new Set(unfinished);
  const others = new Set(
    names.filter((name) => !isUnfinished.has(name)).flatMap((name) => digestsOf(textsOf(place, name).lines)),
  );
  for (const name of unfinished)
    if (digestsOf(textsOf(place, name).lines).every((digest) => others.has(digest))) place.remove(name);
}

const digestsOf = (lines: readonly Buffer[]) => lines.map(sha256);

/**
 * Files whose receipts stand in merged ones, whole and under a commit, since so long ago.
 * What was published again under the name of a batch whose receipt is merged is no commit, and goes at once.
 * @returns how many were there still.
 */
export function removeMergedReceipts({ place, making }: FolderLake, now: Date, graceS: number): number {
  const { commits } = readCompactions(place, making.lake_id, (name) => name);
  const replaced = commits.flatMap((commit) =>
    commit.moves
      .filter(({ table }) => table === BATCHES)
      .flatMap(({ replaces }) => replaces.map((name) => ({ name, isOld: isOld(commit, now, graceS) }))),
  );
  const there = replaced.filter(({ name }) => place.has(name));
  if (there.length === 0) return 0;
  const held = new Map<string, Set<string>>();
  for (const file of receiptFiles({ commits })) {
    const { lines, wrong } = textsOf(place, file.path);
    if (wrong !== null) continue;
    for (const line of lines) held.set(idOf(line), (held.get(idOf(line)) ?? new Set()).add(sha256(line)));
  }
  const gone = there.filter((file) => {
    const { lines, wrong } = textsOf(place, file.name);
    if (wrong !== null && isMergedName(file.name)) return false;
    const isHeld = lines.length > 0 && lines.every((line) => held.get(idOf(line))?.has(sha256(line)));
    const isAgain = !isMergedName(file.name) && held.has(path.posix.basename(file.name, '.json'));
    return isHeld ? file.isOld : isAgain;
  });
  for (const { name } of gone) place.remove(name);
  return gone.length;
}

/** A line that cannot be read is of no batch, and held nowhere. */
function idOf(line: Buffer): string {
  const receipt = unsealed<{ readonly id: string }>(line);
  return typeof receipt === 'string' ? '' : receipt.id;
}
