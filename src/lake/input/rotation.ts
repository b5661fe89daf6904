import type { BigIntStats } from 'node:fs';
import { realpathSync } from 'node:fs';
import path from 'node:path';
import { damagedIfEmpty, namesBeforeRotation, uncompressedName } from './names.js';
import { identityOf, tryStat } from './paths.js';

/** A file that may be read, as far as rotation is concerned. */
export interface Rotating {
  readonly name: string;
  readonly path: string;
  /** Null for stdin. */
  readonly stats: BigIntStats | null;
}

export interface Clock {
  readonly now: Date;
  /** Seconds that a rotation may take. */
  readonly rotationGraceS: number;
}

/** File systems that count whole seconds round. */
const TICK_MS = 1_000;

function isYoung(stats: BigIntStats, { now, rotationGraceS }: Clock): boolean {
  return Math.abs(now.getTime() - Number(stats.mtimeMs)) <= rotationGraceS * 1_000;
}

/**
 * logrotate at work: `X.gz` is being written from an `X` that is read too. Half of it would be a damaged file, and
 * the whole of it nothing new. An `X` that is empty or was written since is no longer what `X.gz` was made from.
 * @returns the path of `X` as a user would name it.
 */
export function sourceOfUnfinished(
  file: Rotating,
  isRead: (identity: string) => boolean,
  clock: Clock,
): string | null {
  const source = uncompressedName(file.name);
  if (source === null || !file.stats?.isFile() || !isYoung(file.stats, clock)) return null;
  const stats = tryStat(uncompressedName(file.path) ?? '');
  if (stats === null || stats instanceof Error || !stats.isFile() || !isRead(identityOf(stats))) return null;
  const sinceThen = Number(stats.mtimeMs) - Number(file.stats.mtimeMs);
  return stats.size > 0n && sinceThen <= TICK_MS ? source : null;
}

/**
 * Tells which files may be empty beside others that hold records: plain ones that were written to a short while ago,
 * or whose rotated predecessor lies beside them and is read too.
 */
export function maybeEmptyAmong(files: readonly Rotating[], clock: Clock): (file: Rotating) => boolean {
  const real = new Map<string, string>();
  const folderOf = (file: Rotating) => {
    const folder = path.dirname(file.path);
    if (!real.has(folder)) real.set(folder, realFolder(folder));
    return real.get(folder)!;
  };
  const succeeded = new Set(
    files.flatMap((file) =>
      namesBeforeRotation(path.basename(file.path)).map((name) => path.join(folderOf(file), name)),
    ),
  );
  return (file) =>
    file.stats?.isFile() === true &&
    !damagedIfEmpty(file.name) &&
    (isYoung(file.stats, clock) || succeeded.has(path.join(folderOf(file), path.basename(file.path))));
}

function realFolder(folder: string): string {
  try {
    return realpathSync.native(folder);
  } catch {
    return folder;
  }
}
