/** The base tables of a run over a folder lake: views over exactly the files that commits name. */
import path from 'node:path';
import { microsOf, rfc3339 } from '../../instant.js';
import type { BatchAccount, BatchReceipt } from '../../schema/batch.js';
import type { Database } from '../duckdb/connection.js';
import { ident, quote } from '../duckdb/sql.js';
import { SUMMARY_COLUMNS } from '../load/account.js';
import { HOSTS_TABLE } from '../load/heard.js';
import { BASE_TABLES, type BaseColumn, type BaseName, baseTable } from '../tables/base.js';
import type { LoadPlan } from '../tables/plan.js';
import { TAKEN } from './alike.js';
import type { PlacedFile } from './compactions.js';
import { holdersOf } from './host-logs.js';
import { MERGED, PUBLISHED, type PublishedName, publishedColumns, tableName } from './layout.js';
import { NUMBERS } from './ordinal.js';
import type { FolderState } from './state.js';

const create = (table: string, columns: readonly BaseColumn[]) =>
  `CREATE OR REPLACE TABLE ${table} (${columns.map(({ name, type }) => `${ident(name)} ${type}`).join(', ')})`;

export function filesOf({ files, lake }: FolderState, base: PublishedName): string[] {
  return files.filter(({ table }) => table === tableName(base)).map((file) => lake.place.at(file.path));
}

/** A table function over Parquet files, whose folders mean nothing. */
export const parquet = (files: readonly string[]) =>
  `read_parquet([${files.map(quote).join(', ')}], hive_partitioning = false)`;

/** Files of days on which several batches have rows, so that lines may stand there twice. */
export function sharedFiles({ files, lake }: FolderState, base: 'calls' | 'runs'): string[] {
  const ofTable = files.filter(({ table }) => table === tableName(base));
  const dayOf = (file: PlacedFile) => path.posix.dirname(file.path);
  const counts = new Map<string, number>();
  for (const file of ofTable) counts.set(dayOf(file), (counts.get(dayOf(file)) ?? 0) + batchesIn(file));
  return ofTable.filter((file) => counts.get(dayOf(file))! > 1).map((file) => lake.place.at(file.path));
}

/** A merged file holds those of several. */
const batchesIn = ({ path: name }: PlacedFile) => (path.posix.basename(name).startsWith(MERGED) ? 2 : 1);

/** Tables that receipts alone fill: what their calls come to, and how they are numbered; and others that are empty yet. */
export async function fillSmall(
  db: Database,
  { receipts, hosts }: Pick<FolderState, 'receipts' | 'hosts'>,
): Promise<void> {
  const summary: BaseColumn[] = [
    { name: 'batch', type: 'BIGINT' },
    { name: 'kind', type: 'VARCHAR' },
    ...SUMMARY_COLUMNS.map((name) => ({ name, type: 'BIGINT' as const })),
  ];
  await db.run(
    [
      create('main.base_summary', summary),
      create(NUMBERS, [
        { name: 'number', type: 'BIGINT' },
        { name: 'ordinal', type: 'BIGINT' },
      ]),
      create(HOSTS_TABLE, [
        { name: 'batch', type: 'BIGINT' },
        { name: 'host', type: 'VARCHAR' },
      ]),
      create(baseTable('twins'), BASE_TABLES.twins),
      create(baseTable('seqs'), BASE_TABLES.seqs),
    ].join('; '),
  );
  const sums = db.rowAppender('base_summary');
  const numbers = db.rowAppender('base_numbers');
  for (const [ordinal, { batch, kinds }] of receipts.entries()) {
    numbers.add([batch, ordinal]);
    for (const { kind, newest, ...counts } of kinds)
      sums.add([batch, kind, ...SUMMARY_COLUMNS.map((name) => summaryCell(name, counts, ordinal, newest))]);
  }
  sums.close();
  numbers.close();
  const having = db.rowAppender('base_hosts');
  const holders = holdersOf(receipts, hosts);
  for (const receipt of receipts) for (const host of holders(receipt)) having.add([receipt.batch, host]);
  having.close();
}

