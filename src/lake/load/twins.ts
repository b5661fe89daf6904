import type { Readable } from 'node:stream';
import { sha256 } from '../../scan/scanner.js';
import type { Database } from '../duckdb/connection.js';
import { CHANGED, Changed, openInput, type SourceFile, whileReading } from '../input/index.js';
import type { Loaded } from './load.js';
import { lineAt } from './read-again.js';

/** Calls whose key other lines have too. */
const TWINS = `call_key_base IN
  (SELECT call_key_base FROM main.base_calls GROUP BY call_key_base HAVING count(*) > 1)`;

/**
 * All but the first of twins, by the hashes of their lines, get a key of their own: none is ever hidden.
 * @returns the files that changed since they were read: which of their twins comes first cannot be said.
 */
export async function numberTwins(
  db: Database,
  sources: readonly SourceFile[],
  options: { readonly stdin: Readable },
): Promise<Loaded['unreadable']> {
  const changed: Loaded['unreadable'][number][] = [];
  const unhashed = await db.objects<{ batch: number; offsets: string }>(
    `SELECT batch, string_agg(CAST(byte_offset AS VARCHAR), ',') AS offsets
     FROM main.base_calls WHERE line_sha256 IS NULL AND ${TWINS} GROUP BY batch`,
  );
  if (unhashed.length > 0) {
    await db.run(
      'CREATE OR REPLACE TABLE main.base_hashes (batch BIGINT, byte_offset BIGINT, sha256 VARCHAR)',
    );
    const hashes = db.rowAppender('base_hashes');
    for (const { batch, offsets } of unhashed) {
      const source = sources[batch]!;
      const places = offsets.split(',').map(Number);
      try {
        const found = await hashesIn(source, places, options);
        for (const [i, hash] of found.entries()) hashes.add([batch, places[i]!, hash]);
      } catch (error) {
        changed.push({ source, error: whileReading(error) });
      }
    }
    hashes.close();
    await db.run(
      `UPDATE main.base_calls c SET line_sha256 = h.sha256 FROM main.base_hashes h
       WHERE h.batch = c.batch AND h.byte_offset = c.byte_offset`,
    );
  }
  await db.run(
    `INSERT INTO main.base_twins SELECT batch, line, call_key_base || '#' || number FROM
       (SELECT *, row_number() OVER (PARTITION BY call_key_base ORDER BY line_sha256) AS number
        FROM main.base_calls WHERE ${TWINS}) WHERE number > 1`,
  );
  return changed;
}

/** SHA-256 of the lines of a plain file that begin at these offsets; twins are rare, so only theirs are read again. */
async function hashesIn(
  source: SourceFile,
  offsets: readonly number[],
  options: { readonly stdin: Readable },
): Promise<string[]> {
  const input = await openInput(source, options);
  try {
    if (input.kind === 'stream') throw new Changed(`${CHANGED}: it is no plain file any more`);
    const hashes = offsets.map((offset) => sha256(lineOf(input.fd, offset)));
    input.ensureUnchanged();
    return hashes;
  } finally {
    input.close();
  }
}

/** Without its terminator. */
function lineOf(fd: number, offset: number): Buffer {
  const line = lineAt(fd, offset);
  return line.at(-1) === 13 ? line.subarray(0, -1) : line;
}
