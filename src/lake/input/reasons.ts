import { messageOf, reasonOf as plainReasonOf } from '../../errors.js';

/** Thrown for a file that cannot vouch for itself; the others are read all the same. */
export class Unreadable extends Error {}

export function unreadable(error: unknown): Unreadable {
  return error instanceof Unreadable ? error : new Unreadable(reasonOf(error), { cause: error });
}

export const NO_FILE = 'is neither a file, a folder nor a pipe';

/** Where the system's own words would mislead. */
const WORDS: Readonly<Record<string, string>> = {
  ENOENT: 'no such file or folder',
  ENOTDIR: 'no such file or folder',
  ENXIO: NO_FILE,
  EISDIR: 'is a folder',
  ESTALE: 'the network file system lost it (stale file handle)',
};

/** An error in words, without the path that stands beside it anyway. */
export function reasonOf(error: unknown): string {
  const { code } = error as NodeJS.ErrnoException;
  return WORDS[code ?? ''] ?? plainReasonOf(messageOf(error));
}

export const CUT = 'the compressed data stop before their end (truncated copy?)';
export const TRAILING = 'holds other bytes after the end of the compressed data';

export function damaged(how: string): string {
  return `the compressed data are damaged (${how})`;
}
