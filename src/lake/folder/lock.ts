/** One publisher of a host at a time, by a lock that falls with its process: that of an empty database file. */

import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { LakelogError, messageOf } from '../../errors.js';
import { EXIT } from '../../schema/result.js';
import type { Database } from '../duckdb/connection.js';
import { quote } from '../duckdb/sql.js';
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
  const file = place.at(`${LOCKS}/${encodeURIComponent(what)}`);
  mkdirSync(path.dirname(file), { recursive: true });
  for (const until = Date.now() + timeoutS * 1_000; ; await sleep(RETRY_MS * (1 + Math.random()))) {
    try {
      await db.run(`ATTACH ${quote(file)} AS "lock of the lake" (TYPE duckdb)`);
      return;
    } catch (error) {
      const held = /Could not set lock on file|Conflicting lock is held/.test(messageOf(error));
      if (!held) throw error;
      if (Date.now() >= until) throw stillHeld(error, name, timeoutS);
    }
  }
}

function stillHeld(error: unknown, name: string, timeoutS: number): LakelogError {
  const [, holder = 'another process'] = /(?:held in .*?)?\((PID \d+)\)/.exec(messageOf(error)) ?? [];
  return new LakelogError(`nothing was written: ${holder} wrote to the lake for ${timeoutS} s`, {
    where: name,
    next: `wait for it (--lock-timeout 5m), or see what it does: ps -fp ${/\d+/.exec(holder)?.[0] ?? 'PID'}`,
    exitCode: EXIT.cannotVouch,
  });
}
