/** How a file that could not be read is known again, wherever it stands by then: its name is that of the next one soon. */
import type { BigIntStats } from 'node:fs';
import {
  compressionOf,
  gunzipBeginning,
  identityOf,
  isCompressed,
  isSaidCompressed,
  mayBeOneLog,
  plainName,
  type SourceFile,
  statOf,
} from '../input/index.js';
import { withFile } from './bytes.js';
import { bytesAt, START_BYTES, sha256, startOf } from './fingerprint.js';
import type { KnownLog } from './logs.js';

/** Of a file, as it stood there. */
export interface Mark {
  readonly size: bigint;
  /** When it was written to last, and when it was made: numbers of files are used again. */
  readonly mtimeNs: bigint;
  readonly bornNs: bigint;
  readonly identity: string;
  /** Of its first bytes; empty where they could not be read either, or are too few to tell it from others. */
  readonly start: string;
  /** The same of what they are compressed from: whoever makes an archive anew may have another program. */
  readonly text: string;
}

/** All that two archives may have alike: what they are, and when they were made from what. */
const FEW = 32n;

/** Null for what is no file. */
export function markOf(path: string): string | null {
  const stats = statOf(path);
  if (!stats?.isFile()) return null;
  const { size, mtimeNs, birthtimeNs } = stats;
  const [start, text] = [startIn(path, size), textIn(path, START_BYTES)];
  return [size, mtimeNs, identityOf(stats), birthtimeNs, start, text].join(' ').trimEnd();
}

function startIn(path: string, size: bigint): string {
  if (size < FEW) return '';
  try {
    return withFile(path, (fd) => startOf(fd, Number(size)));
  } catch {
    return '';
  }
}

/** How many first bytes of a .gz are read for as many of its text, or more. */
const PACKED_BYTES = 2 * START_BYTES;

/** All logs of one writer begin alike; what is compressed does not. */
const fewOf = (text: Uint8Array) => (compressionOf(text) === null ? 1024 : Number(FEW));

/** @param most bytes of the text. @returns how many there are, and their hash; empty for what is no .gz, or damaged there. */
function textIn(path: string, most: number): string {
  try {
    const packed = withFile(path, (fd) => bytesAt(fd, 0, PACKED_BYTES));
    if (compressionOf(packed) !== 'gz') return '';
    const text = gunzipBeginning(packed).subarray(0, most);
    return text.length < fewOf(text) ? '' : hashed(text);
  } catch {
    return '';
  }
}

const hashed = (bytes: Uint8Array) => `${bytes.length}:${sha256(bytes)}`;

/** Null for that of what never was a file. An earlier version knew neither when it was made nor its bytes. */
export function markIn(mark = ''): Mark | null {
  const [size, mtimeNs, identity, bornNs = '0', start = '', text = ''] = mark.split(' ');
  if (identity === undefined) return null;
  return { size: BigInt(size!), mtimeNs: BigInt(mtimeNs!), bornNs: BigInt(bornNs), identity, start, text };
}

/** Of the mark, what was never other: what is settled is known by this. */
export const lastingPart = (text: string): string => text.split(' ').slice(0, 3).join(' ');

/** Some systems do not say when a file was made. */
export const isSameFile = ({ identity, bornNs }: Mark, stats: BigIntStats): boolean =>
  identityOf(stats) === identity && (bornNs === stats.birthtimeNs || bornNs * stats.birthtimeNs === 0n);

/**
 * Whether a file is what could not be read, or what was put in its place: a copy that was cut begins like the whole one.
 * What nobody may read is copied, or compressed, with the time of its last change; whole seconds are those of many files.
 */
export function isIt(path: string, mark: Mark, file: Pick<SourceFile, 'path' | 'stats'>): boolean {
  const { stats } = file;
  if (!stats?.isFile()) return false;
  const isAsLarge = stats.size >= mark.size;
  const isOne = isSameFile(mark, stats);
  if (isUnpackedOnce(mark, file.path)) return true;
  // A log that is shorter than it was lacks what nobody read; an archive may be mended to a shorter one.
  const isBegun = mark.start !== '' && startIn(file.path, mark.size) === mark.start;
  if (isBegun || isOfText(mark, file.path)) return isAsLarge || (isOne && isCompressed(path));
  // Another one may have been written over it.
  if (isOne) return isAsLarge && mark.start === '';
  const isMadeFromIt = isCompressed(file.path) && !isCompressed(path);
  const isAsOld =
    stats.mtimeNs === mark.mtimeNs && (stats.mtimeNs % SECOND !== 0n || mayBeOneLog(path, file.path));
  // Another program decompressed it.
  const isUnpacked = isSaidCompressed(path) && !isCompressed(path) && !isSaidCompressed(file.path);
  return isAsOld && (isMadeFromIt || isUnpacked || (isAsLarge && mark.start === ''));
}

const SECOND = 1_000_000_000n;

const isOfText = ({ text }: Mark, path: string): boolean =>
  text !== '' && textIn(path, Number.parseInt(text, 10)) === text;

/** What was compressed twice, decompressed once. */
function isUnpackedOnce({ text }: Mark, path: string): boolean {
  if (text === '') return false;
  try {
    const bytes = withFile(path, (fd) => bytesAt(fd, 0, Number.parseInt(text, 10)));
    return compressionOf(bytes) !== null && hashed(bytes) === text;
  } catch {
    return false;
  }
}

export type Known = Pick<KnownLog, 'log' | 'path' | 'state' | 'identity' | 'mtime_ns'>;

interface Before {
  /** Logs as they were known before a look, and after it. */
  readonly known: readonly Known[];
  readonly logs: readonly Known[];
  /** All that could not be read. */
  readonly unread: readonly Mark[];
}

/** @returns whether a file was another one before, a log that the lake knows or what could not be read, and is not the one that is missed. */
export function othersAmong({ known, logs, unread }: Before) {
  const before = new Map(known.map((log) => [log.log, log]));
  const here = logs.filter(({ state }) => state === 'here');
  const byFile = new Map(here.map(({ identity, log }) => [identity, before.get(log)]));
  return (path: string, mark: Mark, { stats }: Pick<SourceFile, 'stats'>): boolean => {
    if (!stats) return false;
    const log = byFile.get(identityOf(stats));
    // One that others published stood nowhere here.
    if (log && log.path !== '' && log.identity !== mark.identity && plainName(log.path) !== plainName(path))
      return true;
    return !isSameFile(mark, stats) && unread.some((one) => isSameFile(one, stats));
  };
}
