import { closeSync, constants, fstatSync, open, realpathSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { identityOf, namesIn, statOf } from './find.js';
import { Changed } from './reasons.js';
import type { SourceFile } from './resolve.js';

/** A rotation renames a file once; more than that while one file is opened is no rotation. */
const TRIES = 3;

const SINCE = 'since it was found (a rotation?)';
export const CUT_SINCE = `it was cut in place ${SINCE}`;
const GONE_SINCE = `it was removed, replaced or moved elsewhere ${SINCE}`;

/**
 * Opens the file that was found, whatever its name is by now: a rotation meanwhile puts another one in its place, and
 * its records would be in no file that is read.
 * @throws Changed where it is nowhere beside its old name, and the system's errors.
 */
export async function openFound({ path: file, stats }: SourceFile): Promise<number> {
  // A pipe that took the file's place meanwhile is told by fstat, and not waited for.
  const flags = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0);
  for (let tries = 1, at = file; ; tries++) {
    const fd = await promisify(open)(at, flags).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT' && stats) return null;
      throw error;
    });
    if (fd !== null && (!stats || leadsTo(stats, at, fd))) return fd;
    if (fd !== null) closeSync(fd);
    const now = tries < TRIES ? nameNow(file, stats!) : undefined;
    if (now === undefined) throw new Changed(GONE_SINCE);
    at = now;
  }
}

type Found = NonNullable<SourceFile['stats']>;

/** Some network file systems number an open file anew: what stands under the name counts then. */
function leadsTo(found: Found, file: string, fd: number): boolean {
  return isSame(fstatSync(fd, { bigint: true }), found) || isSame(statOf(file), found);
}

const isSame = (stats: Found | undefined, found: Found) =>
  stats !== undefined && identityOf(stats) === identityOf(found);

function nameNow(file: string, found: Found): string | undefined {
  const folder = path.dirname(targetOf(file));
  return namesIn(folder)
    .map((name) => `${folder}/${name}`)
    .find((name) => isSame(statOf(name), found));
}

/** A link leads to the folder where its file was renamed. */
function targetOf(file: string): string {
  try {
    return realpathSync.native(file);
  } catch {
    return file;
  }
}
