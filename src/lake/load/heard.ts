/** Who was heard of: the newest call of each caller. */
import { rfc3339 } from '../../instant.js';
import { CALLER_COLUMNS, type Caller, type Heard } from '../../schema/expected.js';
import type { Database } from '../duckdb/connection.js';
import { baseTable } from '../tables/base.js';

/** Of each batch of a folder lake, who has it. */
export const HOSTS_TABLE = 'main.base_hosts';

/** By what callers are told apart; whatever the filters. Of calls of one instant it is one of them. */
export async function heardOf(db: Database, callers: readonly Caller[]): Promise<Heard[]> {
  const columns = callers.map((caller) => (caller === 'host' ? 'host' : CALLER_COLUMNS[caller])).join(', ');
  const hosts = callers.includes('host') ? `JOIN ${HOSTS_TABLE} h USING (batch)` : '';
  const { cells } = await db.rows(
    `SELECT newest, b.file, place.line, ${columns} FROM
       (SELECT ${columns}, epoch_us(max("timestamp")) AS newest,
          arg_max({batch: batch, line: line}, "timestamp") AS place
        FROM ${baseTable('calls')} ${hosts} GROUP BY ${columns}) c
     JOIN (SELECT batch, file FROM ${baseTable('batches')}) b ON b.batch = place.batch`,
  );
  return cells.map(([newest, file, line, ...named]) => ({
    time: rfc3339(BigInt(newest as number | string)),
    where: `${file}:${line}`,
    of: Object.fromEntries(callers.map((caller, i) => [caller, named[i] as string | null])),
  }));
}
