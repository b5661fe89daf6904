import { createHash } from 'node:crypto';
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statfsSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import path from 'node:path';
import { traces } from './records.mjs';

const SEED = 20_260_901;
const BATCH = 4 << 20;
/** Of what is written: a log that other code made is never taken for this one's. */
const RECIPE = createHash('sha256')
  .update(['data.mjs', 'records.mjs', 'random.mjs'].map(source).join('\0'))
  .digest('hex')
  .slice(0, 8);

/**
 * A generated log, made once and kept.
 * @param {string} root folder of all generated logs
 * @param {{ name: string, bytes?: number, calls?: number, tornEvery?: number, flaws?: boolean }} want
 *   `bytes` of sessions.jsonl (replay_runs.jsonl comes on top) or a number of `calls`; every `tornEvery`-th line is cut
 * @param {(text: string) => void} note told when there is something to wait for
 */
export function logOf(root, want, note) {
  const folder = path.join(root, `${want.name}-${RECIPE}`);
  const facts = path.join(folder, 'facts.json');
  if (!existsSync(facts)) {
    note(`writing ${folder}`);
    ensureRoom(root, want.bytes ?? 0);
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder, { recursive: true });
    writeFileSync(`${facts}.new`, JSON.stringify(write(folder, want), null, 2));
    renameSync(`${facts}.new`, facts);
  }
  const paths = {
    sessions: path.join(folder, 'sessions.jsonl'),
    replays: path.join(folder, 'replay_runs.jsonl'),
  };
  return { ...want, folder, ...paths, ...JSON.parse(readFileSync(facts, 'utf8')) };
}

function write(
  folder,
  { bytes = Number.POSITIVE_INFINITY, calls = Number.POSITIVE_INFINITY, tornEvery = 0, flaws },
) {
  const sessions = openLog(path.join(folder, 'sessions.jsonl'));
  const replays = openLog(path.join(folder, 'replay_runs.jsonl'));
  const facts = { calls: 0, runs: 0, torn: 0, judged: 0, flawed: 0, sample: '' };
  let sampled = false;
  for (const trace of traces(SEED, flaws)) {
    for (const call of trace.calls.slice(0, calls - facts.calls)) {
      const line = JSON.stringify(call);
      facts.calls++;
      // At least one, in a log however short.
      if (tornEvery > 0 && facts.calls % tornEvery === Math.min(tornEvery, 50) - 1) {
        sessions.line(line.slice(0, line.length >> 1));
        facts.torn++;
        continue;
      }
      sessions.line(line);
      if (call.kind === 'fill' && call.final_verdict === 'accepted') {
        if (call.grounded_in_roster !== null) facts.judged++;
        if (call.grounded_in_roster !== true) facts.flawed++;
      }
    }
    for (const run of trace.runs) replays.line(JSON.stringify(run));
    facts.runs += trace.runs.length;
    // The first trace with several of everything, and any trace in a log that has none.
    if (!sampled) facts.sample = trace.calls[0].session_id;
    sampled ||= trace.calls.length > 1 && trace.runs.length > 1;
    if (sessions.size() >= bytes || facts.calls >= calls) break;
  }
  return { ...facts, bytes: sessions.close(), replayBytes: replays.close() };
}

function openLog(file) {
  const handle = openSync(file, 'w', 0o600);
  let lines = [];
  let waiting = 0;
  let written = 0;
  const flush = () => {
    const bytes = Buffer.from(lines.join(''));
    for (let at = 0; at < bytes.length; ) at += writeSync(handle, bytes, at);
    written += bytes.length;
    lines = [];
    waiting = 0;
  };
  return {
    line(text) {
      lines.push(text, '\n');
      waiting += text.length + 1;
      if (waiting >= BATCH) flush();
    },
    size: () => written + waiting,
    close() {
      flush();
      closeSync(handle);
      return written;
    },
  };
}

function ensureRoom(root, bytes) {
  const { bavail, bsize } = statfsSync(root);
  const needed = bytes * 1.4;
  if (bavail * bsize < needed) {
    throw new Error(
      `${root} has no room for ${Math.round(needed / 1e6)} MB: name another folder with --data`,
    );
  }
}

function source(name) {
  return readFileSync(new URL(name, import.meta.url), 'utf8');
}
