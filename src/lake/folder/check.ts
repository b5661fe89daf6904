/** Whether the engine counts what receipts say: the second step of a gate, and its last. */
import type { InputProblem } from '../../schema/result.js';
import type { Database } from '../duckdb/connection.js';
import { batchNumber, type PublishedName, tableName } from './layout.js';
import { damage, short } from './receipts.js';
import type { FolderState } from './state.js';
import { difference, nothingOf, summedOf, sumsSql } from './sums.js';
import { filesOf, parquet } from './tables.js';

const NEXT = 'see which file is another: lakelog lake verify; then put it back, or publish the log again';
const MOST_TOLD = 5;

/** @returns null for each batch whose rows come to what its receipt says. */
export async function checkSums(
  db: Database,
  state: FolderState,
  base: PublishedName,
): Promise<InputProblem[]> {
  const table = tableName(base);
  // What lacks a file was told by its name.
  if (state.torn.has(table)) return [];
  const files = filesOf(state, base);
  const rows =
    files.length === 0
      ? []
      : await db.objects<Record<string, number | string> & { batch: number }>(
          `SELECT batch, ${sumsSql(base)} FROM ${parquet(files)} GROUP BY batch`,
        );
  const found = new Map(rows.map((row) => [row.batch, summedOf(base, row)]));
  const wrong = state.receipts.flatMap(({ id, file, tables }) => {
    const number = batchNumber(id);
    const is = found.get(number) ?? nothingOf(base);
    found.delete(number);
    const wrong = difference(table, tables[table] ?? nothingOf(base), is);
    return wrong === null ? [] : [damage(file.name, `batch ${short(id)} ${wrong}`, NEXT)];
  });
  const strange = [...found.keys()].map((number) =>
    damage(state.lake.name, `${table} has rows of batch ${number}, which has no receipt`, NEXT),
  );
  return [...wrong, ...strange].slice(0, MOST_TOLD);
}
