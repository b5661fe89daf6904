import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { atEnd } from './at-end.js';

/** A private folder for what does not fit in memory; gone when the run ends, by signal too. */
export interface TempFolder {
  /** Null where no folder can be made: then nothing is written, and what needs more memory fails. */
  readonly dir: string | null;
  remove(): void;
}

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
  const takeBack = atEnd(remove);
  return {
    dir,
    remove: () => {
      takeBack();
      remove();
    },
  };
}
