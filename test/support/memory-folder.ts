/** A folder in memory for the files of tests: on a disk each folder that is removed takes milliseconds, in a thousand runs. */
import { chmodSync, mkdtempSync, readFileSync, rmSync, statfsSync } from 'node:fs';
import path from 'node:path';

const FOLDER = '/dev/shm';
/** What the tests of a day write at the same time is less. */
const ROOM = 4 * 2 ** 30;

/** Of this run, and gone with it. Null where there is none with room, or none that programs may be run from. */
export function memoryFolder(): string | null {
  try {
    const mounts = readFileSync('/proc/mounts', 'utf8')
      .split('\n')
      .map((line) => line.split(' '));
    const options = mounts.findLast(([, at, type]) => at === FOLDER && type === 'tmpfs')?.[3]?.split(',');
    const { bavail, bsize } = statfsSync(FOLDER);
    if (!options || options.includes('noexec') || bavail * bsize < ROOM) return null;
    const folder = mkdtempSync(path.join(FOLDER, 'lakelog-run-'));
    // Tests run programs as other users too.
    chmodSync(folder, 0o1777);
    process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
    return folder;
  } catch {
    return null;
  }
}
