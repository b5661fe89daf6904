/** From the tables of a loading to those of the lake, in the transaction of whoever calls. */
import type { Database } from '../duckdb/connection.js';
import { ident, quote } from '../duckdb/sql.js';
import { summarySql } from '../load/account.js';
import { mergeSeqs } from '../load/seqs.js';
import { explode } from '../load/staging.js';
import { runsWithoutCall } from '../load/traces.js';
import type { BaseName } from '../tables/base.js';
import type { LoadPlan } from '../tables/plan.js';
import { lakeColumns } from './tables.js';

/** Where a loading keeps its tables. */
export const STAGE = 'stage';

const staged = (base: BaseName) => `${STAGE}.main.base_${base}`;
const held = (base: BaseName) => `main.base_${base}`;

type Counts = ReadonlyMap<number, number>;

/**
 * Takes out of the loading what the lake has byte for byte. Equal lines have equal timestamps, by which the engine
 * passes over most of the history.
 * @param stage the connection of the loading.
 * @returns how many lines of each batch.
 */
export async function takeOutKnown(stage: Database, lake: string): Promise<Counts> {
  const counts = new Map<number, number>();
  for (const base of ['calls', 'runs'] as const) {
    const rows = `SELECT s.rowid FROM main.base_${base} s JOIN ${lake}.main.base_${base} c
      ON c."timestamp" = s."timestamp" AND c.line_sha256 = s.line_sha256`;
    const found = await stage.objects<{ batch: number; count: number }>(
      `SELECT batch, count(*) AS count FROM main.base_${base} WHERE rowid IN (${rows}) GROUP BY batch`,
    );
    if (found.length === 0) continue;
    await stage.run(`DELETE FROM main.base_${base} WHERE rowid IN (${rows})`);
    for (const { batch, count } of found) counts.set(batch, (counts.get(batch) ?? 0) + count);
  }
  return counts;
}

/** Puts the rows of a loading behind those of the lake; its batches count on from `first`. */
export async function putRows(db: Database, plan: LoadPlan, first: number): Promise<void> {
  const into = (base: BaseName, names: readonly string[]) =>
    `INSERT INTO ${held(base)} (${names.map(ident).join(', ')})`;
  const tables = ['calls', 'runs', 'rejects', 'named_workers'] as const;
  const statements = tables.map((base) => {
    const names = lakeColumns(plan, base)
      .map(({ name }) => name)
      .filter((name) => base !== 'calls' || name !== 'call_key_base');
    const cells = names.map((name) => (name === 'batch' ? `batch + ${first}` : ident(name)));
    // Of lines that were taken out nothing is kept.
    const kept = base === 'named_workers' ? ` SEMI JOIN ${staged('calls')} USING (batch, line)` : '';
    return `${into(base, names)} SELECT ${cells.join(', ')} FROM ${staged(base)}${kept}`;
  });
  const summary = `INSERT INTO main.base_summary ${summarySql(staged('calls'), `batch + ${first}`)}`;
  await db.run([...statements, summary].join('; '));
  // Calls take theirs out of it, and only new runs are looked up among all calls.
  await db.run(
    `DELETE FROM main.base_unknown_traces WHERE session_id IN (SELECT session_id FROM ${staged('calls')});
     INSERT INTO main.base_unknown_traces SELECT batch + ${first}, line, session_id ${runsWithoutCall(staged('runs'))}`,
  );
  await mergeSeqs(db, staged('calls'));
  await explode(db, plan, {
    from: `${STAGE}.main`,
    into: (base, columns) =>
      into(
        base,
        columns.map(({ name }) => name),
      ),
    batch: `batch + ${first}`,
  });
}

/** Keys of new calls that another call has too, of the loading or of the lake: by call_id, or by all that is required. */
async function sharedKeys(db: Database): Promise<string[]> {
  const { cells } = await db.rows(
    `SELECT DISTINCT key FROM (
       SELECT call_key_base AS key FROM ${staged('calls')} GROUP BY call_key_base HAVING count(*) > 1
       UNION ALL
       SELECT s.call_id FROM ${staged('calls')} s JOIN ${held('calls')} c ON c.call_id = s.call_id
       UNION ALL
       SELECT s.call_key_base FROM ${staged('calls')} s JOIN ${held('calls')} c
         ON c."timestamp" = s."timestamp" AND c.call_key_base = s.call_key_base AND s.call_id IS NULL)`,
  );
  return cells.map(([key]) => String(key));
}

/**
 * Finds what the new calls share with others, before their rows are put: conflicts are stored, so that no run looks
 * for them over all of the history.
 * @returns what is to be done once they are.
 */
export async function findShared(db: Database): Promise<() => Promise<void>> {
  const keys = await sharedKeys(db);
  if (keys.length === 0) return async () => {};
  const among = `IN (${keys.map(quote).join(', ')})`;
  return () =>
    db
      .run(
        `CREATE OR REPLACE TEMP TABLE shared AS
           SELECT batch, line, call_id, call_key_base, line_sha256 FROM ${held('calls')} WHERE call_key_base ${among};
         DELETE FROM ${held('twins')} WHERE EXISTS (
           SELECT 1 FROM temp.shared x WHERE x.batch = base_twins.batch AND x.line = base_twins.line);
         INSERT INTO ${held('twins')} SELECT batch, line, call_key_base || '#' || number FROM (
           SELECT *, row_number() OVER (PARTITION BY call_key_base ORDER BY line_sha256) AS number FROM temp.shared)
           WHERE number > 1;
         DELETE FROM main.base_conflicts WHERE call_id ${among};
         INSERT INTO main.base_conflicts SELECT batch, line, call_id FROM temp.shared WHERE call_id IS NOT NULL;
         UPDATE ${held('batches')} b SET conflicts = n.conflicts FROM (
           SELECT batch, count(*) AS conflicts FROM main.base_conflicts GROUP BY batch) n WHERE n.batch = b.batch;
         DROP TABLE temp.shared`,
      )
      .then(() => {});
}
