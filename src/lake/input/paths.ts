import { type BigIntStats, lstatSync, statSync } from 'node:fs';
import path from 'node:path';
import { reasonOf } from './reasons.js';

/**
 * The path that the kernel is given for what a user wrote. Nothing is shortened in the text: `link/../x` lies beside
 * what the link leads to, where `path.resolve` looks beside the link.
 */
export function kernelPath(cwd: string, given: string): string {
  return path.isAbsolute(given) ? given : `${cwd}${path.sep}${given}`;
}

/** The name of an entry, with the folder as it was written in front of it. */
export function childOf(folder: string, entry: string): string {
  const bare = folder.replace(/\/+$/, '');
  if (bare === '.') return entry;
  return bare === '' && !folder.startsWith('/') ? entry : `${bare}/${entry}`;
}

/** Stats, null where nothing is, an Error with a plain reason where it cannot be known. */
export function tryStat(file: string): BigIntStats | Error | null {
  try {
    return statSync(file, { bigint: true });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return null;
    return new Error(reasonOf(error));
  }
}

/** Names of one file have one. 64-bit inodes do not fit a number. */
export function identityOf({ dev, ino }: Pick<BigIntStats, 'dev' | 'ino'>): string {
  return `${dev}:${ino}`;
}

/** Why nothing is there. */
export function missingDetail(file: string): string {
  try {
    lstatSync(file);
    return 'is a link to a file that does not exist';
  } catch {
    return 'no such file or folder';
  }
}
