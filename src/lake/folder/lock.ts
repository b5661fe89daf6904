/** One publisher of a host at a time, by a lock that falls with its process: that of an empty database file. */

import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { messageOf } from '../../errors.js';
import type { Database } from '../duckdb/connection.js';
import { quote } from '../duckdb/sql.js';
import { stillHeld } from '../store/open.js';
import type { LocalPlace } from './place.js';

const LOCKS = '.locks';
const RETRY_MS = 25;

/**
 * Holds the lock as long as the database is open.
 * @throws LakelogError (exit 3) where another process holds it for longer than that.
 */
export async function lock(
  db: Database,
  place: LocalPlace,
  what: string,
  timeoutS: number,
  name: string,
): Promise<void> {
  const written = (holder: string) => `nothing was written: ${holder} wrote to the lake for ${timeoutS} s`;
  const file = `${LOCKS}/${encodeURIComponent(what)}`;
  for (const until = Date.now() + timeoutS * 1_000; ; await sleep(RETRY_MS * (1 + Math.random()))) {
    if (!place.has(file)) await make(db, place, file);
    try {
      await db.run(`ATTACH ${quote(place.at(file))} AS "lock of the lake" (TYPE duckdb)`);
      return;
    } catch (error) {
      const message = messageOf(error);
      const held = /Could not set lock on file|Conflicting lock is held/.test(message);
      // What cannot be opened is held by nobody.
      if (!held && !/^(IO|Serialization|Invalid Input) Error/.test(message)) throw error;
      if (Date.now() >= until)
        throw held ? stillHeld(error, { name, lockTimeoutS: timeoutS }, written) : error;
      if (!held) place.remove(file);
    }
  }
}

/** Elsewhere first: whoever is killed while it is made must not leave half of one. */
async function make(db: Database, place: LocalPlace, file: string): Promise<void> {
  const stage = place.stage();
  try {
    const staged = path.join(stage.path, 'lock');
    await db.run(
      `ATTACH ${quote(staged)} AS "new lock" (TYPE duckdb); CHECKPOINT "new lock"; DETACH "new lock"`,
    );
    place.put(file, { staged });
  } finally {
    stage.remove();
  }
}
