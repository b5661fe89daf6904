/** What the cases of lakes need beside a log: a lake of it, bytes that are new, and a table as one makes it by hand. */
import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  appendFileSync,
  closeSync,
  existsSync,
  linkSync,
  mkdirSync,
  openSync,
  readFileSync,
  readSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { lakelogIn, ROOT } from './rivals.mjs';

const NEW_BYTES = 1e6;

/** A folder with the log as a rotated predecessor of one that is written to, and a lake of both. */
export function lakeOf(log, name = 'lake') {
  const folder = path.join(log.folder, name);
  return { folder, file: path.join(folder, 'lake.duckdb'), live: path.join(folder, 'sessions.jsonl') };
}

/** Made once for each build of lakelog. */
export function prepareLake(log, name) {
  const { folder, file, live } = lakeOf(log, name);
  const built = String(statSync(path.join(ROOT, 'dist/lakelog.cjs')).mtimeMs);
  const stamp = path.join(folder, 'built');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === built) return;
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder);
  linkSync(log.sessions, `${live}.1`);
  if (existsSync(log.replays)) linkSync(log.replays, path.join(folder, 'replay_runs.jsonl'));
  writeFileSync(live, '');
  appendNew(log, name);
  const [program, ...args] = lakelogIn(ROOT, ['sync', '--lake', file, folder]);
  const { status, stderr } = spawnSync(program, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`no lake could be made: ${stderr}`);
  writeFileSync(stamp, built);
}

let lines;

/** 1 MB of calls that were never there, the latest of all. */
export function appendNew(log, name) {
  const { live } = lakeOf(log, name);
  lines ??= headOf(log.sessions).split('\n').slice(0, -1);
  const text = [];
  let size = 0;
  for (let i = 0; size < NEW_BYTES; i++) {
    const call = JSON.parse(lines[i % lines.length]);
    const line = JSON.stringify({
      ...call,
      session_id: randomBytes(16).toString('hex'),
      ...(call.call_id ? { call_id: randomBytes(16).toString('hex') } : {}),
      timestamp: new Date().toISOString(),
      seq: undefined,
      writer_id: undefined,
    });
    text.push(`${line}\n`);
    size += line.length + 1;
  }
  appendFileSync(live, text.join(''));
}

function headOf(file) {
  const bytes = Buffer.alloc(2 * NEW_BYTES);
  const fd = openSync(file, 'r');
  const count = readSync(fd, bytes, 0, bytes.length, 0);
  closeSync(fd);
  return bytes.toString('utf8', 0, count);
}
