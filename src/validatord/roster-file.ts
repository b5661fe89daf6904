import { randomBytes } from 'node:crypto';
import { mkdir, open, rename, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { messageOf } from '../errors.js';
import { loadRoster, RosterError, type WorkerLookup } from '../log/index.js';
import type { Config } from './config.js';

/** A roster that follows its file. */
export interface RosterFile {
  /** The roster as the file has it now. @throws RosterError, and what node:fs throws. */
  current(): Promise<WorkerLookup>;
}

/**
 * Reads the file again only when it is another one: replace it by a rename, so that no half of it is ever read.
 * Each roster that was read is kept in the archive, if there is one; `tell` hears when it cannot be.
 */
export function rosterFile(
  { path: file, idColumn, activeColumn, archive }: Config['roster'],
  tell: (line: string) => void,
): RosterFile {
  let seen: { version: string; roster: Promise<WorkerLookup> } | undefined;

  async function load(): Promise<WorkerLookup> {
    const roster = await loadRoster(file, { idColumn, activeColumn });
    if (archive !== null) {
      await keep(roster, archive).catch((error: unknown) =>
        tell(`roster ${roster.hash} is not in the archive: ${messageOf(error)}`),
      );
    }
    return roster;
  }

  return {
    async current() {
      const found = await stat(file, { bigint: true });
      // Whoever opens a pipe that nobody writes to waits for ever.
      if (!found.isFile()) throw new RosterError('not a regular file');
      const { dev, ino, size, mtimeNs, ctimeNs } = found;
      const version = [dev, ino, size, mtimeNs, ctimeNs].join(' ');
      if (seen?.version !== version) {
        const roster = load();
        seen = { version, roster };
        roster.catch(() => {
          if (seen?.roster === roster) seen = undefined;
        });
      }
      return seen.roster;
    },
  };
}

/** As JSON Lines under its hash, `sha256-….jsonl`: whole or not at all, once. */
async function keep(roster: WorkerLookup, folder: string): Promise<void> {
  const file = path.join(folder, `${roster.hash!.replace(':', '-')}.jsonl`);
  if (await stat(file).catch(() => undefined)) return;
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const unfinished = path.join(folder, `.${randomBytes(8).toString('hex')}.tmp`);
  const lines = Array.from(roster.workers!(), ({ id, active }) => JSON.stringify({ worker_id: id, active }));
  try {
    const handle = await open(unfinished, 'wx', 0o600);
    try {
      await handle.writeFile(`${lines.join('\n')}\n`);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(unfinished, file);
  } catch (error) {
    await rm(unfinished, { force: true });
    throw error;
  }
}
