import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';

/** A private folder for what does not fit in memory; gone when the run ends, by signal too. */
export interface TempFolder {
  /** Null where no folder can be made: then nothing is written, and what needs more memory fails. */
  readonly dir: string | null;
  remove(): void;
}

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'] as const;

export function openTempFolder(env: Readonly<Record<string, string | undefined>>): TempFolder {
  let dir: string;
  try {
    dir = mkdtempSync(path.join(env.TMPDIR || os.tmpdir(), 'lakelog-'));
  } catch {
    // Reading logs needs no place to write.
    return { dir: null, remove: () => {} };
  }
  const remove = () => {
    try {
      rmSync(dir, { recursive: true, force: true });
    } catch {
      // What is left behind must not change what a gate found.
    }
  };
  const onSignal = (signal: NodeJS.Signals) => {
    remove();
    // Who listens besides decides what becomes of the process.
    if (process.listenerCount(signal) === 0) process.kill(process.pid, signal);
  };
  process.once('exit', remove);
  for (const signal of SIGNALS) process.once(signal, onSignal);
  return {
    dir,
    remove: () => {
      process.off('exit', remove);
      for (const signal of SIGNALS) process.off(signal, onSignal);
      remove();
    },
  };
}
