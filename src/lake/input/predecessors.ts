/** The rotated predecessors of logs: for who keeps what he read of a log, and must not miss what was renamed since. */
import path from 'node:path';
import { kernelPath } from '../../kernel-path.js';
import { type InputRequest, namesIn, statOf } from './find.js';
import type { ResolvedInputs } from './resolve.js';
import { type Clock, isRecent, predecessorNames } from './rotation.js';

export interface Predecessors {
  readonly requests: readonly InputRequest[];
  /** Names of logs that are not there while a predecessor of theirs is young: just rotated. */
  readonly vanished: readonly string[];
}

/** Looks beside every file that was found, and beside every one that was named and is missing. */
export function predecessorsOf(
  requests: readonly InputRequest[],
  { files, problems }: ResolvedInputs,
  { cwd, ...clock }: Clock & { readonly cwd: string },
): Predecessors {
  const known = new Set(files.map((file) => file.path));
  const missing = requests
    .filter(({ path: name }) => problems.some((one) => one.path === name && one.problem === 'missing'))
    .map(({ path: name, as, of = name }) => ({ name, path: kernelPath(cwd, name), as, request: of }));
  const folders = new Map<string, readonly string[]>();
  const found: InputRequest[] = [];
  const vanished: string[] = [];
  for (const log of [...files.filter(({ stats }) => stats?.isFile()), ...missing]) {
    const folder = path.dirname(log.path);
    const listed = folders.get(folder) ?? namesIn(folder);
    folders.set(folder, listed);
    const names = predecessorNames(listed, path.basename(log.path));
    const beside = log.name.slice(0, log.name.length - path.basename(log.name).length);
    for (const name of names) {
      if (known.has(`${folder}/${name}`)) continue;
      known.add(`${folder}/${name}`);
      found.push({ path: beside + name, as: log.as, of: log.request ?? log.name });
    }
    const isMissing = !('stats' in log);
    if (isMissing && names.some((name) => isJustRotated(`${folder}/${name}`, clock))) vanished.push(log.name);
  }
  return { requests: found, vanished };
}

/** Renaming changes the time of the inode and not that of the content. */
function isJustRotated(file: string, clock: Clock): boolean {
  const stats = statOf(file);
  return stats !== undefined && isRecent(Math.max(Number(stats.ctimeMs), Number(stats.mtimeMs)), clock);
}
