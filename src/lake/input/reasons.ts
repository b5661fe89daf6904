/** Thrown for a file that cannot vouch for itself; the others are read all the same. */
export class Unreadable extends Error {}

export const NO_FILE = 'is neither a file, a folder nor a pipe';

const KNOWN: Readonly<Record<string, string>> = {
  EACCES: 'permission denied',
  EPERM: 'operation not permitted',
  ENOENT: 'no such file or folder',
  ENOTDIR: 'no such file or folder',
  ENXIO: NO_FILE,
  ELOOP: 'too many links',
  EISDIR: 'is a folder',
  EMFILE: 'too many open files',
  ENFILE: 'too many open files',
  EIO: 'input/output error',
  ESTALE: 'the network file system lost it (stale file handle)',
  ENAMETOOLONG: 'the name is too long',
};

/** A system error in words, without the path that stands beside it anyway. */
export function reasonOf(error: unknown): string {
  const { code } = error as NodeJS.ErrnoException;
  return (code && KNOWN[code]) ?? (error instanceof Error ? error.message : String(error));
}
