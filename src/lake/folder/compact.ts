/** Merges small files of days that are over, so that a lake of many small exports is read like one of few large ones. */
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { LakelogError } from '../../errors.js';
import { instantOf } from '../../instant.js';
import { COMPACTION_FORMAT, type DataFile, type Move } from '../../schema/batch.js';
import type { Compacted } from '../../schema/lake.js';
import { version } from '../../version.js';
import type { Database } from '../duckdb/connection.js';
import { ident } from '../duckdb/sql.js';
import { sha256 } from '../store/fingerprint.js';
import { lakePlan } from '../store/tables.js';
import type { Settle } from '../store/unread.js';
import { compactionName, type PlacedFile } from './compactions.js';
import { copyTo, dataFile, stagedAt } from './data-file.js';
import { Hashes } from './hashes.js';
import {
  MERGED,
  PUBLISHED,
  PUBLISHED_NAMES,
  type PublishedName,
  publishedColumns,
  tableName,
} from './layout.js';
import { sweep } from './leftovers.js';
import { lock } from './lock.js';
import type { FolderLake } from './making.js';
import { mergeReceipts } from './merge-receipts.js';
import { allSynced, asFilesOf, type Stage } from './place.js';
import { sealed } from './seal.js';
import type { FolderState } from './state.js';
import { parquet } from './tables.js';

export interface Compacting {
  readonly now: Date;
  /** How long files that were merged stay for who reads them now. */
  readonly graceS: number;
  readonly lockTimeoutS: number;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly settle: Settle;
}

/** Files grow to that, and larger ones are left as they are. */
const TARGET_BYTES = 64 << 20;

/** @throws LakelogError (exit 3) for a lake that is not as its commits say: it is mended first. */
export async function compact(db: Database, lake: FolderLake, options: Compacting): Promise<Compacted> {
  return asFilesOf(lake.place.path, async () => {
    await lock(db, lake.place, 'compact', options.lockTimeoutS, lake.name);
    lake.place.tidy();
    const { now, settle } = options;
    const sweeping = { now, settle, hashes: new Hashes(lake, options.env) };
    const otherwise = 'nothing was merged';
    const { state, removed } = await sweep(db, lake, { ...sweeping, graceS: options.graceS, otherwise });
    const merged = { files: 0, into: 0, bytes: 0, bytes_before: 0 };
    for (const groups of groupsOf(state, now)) {
      const moves = await merge(db, lake, groups, now);
      for (const [i, { files }] of moves.entries()) {
        merged.files += groups[i]!.length;
        merged.into += files.length;
        merged.bytes += sizeOf(files);
        merged.bytes_before += sizeOf(groups[i]!);
      }
    }
    const receipts = await mergeReceipts(lake, state, { now, most: TARGET_BYTES });
    merged.files += receipts.files;
    merged.into += receipts.into;
    merged.bytes += receipts.bytes;
    merged.bytes_before += receipts.bytes_before;
    if (merged.files === 0) return { path: lake.name, ...merged, removed };
    await sleep(options.graceS * 1_000);
    const then = await sweep(db, lake, { ...sweeping, graceS: 0, otherwise: 'what was merged stays' });
    return { path: lake.name, ...merged, removed: removed + then.removed };
  });
}

const sizeOf = (files: readonly DataFile[]) => files.reduce((sum, { bytes }) => sum + bytes, 0);

/** Files to be merged, group by group, those of a day together; tables without days come last. */
function groupsOf(state: FolderState, now: Date): PlacedFile[][][] {
  const today = now.toISOString().slice(0, 10);
  const recent = madeSince(state, today);
  const parts = new Map<string, Map<string, PlacedFile[]>>();
  for (const file of state.files) {
    if (file.bytes >= TARGET_BYTES / 2) continue;
    const day = /\/day=([^/]+)\//.exec(file.path)?.[1] ?? '';
    if (day >= today || (day === '' && recent.has(path.posix.basename(file.path, '.parquet')))) continue;
    const tables = parts.get(day) ?? new Map<string, PlacedFile[]>();
    const ofTable = tables.get(file.table) ?? [];
    ofTable.push(file);
    parts.set(day, tables.set(file.table, ofTable));
  }
  return [...parts]
    .sort(([a], [b]) => (a === b ? 0 : (a || '~') < (b || '~') ? -1 : 1))
    .map(([, tables]) => [...tables.values()].flatMap(grouped))
    .filter((groups) => groups.length > 0);
}

