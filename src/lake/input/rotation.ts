import type { BigIntStats } from 'node:fs';
import path from 'node:path';
import { OTHER_ENDINGS } from './decompress.js';
import { type Candidate, identityOf, statOf } from './find.js';

export interface Clock {
  readonly now: Date;
  /** Seconds that a rotation may take. */
  readonly rotationGraceS: number;
}

/** File systems that count whole seconds round. */
const TICK_MS = 1_000;

const COMPRESSED = /\.(gz|zstd?)$/i;
const STAMP = String.raw`(?:\.\d{1,4}|[-._]\d{4}-?\d{2}-?\d{2}(?:[-T_.]?\d[\d:.-]*Z?)?)`;
/** `sessions.jsonl.1`, `sessions.jsonl-20260901`; `sessions.1.jsonl`, `sessions-20260901.jsonl`. */
const STAMPED = [new RegExp(`^(.+?)${STAMP}$`), new RegExp(String.raw`^(.+?)${STAMP}(\.\w+)$`)];

/** By its name. Even nothing compresses to more than 0 bytes, so that such a file without bytes is damaged. */
export function isCompressed(name: string): boolean {
  return COMPRESSED.test(name);
}

const COMPRESSED_OTHERWISE = new RegExp(`\\.(${OTHER_ENDINGS.map((one) => one.slice(1)).join('|')})$`, 'i');

/** Also by what nothing here decompresses. */
export const isSaidCompressed = (name: string): boolean =>
  COMPRESSED.test(name) || COMPRESSED_OTHERWISE.test(name);

/** What an archive is made from, by its name; any other as it is. */
export const plainName = (name: string): string => name.replace(COMPRESSED, '');

function isYoung({ mtimeMs }: BigIntStats, clock: Clock): boolean {
  return isRecent(Number(mtimeMs), clock);
}

/** A rotation that touched the file then may still go on. */
export function isRecent(ms: number, { now, rotationGraceS }: Clock): boolean {
  return Math.abs(now.getTime() - ms) <= rotationGraceS * 1_000;
}

/**
 * logrotate at work: `X.gz` is being written from an `X` that is read too, so half of it is no damage; the whole of it
 * is read, and holds nothing new if it was made from this `X`. One that is empty or was written since is not what it was.
 * @returns the path of `X` as a user would name it.
 */
export function sourceOfUnfinished(
  file: Candidate,
  isRead: (identity: string) => boolean,
  clock: Clock,
): string | null {
  if (!isCompressed(file.name) || !file.stats?.isFile() || !isYoung(file.stats, clock)) return null;
  const source = statOf(plainName(file.path));
  if (!source?.isFile() || source.size === 0n || !isRead(identityOf(source))) return null;
  const sinceThen = Number(source.mtimeMs) - Number(file.stats.mtimeMs);
  return sinceThen <= TICK_MS ? plainName(file.name) : null;
}

/**
 * Tells which files may be empty beside others that hold records: plain ones that were written to a short while ago,
 * or whose rotated predecessor lies beside them and is read too.
 */
export function maybeEmptyAmong(files: readonly Candidate[], clock: Clock): (file: Candidate) => boolean {
  const succeeded = new Set(files.flatMap(successorsOf));
  return ({ name, stats }) =>
    stats?.isFile() === true &&
    !isCompressed(name) &&
    (isYoung(stats, clock) || succeeded.has(identityOf(stats)));
}

/** What a file with the name of a rotated log, compressed or not, may have been called. */
function namesBefore(name: string): string[] {
  const bare = plainName(name);
  return STAMPED.flatMap((stamped) => {
    const [, stem, extension = ''] = stamped.exec(bare) ?? [];
    return stem === undefined ? [] : [stem + extension];
  });
}

/** What stands now where a rotated file may have been written. */
function successorsOf(file: Candidate): string[] {
  return namesBefore(path.basename(file.path)).flatMap((name) => {
    const stats = statOf(`${path.dirname(file.path)}/${name}`);
    return stats ? [identityOf(stats)] : [];
  });
}

/** What stands in the folder of a log and was that log before. */
export function predecessorNames(names: readonly string[], log: string): string[] {
  return names.filter((name) => {
    if (plainName(name) === log) return name !== log;
    return namesBefore(name).includes(log);
  });
}

/** What a log was called before it was rotated and compressed, or as it is called. */
function bareName(name: string): string {
  const plain = isCompressed(name) ? plainName(name) : name.replace(COMPRESSED_OTHERWISE, '');
  return namesBefore(plain)[0] ?? plain;
}

/** By their names. */
export const mayBeOneLog = (one: string, other: string): boolean =>
  bareName(path.basename(one)) === bareName(path.basename(other));

/** Whether nobody writes to a file of this name any more, once its rotation is over. */
export const isRotatedName = (name: string): boolean =>
  isCompressed(name) || STAMPED.some((stamped) => stamped.test(name));
