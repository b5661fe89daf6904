import { DuckDBInstance } from '@duckdb/node-api';

const instance = await DuckDBInstance.create(':memory:');
const connection = await instance.connect();
const reader = await connection.runAndReadAll('SELECT 1 AS one');
process.stdout.write(`${JSON.stringify(reader.getRowObjectsJson())}\n`);
