/** Whether the engine counts what receipts say: the second step of a gate, and its last. */
import type { BatchReceipt, RejectSums } from '../../schema/batch.js';
import type { InputProblem } from '../../schema/result.js';
import type { Database } from '../duckdb/connection.js';
import { SUMMARY_COLUMNS, summarySql } from '../load/account.js';
import { batchNumber, type PublishedName, tableName } from './layout.js';
import { NUMBERS } from './ordinal.js';
import { damage, short } from './receipts.js';
import type { FolderState } from './state.js';
import { difference, nothingOf, summedOf, sumsSql } from './sums.js';
import { filesOf, parquet } from './tables.js';

const NEXT =
  'see which file is another: lakelog lake verify; then put it back from a copy, or its receipt; without one, publish the logs into a new folder: lakelog sync';
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

/** Whether calls come, kind by kind, to what receipts say of them, from which a gate answers. The table of that is filled. */
export async function checkKinds(db: Database, state: FolderState): Promise<InputProblem[]> {
  const files = filesOf(state, 'calls');
  if (state.torn.has(tableName('calls')) || files.length === 0) return [];
  const numbered = `(SELECT c.*, n.ordinal FROM ${parquet(files)} c JOIN ${NUMBERS} n ON n.number = c.batch)`;
  const numbers = state.receipts.map(({ batch }) => batch).join(', ');
  const said = `SELECT n.ordinal AS batch, s.kind, ${SUMMARY_COLUMNS.map((name) => `s.${name}`).join(', ')}
    FROM main.base_summary s JOIN ${NUMBERS} n ON n.number = s.batch WHERE s.batch IN (${numbers || 'NULL'})`;
  const { cells } = await db.rows(
    `WITH found AS (${summarySql(numbered, 'ordinal')}), said AS (${said}), wrong AS (
       (SELECT batch, kind FROM (FROM found EXCEPT FROM said)) UNION (SELECT batch, kind FROM (FROM said EXCEPT FROM found)))
     SELECT n.number, w.kind FROM wrong w JOIN ${NUMBERS} n ON n.ordinal = w.batch ORDER BY w.batch, w.kind LIMIT ${MOST_TOLD}`,
  );
  return cells.map(([number, kind]) => {
    const { id, file } = state.receipts.find(({ batch }) => batch === number)!;
    return damage(
      file.name,
      `batch ${short(id)} has other calls of kind ${kind} than its receipt says`,
      NEXT,
    );
  });
}

/** Whether rejects are, reason by reason, what receipts say of them. @param receipts those that are asked. */
export async function checkRejects(
  db: Database,
  state: FolderState,
  receipts: readonly BatchReceipt[],
): Promise<InputProblem[]> {
  const files = filesOf(state, 'rejects');
  if (state.torn.has(tableName('rejects')) || receipts.length === 0) return [];
  type Row = { readonly batch: number; readonly reason: string; readonly blocks: boolean };
  const rows =
    files.length === 0
      ? []
      : await db.objects<Row & { readonly count: number; readonly line: number }>(
          `SELECT batch, reason, blocks, count(*) AS count, min(line) AS line FROM ${parquet(files)} GROUP BY ALL`,
        );
  const wordOf = (of: Omit<RejectSums, 'detail'>) => `${of.reason} ${of.blocks} ${of.count} ${of.line}`;
  const found = new Map<number, string[]>();
  for (const row of rows) found.set(row.batch, [...(found.get(row.batch) ?? []), wordOf(row)]);
  return receipts
    .filter(
      ({ batch, rejects }) => rejects.map(wordOf).sort().join() !== (found.get(batch) ?? []).sort().join(),
    )
    .slice(0, MOST_TOLD)
    .map(({ id, file }) =>
      damage(file.name, `batch ${short(id)} has other rejects than its receipt says`, NEXT),
    );
}

/**
 * Whether receipts say of their batches what was published with the rows: whose they are, and what became of the lines.
 * @param receipts those that are asked.
 */
export async function checkBatches(
  db: Database,
  state: FolderState,
  receipts: readonly BatchReceipt[],
): Promise<InputProblem[]> {
  const files = batchFiles(state, receipts);
  if (state.torn.has(tableName('batches')) || receipts.length === 0 || files.length === 0) return [];
  const rows = await db.objects<Record<string, string | number | null> & { batch: number }>(
    `SELECT batch, host, file, log, lines, loaded, rejected, duplicates, blank, bytes, late, late_line, byte_from,
       lines_before, sha256, head, newest_record FROM ${parquet(files)}`,
  );
  const found = new Map(rows.map((row) => [row.batch, row]));
  return receipts.flatMap(({ id, host, file, account, newest_record }) => {
    const row = found.get(batchNumber(id));
    const said: Readonly<Record<string, string | number | null>> = {
      ...{ host, file: file.name, lines: account.lines, loaded: account.loaded, rejected: account.rejected },
      ...{ duplicates: account.duplicates, blank: account.blank, bytes: account.bytes },
      ...{ late: account.late, late_line: account.late_line, newest_record, log: file.path },
      ...{ byte_from: file.byte_from, lines_before: file.lines_before, sha256: id, head: file.head },
    };
    const name = row === undefined ? 'batch' : Object.keys(said).find((key) => said[key] !== row[key]);
    return name === undefined
      ? []
      : [
          damage(
            state.receiptAt(id),
            `its ${name} is another in base_batches`,
            'put the receipt back as it was published',
          ),
        ];
  });
}

/** Their own, where none of them was merged with others. */
function batchFiles(state: FolderState, receipts: readonly BatchReceipt[]): string[] {
  const all = state.files.filter(({ table }) => table === tableName('batches'));
  const there = new Set(all.map(({ path }) => path));
  const own = receipts.flatMap(({ tables }) => tables[tableName('batches')]?.files ?? []);
  const files = own.every(({ path }) => there.has(path)) ? own : all;
  return files.map(({ path }) => state.lake.place.at(path));
}
