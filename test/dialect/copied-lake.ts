/** A folder of Parquet as hosts make it, by DuckDB's own COPY from base tables in memory: one file of input, one batch. */
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import type { InputRequest } from '../../src/lake/input/index.js';
import { openLake } from '../../src/lake/lake.js';
import { BASE_TABLES, type BaseName } from '../../src/lake/tables/base.js';
import { DUCKDB } from '../../src/lake/tables/dialect.js';
import { isContent, TABLE_NAMES } from '../../src/lake/tables/published.js';
import { runOptions } from '../support/lake.js';

const PARTED: readonly BaseName[] = ['calls', 'attempts', 'attempt_reasons', 'runs', 'documents'];
const STORED: readonly BaseName[] = [...PARTED, 'rejects', 'named_workers', 'seqs', 'batches'];

/** What stands of a batch in base_batches behind the columns that all have. */
const PLACE = (log: string, sha256: string) =>
  `'host' AS host, ${DUCKDB.quote(log)} AS log, 0::BIGINT AS byte_from, 0::BIGINT AS lines_before, NULL::BIGINT AS late_line,
   '${sha256}' AS sha256, '${sha256}' AS head`;

export interface Batch {
  readonly request: InputRequest;
  /** Of two lines that are alike the one in the batch with the lower number is the first. */
  readonly number: number;
}

export async function copyLake(dir: string, batches: readonly Batch[]): Promise<void> {
  for (const name of STORED) mkdirSync(path.join(dir, `base_${name}`), { recursive: true });
  for (const name of ['batches', 'hosts']) mkdirSync(path.join(dir, name), { recursive: true });
  for (const batch of batches) await copyBatch(dir, batch);
}

async function copyBatch(dir: string, { request, number: batch }: Batch): Promise<void> {
  const lake = await openLake({
    ...runOptions({ showContent: true }),
    asks: TABLE_NAMES.map((name) => `SELECT * FROM ${name}`),
    ...{ everyReject: true, hashes: true, gatedKinds: [], params: {} },
  });
  try {
    await lake.load([request]);
    const sha256 = createHash('sha256')
      .update(readFileSync(path.resolve(request.path)))
      .digest('hex');
    const { cells } = await lake.query('SELECT table_name FROM duckdb_tables()');
    const made = cells.map(([name]) => name);
    for (const name of STORED.filter((one) => made.includes(`base_${one}`)))
      await lake.query(copySql(dir, name, batch, PLACE(request.path, sha256)));
  } finally {
    lake.close();
  }
}

function copySql(dir: string, name: BaseName, batch: number, place: string): string {
  const columns = BASE_TABLES[name].filter((column) => !isContent(column.name));
  const list = columns.map((column) =>
    column.name === 'batch' ? `${batch}::BIGINT AS batch` : `"${column.name}"`,
  );
  const more = name === 'batches' ? `, ${place}` : name === 'rejects' ? ', TRUE AS blocks' : '';
  const day = PARTED.includes(name) ? `, strftime(timezone('UTC', "timestamp"), '%Y-%m-%d') AS day` : '';
  const to = path.join(dir, `base_${name}`, PARTED.includes(name) ? '' : `${batch}.parquet`);
  const how = PARTED.includes(name)
    ? `, PARTITION_BY (day), FILENAME_PATTERN '${batch}-{i}', OVERWRITE_OR_IGNORE`
    : '';
  const order = name === 'batches' || name === 'seqs' ? '' : 'ORDER BY line';
  return `COPY (SELECT ${list.join(', ')}${more}${day} FROM main.base_${name} ${order})
    TO ${DUCKDB.quote(to)} (FORMAT parquet, COMPRESSION zstd${how})`;
}
