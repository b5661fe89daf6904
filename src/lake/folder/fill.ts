/** Filling a folder lake: one of a host at a time, into a lake that is made as it is asked for. */
import path from 'node:path';
import { LakelogError } from '../../errors.js';
import { microsOf } from '../../instant.js';
import type { BatchAccount } from '../../schema/batch.js';
import type { FileAccount, InputProblem } from '../../schema/result.js';
import type { Database } from '../duckdb/connection.js';
import type { LakeUse } from '../store/sync.js';
import { hostName } from './layout.js';
import { lock } from './lock.js';
import { type FolderLake, makeFolderLake } from './making.js';
import { asFilesOf } from './place.js';

/** What an export did, and what it found of the logs. */
export interface Exported {
  /** Of every log of the host. */
  readonly files: readonly FileAccount[];
  readonly problems: readonly InputProblem[];
  readonly notices: readonly string[];
  readonly mayBeEmpty: readonly string[];
  /** Bytes and logs that were published now, and that the lake had. */
  readonly read: { readonly bytes: number; readonly files: number };
  readonly before: { readonly bytes: number; readonly files: number };
  readonly usedKnown: boolean;
}

export interface Filling {
  readonly use: LakeUse;
  /** Under whose name. */
  readonly host: string;
  readonly cwd: string;
  readonly maxLineBytes: number;
}

/** A name that stands in every table, and is one of a file. */
function ensureHost(host: string): string {
  if (!/^[^\p{C}/\\]{1,100}$/u.test(host) || host.trim() !== host || /^\.+$/.test(host))
    throw new LakelogError(`"${host}" is no name of a host`, {
      next: 'name it in a word: --host web1',
    });
  // It names a file too.
  const bytes = path.posix.basename(hostName(host)).length;
  if (bytes <= MOST_NAME_BYTES) return host;
  throw new LakelogError(
    `"${host}" is too long for the name of a file (${bytes} bytes as it is written there, of ${MOST_NAME_BYTES})`,
    { next: 'name it in a shorter word: --host web1' },
  );
}

/** That file systems take. */
const MOST_NAME_BYTES = 255;

/** @throws LakelogError for a lake that was made otherwise than it is asked for. */
export function ensureSameMaking(
  { name, making }: FolderLake,
  { maxLineBytes, keepContent }: { readonly maxLineBytes: number; readonly keepContent: boolean },
): void {
  if (making.max_line_bytes !== maxLineBytes)
    throw new LakelogError(`the lake is filled with --max-line-bytes ${making.max_line_bytes}`, {
      where: name,
      next: 'say so here too, or fill another folder',
    });
  if (keepContent && !making.keeps_content)
    throw new LakelogError('the lake keeps no content, which --keep-content asks for', {
      where: name,
      next: 'leave it out, or fill another folder',
    });
}

/** Makes the lake where there is none, and keeps other publishers of the host out. @throws LakelogError. */
export async function fillFolder(
  db: Database,
  { use, cwd, host, maxLineBytes }: Filling,
  fill: (lake: FolderLake) => Promise<Exported>,
): Promise<Exported> {
  ensureHost(host);
  const { keepContent, lockTimeoutS, name } = use;
  const lake = await makeFolderLake(name, cwd, { keeps_content: keepContent, max_line_bytes: maxLineBytes });
  ensureSameMaking(lake, { maxLineBytes, keepContent });
  return asFilesOf(lake.place.path, async () => {
    await lock(db, lake.place, host, lockTimeoutS, name);
    lake.place.tidy();
    return fill(lake);
  });
}

/** What became of the lines of a batch. */
export interface LogBatch {
  readonly account: BatchAccount;
  readonly newest_record: string | null;
}

/** Of several batches, as of one. */
export function sumOfAccounts(batches: readonly LogBatch[]): Omit<FileAccount, 'file'> {
  const sum = (name: Exclude<keyof BatchAccount, 'late_line'>) =>
    batches.reduce((total, { account }) => total + account[name], 0);
  const newest = batches.flatMap(({ newest_record }) => newest_record ?? []);
  return {
    ...{ bytes: sum('bytes'), lines: sum('lines'), loaded: sum('loaded'), rejected: sum('rejected') },
    ...{ duplicates: sum('duplicates'), blank: sum('blank'), pending: sum('pending') },
    ...{ conflicts: sum('conflicts'), late: sum('late') },
    newest_record: newest.reduce<string | null>(
      (last, time) => (last === null || microsOf(time) > microsOf(last) ? time : last),
      null,
    ),
  };
}
