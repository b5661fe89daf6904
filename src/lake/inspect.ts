/** Looking into a lake without bringing it up to date. */
import { statSync } from 'node:fs';
import type { Readable } from 'node:stream';
import { LakelogError, shellWord } from '../errors.js';
import type { Compacted, FolderInfo, LakeInfo, LogCheck } from '../schema/lake.js';
import type { Database } from './duckdb/connection.js';
import { compact } from './folder/compact.js';
import { infoOf } from './folder/info.js';
import { openFolderLake } from './folder/making.js';
import { type Verified, verifyFolder, verifyReceiptOf } from './folder/verify.js';
import { readLogs } from './store/logs.js';
import { attach, isThere, lakeFileOf } from './store/open.js';
import type { Settle } from './store/unread.js';
import { type ReceiptFile, verifyLogs, verifyReceipt } from './store/verify.js';
import { withEngine } from './with-engine.js';

export type { ReceiptFile, Settle };

export interface InspectOptions {
  readonly name: string;
  readonly lockTimeoutS: number;
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly stdin: Readable;
}

export interface CareOptions extends InspectOptions {
  readonly settle: Settle;
}

export function inspectLake(options: InspectOptions): Promise<LakeInfo> {
  return withLake(options, async (db, file) => {
    const count = (base: string) => `(SELECT count(*) FROM main.base_${base})`;
    const [facts] = await db.objects<Omit<LakeInfo, 'path' | 'bytes' | 'logs'>>(
      `SELECT format, made_by, keeps_content, last_sync, is_loading, ${count('batches')} AS batches,
         ${count('calls')} AS calls, ${count('runs')} AS replay_runs, ${count('rejects')} AS rejects,
         (SELECT max(newest_record) FROM main.base_batches) AS newest_record FROM main.lake`,
    );
    const logs = await readLogs(db);
    return {
      path: file.path,
      bytes: file.bytes,
      ...facts!,
      logs: logs.map(({ name, path, form, state, read_to, lines, head }) => {
        return { name, path, form, state, read_to, lines, head };
      }),
    };
  });
}

/** @param receipt files of one that is to be given again; null = all that the lake has. */
export function verifyLakeFile(
  options: CareOptions,
  receipt: readonly ReceiptFile[] | null,
): Promise<LogCheck[]> {
  return withLake(options, (db) =>
    receipt === null ? verifyLogs(db, options) : verifyReceipt(db, receipt, options),
  );
}

/** The same of a lake that is a folder. */
export const inspectFolder = ({ name, cwd }: InspectOptions): FolderInfo => infoOf(openFolderLake(name, cwd));

/** @param host whose logs are looked for here. */
export function verifyFolderLake(options: CareOptions, host: string): Promise<Verified> {
  const lake = openFolderLake(options.name, options.cwd);
  return withEngine(options.env, (db) => verifyFolder(db, lake, host, options));
}

export const verifyFolderReceipt = (
  { name, cwd }: InspectOptions,
  receipt: readonly ReceiptFile[],
): LogCheck[] => verifyReceiptOf(openFolderLake(name, cwd), receipt);

export function compactFolder(
  options: CareOptions & { readonly now: Date; readonly graceS: number },
): Promise<Compacted> {
  const lake = openFolderLake(options.name, options.cwd);
  return withEngine(options.env, (db) => compact(db, lake, options));
}

async function withLake<T>(
  options: InspectOptions,
  look: (db: Database, file: { readonly path: string; readonly bytes: number }) => Promise<T>,
): Promise<T> {
  const { name, lockTimeoutS, cwd } = options;
  const file = lakeFileOf(name, cwd, lockTimeoutS);
  if (!isThere(file))
    throw new LakelogError('there is no lake', {
      where: name,
      next: `fill one: lakelog sync --lake ${shellWord(name)} LOGS`,
    });
  // Before it is open: a descriptor of it that is closed takes the lock along.
  const { size: bytes } = statSync(file.path);
  return withEngine(options.env, async (db) => {
    await attach(db, file, 'read');
    return look(db, { path: file.path, bytes });
  });
}