/** Batches that were published on that day or later. */
const madeSince = ({ receipts }: FolderState, day: string) =>
  new Set(receipts.filter(({ made_at }) => made_at.slice(0, 10) >= day).map(({ id }) => id));

/** So many together as make a large one. */
function grouped(files: readonly PlacedFile[]): PlacedFile[][] {
  const groups: PlacedFile[][] = [];
  let group: PlacedFile[] = [];
  let size = 0;
  for (const file of [...files].sort((a, b) => (a.path < b.path ? -1 : 1))) {
    group.push(file);
    size += file.bytes;
    if (size < TARGET_BYTES) continue;
    groups.push(group);
    [group, size] = [[], 0];
  }
  return [...groups, group].filter(({ length }) => length > 1);
}

async function merge(
  db: Database,
  lake: FolderLake,
  groups: readonly (readonly PlacedFile[])[],
  now: Date,
): Promise<Move[]> {
  const { place, making } = lake;
  const stage = place.stage();
  try {
    const moves: Move[] = [];
    for (const group of groups) moves.push(await mergeGroup(db, lake, group, stage));
    const id = hashOf(moves.flatMap(({ files }) => files.map((file) => file.sha256)));
    const staged = path.join(stage.path, 'commit');
    const made_at = instantOf(now);
    const commit = { schema: COMPACTION_FORMAT, id, lake: making.lake_id, version, made_at, moves };
    writeFileSync(staged, sealed(commit));
    const files = moves.flatMap((move) => move.files);
    const stagedOf = (file: DataFile) => stagedAt(stage, file.path);
    await allSynced([staged, ...files.map(stagedOf)]);
    // Says to who looks that this is work in progress.
    for (const file of files)
      writeFileSync(path.join(stage.path, `${path.posix.basename(file.path, '.parquet')}.json`), '');
    for (const file of files) place.put(file.path, { staged: stagedOf(file) });
    place.put(compactionName(id), { staged });
    return moves;
  } finally {
    stage.remove();
  }
}

const hashOf = (parts: readonly string[]) => sha256(Buffer.from(parts.join('\n')));

async function mergeGroup(
  db: Database,
  { place, making, name: lakeName }: FolderLake,
  group: readonly PlacedFile[],
  stage: Stage,
): Promise<Move> {
  const { table } = group[0]!;
  const base = PUBLISHED_NAMES.find((one) => tableName(one) === table)!;
  const name = `${path.posix.dirname(group[0]!.path)}/${MERGED}${hashOf(group.map((file) => file.sha256))}.parquet`;
  const staged = stagedAt(stage, name);
  const from = parquet(group.map((file) => place.at(file.path)));
  const columns = publishedColumns(lakePlan(making.keeps_content), base).map(({ name: column }) =>
    ident(column),
  );
  await copyTo(db, `SELECT ${columns.join(', ')} FROM ${from} ORDER BY ${orderOf(base)}`, staged);
  const [before, after] = [await contentOf(db, from), await contentOf(db, parquet([staged]))];
  if (before.hash !== after.hash || before.rows !== after.rows)
    throw new LakelogError(
      `the merged file does not hold what was merged: ${after.rows} of ${before.rows} rows`,
      {
        where: lakeName,
        next: 'this is a defect of lakelog: please report it; the lake is as it was',
      },
    );
  return { table, files: [dataFile(name, staged, after.rows)], replaces: group.map((one) => one.path) };
}

const orderOf = (base: PublishedName) => {
  const { parted, order } = PUBLISHED[base];
  return [
    ...(parted ? ['"timestamp"'] : []),
    ...(base === 'seqs' || base === 'batches' ? [] : ['batch']),
    order,
  ].join(', ');
};

/** Equal where the rows are, whatever their order. */
async function contentOf(db: Database, from: string): Promise<{ rows: number; hash: string }> {
  const [found] = await db.objects<{ rows: number; hash: string }>(
    `SELECT count(*) AS rows, CAST(sum(CAST(hash(t) AS HUGEINT)) AS VARCHAR) AS hash FROM ${from} t`,
  );
  return found!;
}
