/** Waiting for what changes on disk, or for somebody who ends it. */
import { readdirSync, statSync } from 'node:fs';
import path from 'node:path';
import { kernelPath } from '../kernel-path.js';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** The first signal ends the waiting, a second one the process. */
export function untilStopped(): { within(ms: number): Promise<boolean>; end(): void } {
  let isStopped = false;
  let wake = () => {};
  const end = () => {
    for (const signal of SIGNALS) process.off(signal, stop);
  };
  const stop = (signal: NodeJS.Signals) => {
    if (isStopped) {
      end();
      process.kill(process.pid, signal);
    }
    isStopped = true;
    wake();
  };
  for (const signal of SIGNALS) process.on(signal, stop);
  return {
    within: (ms) =>
      new Promise((resolve) => {
        if (isStopped) return resolve(true);
        const timer = setTimeout(() => resolve(isStopped), ms);
        wake = () => {
          clearTimeout(timer);
          resolve(true);
        };
      }),
    end,
  };
}

/** Names, sizes and times of what may hold lines: the named files with all that is called like them, and folders. */
export function changesOf(paths: readonly string[], cwd: string): { haveHappened(): boolean } {
  const look = () => paths.map((one) => signatureOf(kernelPath(cwd, one))).join('\n');
  let before = look();
  return {
    haveHappened: () => {
      const now = look();
      const isOther = now !== before;
      before = now;
      return isOther;
    },
  };
}

function signatureOf(target: string): string {
  const [folder, begins] = startOfPath(target);
  return filesIn(folder, begins).join('\n');
}

/** The folder whose names are looked at, and how they begin: a log's rotated ones are called like it. */
function startOfPath(target: string): [folder: string, begins: string] {
  const magic = target.search(/[*?[\]{}!()]/);
  if (magic >= 0) return [path.dirname(target.slice(0, magic + 1)), ''];
  if (statSync(target, { throwIfNoEntry: false })?.isDirectory()) return [target, ''];
  return [path.dirname(target), path.basename(target).split('.')[0]!];
}

function filesIn(folder: string, begins: string): string[] {
  try {
    return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
      if (!entry.name.startsWith(begins)) return [];
      const name = path.join(folder, entry.name);
      if (entry.isDirectory()) return begins === '' ? filesIn(name, '') : [];
      const stats = statSync(name, { bigint: true, throwIfNoEntry: false });
      return stats ? [`${name} ${stats.dev} ${stats.ino} ${stats.size} ${stats.mtimeNs}`] : [];
    });
  } catch {
    // What cannot be read is told when it is looked at.
    return [folder];
  }
}
