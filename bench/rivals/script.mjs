// node script.mjs <question.sql> <sessions.jsonl> <replay_runs.jsonl> [<session_id>]
import { readFileSync } from 'node:fs';
import { DuckDBInstance } from '@duckdb/node-api';

const [question, sessions, replays, id] = process.argv.slice(2);
const sql = readFileSync(question, 'utf8')
  .replaceAll('$sessions', `'${sessions}'`)
  .replaceAll('$replays', `'${replays}'`)
  .replaceAll('$id', `'${id}'`);
const instance = await DuckDBInstance.create(':memory:');
const connection = await instance.connect();
const reader = await connection.runAndReadAll(sql);
process.stdout.write(`${JSON.stringify(reader.getRowObjectsJson())}\n`);
