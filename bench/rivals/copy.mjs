// node copy.mjs <lake.duckdb> <folder> <how>: the tables of a lake file as Parquet, by DuckDB's own COPY.
import { mkdirSync } from 'node:fs';
import { DuckDBInstance } from '@duckdb/node-api';

const [lake, folder, how] = process.argv.slice(2);
const TABLES = {
  base_calls: 'line',
  base_attempts: 'line, attempt_number',
  base_attempt_reasons: 'line, attempt_number, reason_number',
  base_runs: 'line',
  base_documents: 'line, position',
  base_named_workers: 'line',
};
const WAYS = {
  // As lakelog writes them: a file for each batch and day, its rows by time.
  'same-files': (order, dayed) => [
    ['part', ...(dayed ? ['day'] : [])],
    `batch, ${dayed ? 'timestamp, ' : ''}${order}`,
  ],
  'by-day': (order, dayed) => [dayed ? ['day'] : [], dayed ? `timestamp, ${order}` : null],
  unsorted: (_, dayed) => [dayed ? ['day'] : [], null],
};

const instance = await DuckDBInstance.create(':memory:');
const connection = await instance.connect();
await connection.run(`SET TimeZone = 'UTC'; ATTACH '${lake}' AS lake (READ_ONLY)`);
mkdirSync(folder, { recursive: true });
for (const [table, order] of Object.entries(TABLES)) {
  const [[rows]] = (await connection.runAndReadAll(`SELECT count(*) FROM lake.main.${table}`)).getRowsJson();
  if (Number(rows) === 0) continue;
  const dayed = table !== 'base_named_workers';
  const [parts, sort] = WAYS[how](order, dayed);
  const made = {
    part: 'batch AS part',
    day: "strftime(make_timestamp(epoch_us(timestamp)), '%Y-%m-%d') AS day",
  };
  const select = ['*', ...parts.map((part) => made[part])].join(', ');
  const options = ['FORMAT parquet', 'COMPRESSION zstd', 'ROW_GROUP_SIZE 122880'];
  if (parts.length > 0) options.push(`PARTITION_BY (${parts.join(', ')})`);
  const target = parts.length > 0 ? `${folder}/${table}` : `${folder}/${table}.parquet`;
  await connection.run(
    `COPY (SELECT ${select} FROM lake.main.${table}${sort === null ? '' : ` ORDER BY ${sort}`}) TO '${target}' (${options.join(', ')})`,
  );
}
process.stdout.write('[]\n');
