/** A folder in memory for the files of tests: on a disk each folder that is removed takes milliseconds, in a thousand runs. */
import { readFileSync, statfsSync } from 'node:fs';

const FOLDER = '/dev/shm';
/** What the tests of a day write at the same time is less. */
const ROOM = 4 * 2 ** 30;

/** Null where there is none with room, or none that programs may be run from. */
export function memoryFolder(): string | null {
  try {
    const mounts = readFileSync('/proc/mounts', 'utf8')
      .split('\n')
      .map((line) => line.split(' '));
    const options = mounts.findLast(([, at, type]) => at === FOLDER && type === 'tmpfs')?.[3]?.split(',');
    const { bavail, bsize } = statfsSync(FOLDER);
    return options && !options.includes('noexec') && bavail * bsize >= ROOM ? FOLDER : null;
  } catch {
    return null;
  }
}
