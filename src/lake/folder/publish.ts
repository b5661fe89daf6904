/** One batch becomes files under names of its own, and is there when its receipt is: once, or not at all. */
import { statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { LakelogError } from '../../errors.js';
import { instantOf, rfc3339 } from '../../instant.js';
import {
  BATCH_FORMAT,
  type BatchAccount,
  type BatchPlace,
  type BatchReceipt,
  type DataFile,
  type KindSums,
  type RejectSums,
  type TableReceipt,
} from '../../schema/batch.js';
import { version } from '../../version.js';
import type { Database } from '../duckdb/connection.js';
import { ident, quote } from '../duckdb/sql.js';
import { summarySql } from '../load/account.js';
import { islandsOf } from '../load/seqs.js';
import { nameBehind } from '../store/fingerprint.js';
import type { LoadPlan } from '../tables/plan.js';
import type { Committed } from './committed.js';
import { copyTo, dataFile, stagedAt } from './data-file.js';
import { hashFile } from './hash-file.js';
import { inLanes } from './lanes.js';
import {
  batchNumber,
  dataName,
  PUBLISHED,
  PUBLISHED_NAMES,
  type PublishedName,
  publishedColumns,
  receiptName,
  tableName,
} from './layout.js';
import { allSynced, changedMs, type LocalPlace, type Stage } from './place.js';
import { sealed } from './seal.js';
import { type Summed, summedOf, sumsSql } from './sums.js';

/** Rows of a batch as they stand in an engine, and all else that its receipt says. */
export interface Batch {
  readonly id: string;
  readonly host: string;
  readonly file: BatchPlace;
  readonly account: BatchAccount;
  readonly newestRecord: string | null;
  readonly rejects: readonly RejectSums[];
  readonly notices: readonly string[];
  readonly rows: BatchRows;
}

/** The catalog whose base tables hold the rows, and the number that they have there. */
export interface BatchRows {
  readonly db: Database;
  readonly catalog: string;
  readonly number: number;
  readonly plan: LoadPlan;
}

export interface Publishing {
  readonly place: LocalPlace;
  readonly lakeId: string;
  readonly now: Date;
  readonly committed: Committed;
}

/** A batch as it is published, and the receipt that another run published of it, where one was there; else null. */
export interface PublishedBatch {
  readonly batch: Batch;
  readonly other: BatchReceipt | null;
}

/**
 * Publishes a batch under the name of its bytes, or under its other one where they stand at another place too.
 * @param bytes their SHA-256.
 * @param batchAs what it is under a name.
 */
export async function publishNamed(
  bytes: string,
  at: Parameters<Committed['nameOf']>[1],
  batchAs: (id: string) => Batch,
  publishing: Publishing,
): Promise<PublishedBatch> {
  const batch = batchAs(publishing.committed.nameOf(bytes, at));
  const other = await publishBatch(batch, publishing);
  if (other === null || other.file.before === at.before) return { batch, other };
  // Another place took the name at this moment.
  const renamed = batchAs(nameBehind(at.before, bytes));
  return { batch: renamed, other: await publishBatch(renamed, publishing) };
}

/** @returns the receipt that another run published, where one was there; else null. */
export async function publishBatch(batch: Batch, publishing: Publishing): Promise<BatchReceipt | null> {
  const { place, committed } = publishing;
  if (committed.has(batch.id)) return committed.receiptOf(batch.id);
  const stage = place.stage();
  try {
    const kinds = await kindSums(batch.rows);
    const tables = await writeTables(PUBLISHED_NAMES, batch, kinds, stage);
    // Says to who looks what these files are about to belong to.
    const staged = path.join(stage.path, `${batch.id}.json`);
    writeFileSync(staged, sealed(receiptOf(batch, kinds, tables, publishing)));
    const files = Object.values(tables).flatMap((table) => table.files);
    const stagedOf = (file: DataFile) => stagedAt(stage, file.path);
    await allSynced([...files.map(stagedOf), staged]);
    // Ages of drafts are told by the clock that says when they were written.
    const ahead = changedMs(staged) - Date.now();
    for (const file of files) await putFile({ ...publishing, ahead }, batch.id, file, stagedOf(file));
    return commit(publishing, batch.id, staged) ? null : committed.receiptOf(batch.id);
  } finally {
    stage.remove();
  }
}

/** @returns whether it was not there before. */
function commit({ place, committed }: Publishing, id: string, staged: string): boolean {
  if (!place.put(receiptName(id), { staged })) return false;
  if (!committed.isMerged(id)) return true;
  // Published by another run, and merged since this one looked. Files stay: the other's receipt may rest on them, and
  // what was merged goes with the next compaction.
  place.remove(receiptName(id));
  return false;
}

function receiptOf(
  { id, host, file, account, newestRecord, rejects, notices }: Batch,
  kinds: readonly KindSums[],
  tables: BatchReceipt['tables'],
  { lakeId, now }: Publishing,
): Omit<BatchReceipt, 'checksum'> {
  return {
    schema: BATCH_FORMAT,
    ...{ id, batch: batchNumber(id), lake: lakeId, host, version },
    made_at: instantOf(now),
    ...{ file, account, newest_record: newestRecord, rejects, kinds, notices, tables },
  };
}

/** A SELECT of the rows of the batch in a base table, named as they are published. */
function rowsSql(base: PublishedName, { id, host, file, account, newestRecord, rows }: Batch): string {
  const { catalog, number, plan } = rows;
  const columns = publishedColumns(plan, base);
  if (base === 'batches') {
    const { bytes, lines, loaded, rejected, duplicates, blank, pending, conflicts, late } = account;
    const { byte_from, lines_before, head } = file;
    const row: Readonly<Record<string, string | number | null>> = {
      ...{ batch: batchNumber(id), file: file.name, bytes, lines, loaded, rejected, duplicates, blank },
      ...{ pending, conflicts, late, newest_record: newestRecord, host, log: file.path, byte_from },
      ...{ lines_before, late_line: account.late_line, sha256: id, head },
    };
    const cells = columns.map(
      ({ name, type }) => `CAST(${literal(row[name]!)} AS ${type}) AS ${ident(name)}`,
    );
    return `SELECT ${cells.join(', ')}`;
  }
  const from = `${catalog}.main.base_${base}`;
  if (base === 'seqs')
    return islandsOf(`(SELECT * FROM ${catalog}.main.base_calls WHERE batch = ${number})`, null);
  const cells = columns.map(({ name }) =>
    name === 'batch' ? `${batchNumber(id)} AS batch` : `r.${ident(name)}`,
  );
  // Of lines that were taken out nothing is kept.
  const kept =
    base === 'named_workers'
      ? ` AND EXISTS (SELECT 1 FROM ${catalog}.main.base_calls c WHERE c.batch = ${number} AND c.line = r.line)`
      : '';
  return `SELECT ${cells.join(', ')} FROM ${from} r WHERE r.batch = ${number}${kept}`;
}

const literal = (value: string | number | null) =>
  value === null ? 'NULL' : typeof value === 'string' ? quote(value) : String(value);

const DAY = `strftime(make_timestamp(epoch_us("timestamp")), '%Y-%m-%d')`;
const SPAN = `epoch_us(min("timestamp")) AS "from", epoch_us(max("timestamp")) AS "to", `;
/** The rows of a day, by the first and the last of them: what the engine can leave out by its blocks. */
const within = ({ from, to }: Readonly<Record<string, number | string>>) =>
  `"timestamp" BETWEEN make_timestamptz(${from}) AND make_timestamptz(${to})`;

/** A file that is to be made of rows. */
interface Part {
  readonly name: string;
  readonly staged: string;
  readonly select: string;
  readonly summed: Summed;
}

/** @returns what a receipt says of these tables, without those that have no rows. */
async function writeTables(
  bases: readonly PublishedName[],
  batch: Batch,
  kinds: readonly KindSums[],
  stage: Stage,
): Promise<Record<string, TableReceipt>> {
  const { db } = batch.rows;
  const parts = await inLanes(db, bases, (own, base) => partsOf(own, base, batch, kinds, stage));
  const largestFirst = parts.flat().toSorted((a, b) => b.summed.rows - a.summed.rows);
  const files = new Map<Part, DataFile>();
  await inLanes(db, largestFirst, async (own, part) => {
    await copyTo(own, part.select, part.staged);
    files.set(part, dataFile(part.name, part.staged, part.summed.rows));
  });
  const tables: Record<string, TableReceipt> = {};
  for (const [i, base] of bases.entries()) {
    const own = parts[i]!;
    if (own.length === 0) continue;
    tables[tableName(base)] = {
      ...total(own.map(({ summed }) => summed)),
      files: own.map((part) => files.get(part)!),
    };
  }
  return tables;
}

async function partsOf(
  db: Database,
  base: PublishedName,
  batch: Batch,
  kinds: readonly KindSums[],
  stage: Stage,
): Promise<Part[]> {
  if (base === 'seqs' && kinds.every(({ numbered }) => numbered === 0)) return [];
  const { parted, order } = PUBLISHED[base];
  const sql = rowsSql(base, batch);
  const day = parted ? DAY : 'NULL';
  const span = parted ? SPAN : '';
  const found = await db.objects<Record<string, number | string>>(
    `SELECT ${day} AS "day", ${span}${sumsSql(base)} FROM (${sql}) GROUP BY 1 HAVING COUNT(*) > 0 ORDER BY 1`,
  );
  return found.map((part) => {
    const name = dataName(base, parted ? String(part.day) : null, batch.id);
    const only = parted && found.length > 1 ? ` WHERE ${within(part)}` : '';
    const select = `SELECT * FROM (${sql})${only} ORDER BY ${parted ? '"timestamp", ' : ''}${order}`;
    return { name, staged: stagedAt(stage, name), select, summed: summedOf(base, part) };
  });
}

function total(parts: readonly Summed[]): Summed {
  const add = (a: number | string, b: number | string) => {
    const sum = BigInt(a) + BigInt(b);
    return sum <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(sum) : String(sum);
  };
  return parts.reduce((sum, part) => ({
    rows: sum.rows + part.rows,
    sums: Object.fromEntries(
      Object.entries(sum.sums).map(([name, value]) => [name, add(value, part.sums[name]!)]),
    ),
  }));
}

/** Between its draft and its receipt a publication only links files. */
const ALIVE_MS = 60_000;
/** Who publishes the same is waited for so long. */
const WAIT_MS = 10_000;
const LOOK_MS = 50;

/**
 * What was published of a batch before its receipt was written is of a run that was killed, or of one on another host
 * that publishes the same bytes now.
 */
async function putFile(
  { place, committed, ahead }: Publishing & { readonly ahead: number },
  id: string,
  file: DataFile,
  staged: string,
): Promise<void> {
  for (const until = Date.now() + WAIT_MS; ; await sleep(LOOK_MS)) {
    if (place.put(file.path, { staged })) return;
    if (isSame(place.at(file.path), file)) return;
    // In this order: who has no draft any more has committed, or was killed. Ours is one of them.
    const drafts = place.staged(Date.now() + ahead).filter(({ name }) => name === `${id}.json`);
    const others = drafts.filter(({ ageMs }) => ageMs < ALIVE_MS).length - 1;
    if (committed.has(id)) return;
    if (others <= 0) place.remove(file.path);
    else if (Date.now() >= until)
      throw new LakelogError('another run publishes the same batch, and does not come to its end', {
        where: place.at(file.path),
        next: 'run the same command again',
        exitCode: 3,
      });
  }
}

/**
 * Makes files of a batch once more, and puts those where they were that are, byte for byte, what its receipt says.
 * @returns how many are there again.
 */
export async function putBack(
  { newest_record: newestRecord, ...receipt }: BatchReceipt,
  rows: BatchRows,
  lost: readonly DataFile[],
  place: LocalPlace,
): Promise<number> {
  const batch: Batch = { ...receipt, newestRecord, rows };
  const stage = place.stage();
  try {
    const kinds = await kindSums(batch.rows);
    const isLost = (base: PublishedName) =>
      lost.some(({ path: name }) => name.startsWith(`${tableName(base)}/`));
    let there = 0;
    const written = await writeTables(PUBLISHED_NAMES.filter(isLost), batch, kinds, stage);
    for (const { path: name, sha256 } of Object.values(written).flatMap(({ files }) => files)) {
      if (!lost.some((file) => file.path === name && file.sha256 === sha256)) continue;
      const staged = stagedAt(stage, name);
      await allSynced([staged]);
      place.put(name, { staged });
      there++;
    }
    return there;
  } finally {
    stage.remove();
  }
}

function isSame(file: string, { bytes, sha256 }: DataFile): boolean {
  const stats = statSync(file, { throwIfNoEntry: false });
  return stats?.size === bytes && hashFile(file) === sha256;
}

async function kindSums({ db, catalog, number }: BatchRows): Promise<KindSums[]> {
  const calls = `${catalog}.main.base_calls`;
  const rows = await db.objects<Record<string, number | string | null> & { kind: string }>(
    `SELECT s.*, n.accepted, n.judged, n.grounded FROM (${summarySql(`(FROM ${calls} WHERE batch = ${number})`, '0')}) s
     JOIN (SELECT kind, count(*) FILTER (final_verdict = 'accepted') AS accepted,
       count(grounded_in_roster) AS judged, count(*) FILTER (grounded_in_roster) AS grounded
       FROM ${calls} WHERE batch = ${number} GROUP BY kind) n ON n.kind = s.kind ORDER BY s.kind`,
  );
  const whole = (value: number | string | null | undefined) => Number(value);
  const lineOf = (value: number | string | null | undefined) => (value === null ? null : Number(value));
  return rows.map((row) => ({
    kind: row.kind,
    ...{ calls: whole(row.calls), accepted: whole(row.accepted), judged: whole(row.judged) },
    ...{ grounded: whole(row.grounded), accepted_false: whole(row.accepted_false) },
    ...{ inconsistent: whole(row.inconsistent), not_judgeable: whole(row.not_judgeable) },
    ...{ unjudgeable: whole(row.unjudgeable), numbered: whole(row.numbered), first: whole(row.first) },
    ...{ first_false: lineOf(row.first_false), first_unjudgeable: lineOf(row.first_unjudgeable) },
    newest: rfc3339(BigInt(row.newest!)),
  }));
}