/** @param accounts of the receipts, without lines that fell out because an earlier batch has them. */
export async function fillBatches(
  db: Database,
  receipts: readonly BatchReceipt[],
  accounts: readonly BatchAccount[],
): Promise<void> {
  const columns = publishedColumns({} as LoadPlan, 'batches');
  await db.run(create(baseTable('batches'), columns));
  const batches = db.rowAppender('base_batches');
  for (const [i, { batch, file, host, id, newest_record }] of receipts.entries()) {
    const row: Readonly<Record<string, string | number | null>> = {
      ...{ ...accounts[i]!, batch, file: file.name, newest_record, host, log: file.path },
      ...{ byte_from: file.byte_from, lines_before: file.lines_before, sha256: id, head: file.head },
    };
    batches.add(columns.map(({ name }) => row[name] ?? null));
  }
  batches.close();
}

/** As the account of a lake names a place: lines of a file are fewer than that. */
const LINES = 2 ** 33;

function summaryCell(
  name: string,
  counts: Readonly<Record<string, number | null>>,
  ordinal: number,
  newest: string,
): number | string | null {
  if (name.startsWith('newest')) return String(microsOf(newest));
  const value = counts[name === 'selected' ? 'calls' : name]!;
  return name.startsWith('first') && value !== null ? ordinal * LINES + value : value;
}

/** What the tables hold that hang on calls or runs: those whose lines were taken out are not seen. */
const OF: Partial<Record<BaseName, 'calls' | 'runs'>> = {
  ...{ calls: 'calls', attempts: 'calls', attempt_reasons: 'calls', named_workers: 'calls' },
  ...{ runs: 'runs', documents: 'runs' },
};

/** Which of calls and runs lines were taken out of. */
type HasTaken = Readonly<Record<'calls' | 'runs', boolean>>;

function withoutTaken(base: BaseName, hasTaken: HasTaken): string {
  const of = OF[base];
  return of && hasTaken[of] ? ` ANTI JOIN ${TAKEN[of]} t ON t.number = c.batch AND t.line = c.line` : '';
}

/** The calls of the day of an instant: of all files, those alone need be opened for one of them. */
export function callsOfDay(state: FolderState, hasTaken: HasTaken, time: bigint): string {
  const instant = rfc3339(time);
  // Beyond the years that a text has, it has the day of another zone.
  const isOwnDay = instant.endsWith('Z');
  const day = `/day=${instant.slice(0, 10)}/`;
  const files = filesOf(state, 'calls').filter((name) => isOwnDay && name.includes(day));
  return files.length === 0
    ? baseTable('calls')
    : `(SELECT c.* FROM ${parquet(files)} c${withoutTaken('calls', hasTaken)})`;
}

export async function makeViews(
  db: Database,
  state: FolderState,
  plan: LoadPlan,
  held: LoadPlan,
  hasTaken: HasTaken,
): Promise<void> {
  const bases = (Object.keys(PUBLISHED) as PublishedName[]).filter(
    (base) => base !== 'batches' && base !== 'seqs' && (plan[base] !== undefined || base === 'rejects'),
  );
  for (const base of bases)
    await makeView(
      db,
      base,
      publishedColumns(held, base),
      filesOf(state, base),
      withoutTaken(base, hasTaken),
    );
}

/** In the place of the one that is there. @param without what is joined to leave rows out. */
export async function makeView(
  db: Database,
  base: PublishedName,
  columns: readonly BaseColumn[],
  files: readonly string[],
  without = '',
): Promise<void> {
  await db.run(`DROP VIEW IF EXISTS ${baseTable(base)}`).catch(() => db.run(`DROP TABLE ${baseTable(base)}`));
  const listed = columns.map(({ name }) => `c.${ident(name)}`).join(', ');
  await db.run(
    files.length === 0
      ? create(baseTable(base), columns)
      : `CREATE VIEW ${baseTable(base)} AS SELECT ${listed} FROM ${parquet(files)} c${without}`,
  );
}
