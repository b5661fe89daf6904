/** Logs of many hosts without prompts and raw outputs, which no lake keeps: millions of calls in little room. */
import { createHash } from 'node:crypto';
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import path from 'node:path';
import { traces } from './records.mjs';

export const HOSTS = ['web1', 'web2', 'web3', 'web4', 'web5', 'web6', 'web7', 'web8'];
const SEED = 20_261_126;
const FLUSH = 1 << 20;
const RECIPE = createHash('sha256')
  .update(
    ['hosts.mjs', 'records.mjs', 'random.mjs']
      .map((name) => readFileSync(new URL(name, import.meta.url)))
      .join('\0'),
  )
  .digest('hex')
  .slice(0, 8);

/**
 * A log of each host, made once and kept: of so many calls together, traces going to the hosts in turn.
 * @param {string} root folder of all generated logs
 * @param {{ name: string, calls?: number, bytes?: number, flaws?: boolean }} want
 * @param {(text: string) => void} note told when there is something to wait for
 */
export function hostLogs(root, want, note) {
  const folder = path.join(root, `hosts-${want.name}-${RECIPE}`);
  const facts = path.join(folder, 'facts.json');
  if (!existsSync(facts)) {
    note(`writing ${folder}`);
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder, { recursive: true });
    writeFileSync(`${facts}.new`, JSON.stringify(write(folder, want), null, 2));
    renameSync(`${facts}.new`, facts);
  }
  return {
    ...want,
    folder,
    hostLog: (host) => path.join(folder, `${host}.jsonl`),
    ...JSON.parse(readFileSync(facts, 'utf8')),
  };
}

function write(
  folder,
  { calls: wanted = Number.POSITIVE_INFINITY, bytes = Number.POSITIVE_INFINITY, flaws },
) {
  const logs = HOSTS.map((host) => openLog(path.join(folder, `${host}.jsonl`), host));
  const facts = { calls: 0, runs: 0, torn: 0, judged: 0, flawed: 0, sample: '' };
  let turn = 0;
  for (const { calls } of traces(SEED, flaws)) {
    const log = logs[turn++ % logs.length];
    for (const call of calls.slice(0, wanted - facts.calls)) {
      facts.calls++;
      facts.sample ||= call.session_id;
      log.add(call);
      if (call.kind !== 'fill' || call.final_verdict !== 'accepted') continue;
      if (call.grounded_in_roster !== null) facts.judged++;
      if (call.grounded_in_roster !== true) facts.flawed++;
    }
    if (facts.calls >= wanted || sizeOf(logs) >= bytes) break;
  }
  for (const log of logs) log.close();
  return { ...facts, bytes: sizeOf(logs), replayBytes: 0 };
}

const sizeOf = (logs) => logs.reduce((sum, log) => sum + log.size(), 0);

function openLog(file, host) {
  const handle = openSync(file, 'w', 0o600);
  const seqs = new Map();
  let [text, written] = ['', 0];
  const flush = () => {
    const bytes = Buffer.from(text);
    for (let at = 0; at < bytes.length; ) at += writeSync(handle, bytes, at);
    written += bytes.length;
    text = '';
  };
  return {
    add(call) {
      const writer = `${call.daemon}.${host}`;
      const seq = (seqs.get(writer) ?? 0) + 1;
      seqs.set(writer, seq);
      text += `${JSON.stringify({ ...withoutProse(call), writer_id: writer, seq })}\n`;
      if (text.length > FLUSH) flush();
    },
    size: () => written + text.length,
    close() {
      flush();
      closeSync(handle);
    },
  };
}

/** Whom an artifact names stays: a lake keeps it. */
function withoutProse({ prompt: _, artifact, attempts, ...call }) {
  const { note: __, body: ___, ...kept } = artifact ?? {};
  return {
    ...call,
    attempts: attempts.map(({ prompt: _, raw: __, ...attempt }) => attempt),
    ...(artifact ? { artifact: kept } : {}),
  };
}
