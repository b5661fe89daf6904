/** Logs of one of many hosts, of a given size. */
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { traces } from '../../../bench/records.mjs';

/** @returns {number} calls */
export function writeLogs(folder, host, seed, bytes) {
  mkdirSync(folder, { recursive: true });
  const own = (name, record) => (record[name] ? { [name]: `${host}-${record[name]}` } : {});
  const [calls, runs] = [[], []];
  let written = 0;
  for (const trace of traces(seed)) {
    for (const call of trace.calls) {
      const ids = { ...own('session_id', call), ...own('call_id', call), ...own('writer_id', call) };
      const line = JSON.stringify({ ...call, ...ids });
      written += line.length + 1;
      calls.push(line);
    }
    for (const run of trace.runs) runs.push(JSON.stringify({ ...run, ...own('session_id', run) }));
    if (written >= bytes) break;
  }
  writeFileSync(path.join(folder, 'sessions.jsonl'), `${calls.join('\n')}\n`);
  writeFileSync(path.join(folder, 'replay_runs.jsonl'), `${runs.join('\n')}\n`);
  return calls.length;
}
