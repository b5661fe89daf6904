/** Names of the files of a folder lake, and which columns stand in them. */
import { statSync } from 'node:fs';
import { kernelPath } from '../../kernel-path.js';
import { lakeColumns } from '../store/tables.js';
import { BASE_TABLES, type BaseColumn, type BaseName } from '../tables/base.js';
import type { LoadPlan } from '../tables/plan.js';

/** Of the layout; a lake of a higher one is refused. */
export const LAYOUT = 1;
export const MAKING = 'lakelog.json';
export const BATCHES = 'batches';
export const COMPACTIONS = 'compactions';
export const HOSTS = 'hosts';

/** Where `--lake` names an engine that is reached over the network. */
export const isCluster = (name: string): boolean => /^trino:/i.test(name);

/** Where `--lake` names a folder of Parquet. What cannot be looked at is told by whoever opens it. */
export function isFolderLake(name: string, cwd: string): boolean {
  if (/^[a-z][a-z0-9+.-]*:\/\//.test(name)) return false;
  if (name.endsWith('/')) return true;
  try {
    return statSync(kernelPath(cwd, name)).isDirectory();
  } catch {
    return false;
  }
}

const columns = (type: BaseColumn['type'], names: string): BaseColumn[] =>
  names.split(' ').map((name) => ({ name, type }));

/** What is published of each batch, in this order; those whose rows have an instant are parted by its day. */
export const PUBLISHED = {
  calls: { parted: true, order: 'line' },
  attempts: { parted: true, order: 'line, attempt_number' },
  attempt_reasons: { parted: true, order: 'line, attempt_number, reason_number' },
  runs: { parted: true, order: 'line' },
  documents: { parted: true, order: 'line, position' },
  rejects: { parted: false, order: 'line' },
  named_workers: { parted: false, order: 'line' },
  seqs: { parted: false, order: 'writer_id, first_seq' },
  batches: { parted: false, order: 'batch' },
} as const satisfies Partial<Record<BaseName, { readonly parted: boolean; readonly order: string }>>;

export type PublishedName = keyof typeof PUBLISHED;
export const PUBLISHED_NAMES = Object.keys(PUBLISHED) as PublishedName[];

export const tableName = (base: PublishedName) => `base_${base}`;

/** Behind those that every batch has: where its bytes stood, and which they are. */
const BATCH_PLACE = [
  ...columns('VARCHAR', 'host log'),
  ...columns('BIGINT', 'byte_from lines_before late_line'),
  ...columns('VARCHAR', 'sha256 head'),
];

export function publishedColumns(plan: LoadPlan, base: PublishedName): readonly BaseColumn[] {
  return base === 'batches' ? [...BASE_TABLES.batches, ...BATCH_PLACE] : lakeColumns(plan, base);
}

/** Where the rows of a batch go. @param day `2026-09-01`; null for a table that is not parted. */
export const dataName = (base: PublishedName, day: string | null, id: string) =>
  `${tableName(base)}/${day === null ? '' : `day=${day}/`}${id}.parquet`;

/** How names of files begin that hold rows of several batches. */
export const MERGED = 'c-';

export const receiptName = (id: string) => `${BATCHES}/${id}.json`;
/** Receipts of several batches, a line each. @param sha256 of the whole file. */
export const mergedReceiptsName = (sha256: string) => `${BATCHES}/${MERGED}${sha256}.jsonl`;
export const hostName = (host: string) => `${HOSTS}/${encodeURIComponent(host)}.json`;

/** The number of a batch in tables: 52 bits, which every engine and language holds exactly. */
export const batchNumber = (id: string): number => Number.parseInt(id.slice(0, 13), 16);

/** How a log is called in every table: another one may stand under its path one day, or on another host. */
export const logName = (host: string, path: string, root: string) => `${host}:${path}@${root.slice(0, 8)}`;
