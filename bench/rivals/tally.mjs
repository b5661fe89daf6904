// node tally.mjs <folder>: what the Parquet files of each table below it hold, whatever they are called.
import { existsSync, readdirSync } from 'node:fs';
import { DuckDBInstance } from '@duckdb/node-api';

const [folder] = process.argv.slice(2);
const instance = await DuckDBInstance.create(':memory:');
const connection = await instance.connect();
const tables = [
  'base_calls',
  'base_attempts',
  'base_attempt_reasons',
  'base_runs',
  'base_documents',
  'base_named_workers',
];
const rows = [];
for (const table of tables) {
  const found = [`${folder}/${table}.parquet`, `${folder}/${table}`].find(holdsRows);
  if (!found) continue;
  const files = found.endsWith('.parquet') ? found : `${found}/**/*.parquet`;
  // How batches are numbered is each program's own.
  const reader = await connection.runAndReadAll(
    `SELECT '${table}' AS table, count(*) AS rows, CAST(sum(CAST(hash(t) AS HUGEINT)) AS VARCHAR) AS hash
     FROM (SELECT * EXCLUDE (batch) FROM read_parquet('${files}', hive_partitioning = false)) t`,
  );
  rows.push(...reader.getRowObjectsJson());
}
process.stdout.write(`${JSON.stringify(rows)}\n`);

/** A folder of a table that nothing was written to is as good as none. */
function holdsRows(found) {
  if (found.endsWith('.parquet')) return existsSync(found);
  return (
    existsSync(found) && readdirSync(found, { recursive: true }).some((name) => name.endsWith('.parquet'))
  );
}
