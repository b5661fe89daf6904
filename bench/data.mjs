import { spawnSync } from 'node:child_process';
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
const SESSIONS = 'sessions.jsonl';
/** Of what is written: a log that other code made is never taken for this one's. */
const RECIPE = createHash('sha256')
  .update(['data.mjs', 'records.mjs', 'random.mjs'].map(source).join('\0'))
  .digest('hex')
  .slice(0, 8);

/**
 * A generated log, made once and kept.
 * @param {string} root folder of all generated logs
 * @param {{ name: string, bytes?: number, calls?: number, flaws?: boolean } & Form} want
 *   `bytes` of sessions.jsonl (replay_runs.jsonl comes on top), or a number of `calls`
 * @typedef {object} Form
 * @property {number} [tornEvery] every so many-th line is cut in half, or is this text:
 * @property {string} [instead]
 * @property {number} [long] all other lines are as long as `bytes` by this number
 * @property {boolean} [gz] sessions.jsonl.gz; sizes stay those of the text
 * @property {boolean} [scattered] a folder in which each call has a file of its own
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
  const { gz, scattered } = want;
  const paths = {
    sessions: path.join(folder, scattered ? 'calls' : gz ? 'sessions.jsonl.gz' : 'sessions.jsonl'),
    replays: path.join(folder, 'replay_runs.jsonl'),
  };
  return { ...want, folder, ...paths, ...JSON.parse(readFileSync(facts, 'utf8')) };
}

function write(folder, want) {
  const { bytes = Number.POSITIVE_INFINITY, calls = Number.POSITIVE_INFINITY } = want;
  const { tornEvery = 0, long = 0, instead, flaws, gz, scattered } = want;
  const sessions = scattered ? openFolder(path.join(folder, 'calls')) : openLog(path.join(folder, SESSIONS));
  const replays = openLog(path.join(folder, 'replay_runs.jsonl'));
  const facts = { calls: 0, runs: 0, torn: 0, judged: 0, flawed: 0, sample: '' };
  let sampled = false;
  for (const trace of traces(SEED, flaws)) {
    for (const call of trace.calls.slice(0, calls - facts.calls)) {
      facts.calls++;
      // At least one, in a log however short.
      if (tornEvery > 0 && facts.calls % tornEvery === Math.min(tornEvery, 50) - 1) {
        const line = JSON.stringify(call);
        sessions.line(instead ?? line.slice(0, line.length >> 1));
        facts.torn++;
        continue;
      }
      sessions.line(JSON.stringify(long > 0 ? lengthened(call, bytes / long) : call));
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
  const sizes = { bytes: sessions.close(), replayBytes: replays.close() };
  if (gz) compress(path.join(folder, SESSIONS));
  return { ...facts, ...sizes };
}

/** The call with its prompt repeated until its line has that many bytes, or a prompt less. */
function lengthened(call, bytes) {
  const prompt = Buffer.byteLength(JSON.stringify(call.prompt)) - 2;
  const rest = bytes - Buffer.byteLength(JSON.stringify(call));
  return { ...call, prompt: call.prompt.repeat(1 + Math.max(0, Math.floor(rest / prompt))) };
}

/** By the program that log rotation calls; the plain file is gone then. */
function compress(file) {
  const { status, error, stderr } = spawnSync('gzip', [file], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`gzip ${file} failed: ${error?.message ?? stderr.trim()}`);
}

function openFolder(folder) {
  mkdirSync(folder);
  let files = 0;
  let written = 0;
  return {
    line(text) {
      const bytes = Buffer.from(`${text}\n`);
      writeFileSync(path.join(folder, `${String(files++).padStart(6, '0')}.jsonl`), bytes, { mode: 0o600 });
      written += bytes.length;
    },
    size: () => written,
    close: () => written,
  };
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
  // Replay runs add a third, two thirds where each call is cut in half.
  const needed = bytes * 1.7;
  if (bavail * bsize < needed) {
    throw new Error(
      `${root} has no room for ${Math.round(needed / 1e6)} MB: name another folder with --data`,
    );
  }
}

function source(name) {
  return readFileSync(new URL(name, import.meta.url), 'utf8');
}
