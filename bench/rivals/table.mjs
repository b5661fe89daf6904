// node table.mjs <table.sql> <sessions.jsonl>
import { readFileSync, rmSync } from 'node:fs';
import { DuckDBInstance } from '@duckdb/node-api';

const [table, sessions] = process.argv.slice(2);
const file = `${sessions}.table`;
for (const old of [file, `${file}.wal`]) rmSync(old, { force: true });
const instance = await DuckDBInstance.create(file);
const connection = await instance.connect();
await connection.run(readFileSync(table, 'utf8').replaceAll('$sessions', `'${sessions}'`));
connection.closeSync();
instance.closeSync();
process.stdout.write('[]\n');
