import { stat } from 'node:fs/promises';
import { loadRoster, type WorkerLookup } from '../log/index.js';
import type { Config } from './config.js';

/** A roster that follows its file. */
export interface RosterFile {
  /** The roster as the file has it now. @throws RosterError, and what node:fs throws. */
  current(): Promise<WorkerLookup>;
}

/** Reads the file again only when it is another one: replace it by a rename, so that no half of it is ever read. */
export function rosterFile({ path, idColumn, activeColumn }: Config['roster']): RosterFile {
  let seen: { version: string; roster: Promise<WorkerLookup> } | undefined;
  return {
    async current() {
      const { dev, ino, size, mtimeNs, ctimeNs } = await stat(path, { bigint: true });
      const version = [dev, ino, size, mtimeNs, ctimeNs].join(' ');
      if (seen?.version !== version) {
        const roster = loadRoster(path, { idColumn, activeColumn });
        seen = { version, roster };
        roster.catch(() => {
          if (seen?.roster === roster) seen = undefined;
        });
      }
      return seen.roster;
    },
  };
}
