/**
 * From a model's answer to a row, for real: validatord with a scripted model endpoint, 200 calls of every ending,
 * and `lakelog alarm` on what was written. Each probe prints one line of TAP; exit 0 when all of them hold.
 *
 *     node test/support/smoke.mjs [--package DIR] [--keep DIR]
 *
 * --package: the built package to run (default: this one); --keep: leave the files in that new folder.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { startDaemon } from './daemon.mjs';
import { startScriptedModel } from './scripted-model.mjs';

const { values: options } = parseArgs({ options: { package: { type: 'string' }, keep: { type: 'string' } } });
const packageRoot = options.package ?? path.resolve(import.meta.dirname, '../..');
const folder = path.resolve(options.keep ?? mkdtempSync(path.join(tmpdir(), 'lakelog-smoke-')));
mkdirSync(folder, { recursive: true });

const rosterPath = path.join(folder, 'roster.csv');
const configPath = path.join(folder, 'validatord.toml');
const CLEAN = path.join(folder, 'clean/sessions.jsonl');
const BYPASSED = path.join(folder, 'bypassed/sessions.jsonl');
const ROSTER = 'worker_id,name,active\nW-0001,Ann,yes\nW-0002,Bo,yes\nW-0003,Cy,yes\nW-0009,Di,no\n';

const model = await startScriptedModel(() => replaceRoster(ROSTER.replace('Bo,yes', 'Bo,no')));

/** By a rename, so that the daemon never reads half of it. */
function replaceRoster(text) {
  writeFileSync(`${rosterPath}.new`, text);
  renameSync(`${rosterPath}.new`, rosterPath);
}

let probes = 0;
let failures = 0;

function probe(what, holds, seen) {
  probes++;
  if (!holds) failures++;
  print(`${holds ? 'ok' : 'not ok'} ${probes} - ${what}`);
  if (!holds) print(`# saw ${JSON.stringify(seen)}`);
}

function print(line) {
  process.stdout.write(`${line}\n`);
}

function startWith({ log, rule }) {
  writeFileSync(
    configPath,
    `[validatord]
listen = "127.0.0.1:0"
session_log_path = ${JSON.stringify(log)}
daemon = "smoke"
[validatord.roster]
path = "roster.csv"
[validatord.model]
url = "${model.url}"
name = "scripted"
[validatord.kinds]
fill = "${rule}"
email = "text"
`,
  );
  return startDaemon(packageRoot, configPath);
}

const post = (daemon, scene, { kind = 'fill', trace } = {}) =>
  fetch(`${daemon.url}/v1/iterate`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...(trace ? { 'X-Lakehouse-Trace-Id': trace } : {}) },
    body: JSON.stringify({ kind, prompt: `[${scene}] Fill contract C-1.` }),
  });

/** How many calls ended with which status: `count` calls, eight at a time. */
async function drive(daemon, count, scene, options) {
  const statuses = {};
  let left = count;
  const worker = async () => {
    while (left-- > 0) {
      const response = await post(daemon, scene, options);
      await response.arrayBuffer();
      statuses[response.status] = (statuses[response.status] ?? 0) + 1;
    }
  };
  await Promise.all(Array.from({ length: 8 }, worker));
  return statuses;
}

const only = (statuses, status, count) => JSON.stringify(statuses) === JSON.stringify({ [status]: count });

function lakelog(...args) {
  const bin = path.join(packageRoot, 'bin/lakelog.js');
  const { status, stdout, stderr } = spawnSync(process.execPath, [bin, ...args], { encoding: 'utf8' });
  return { status, stdout, stderr };
}

const recordsOf = (log) =>
  readFileSync(log, 'utf8')
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line));

async function cleanPart() {
  const daemon = await startWith({ log: CLEAN, rule: 'fill' });
  probe(
    'validatord announces its session log and listens on loopback only',
    daemon.stderr().includes(`session log: ${CLEAN}\n`) && daemon.url.startsWith('http://127.0.0.1:'),
    daemon.stderr(),
  );
  const health = await (await fetch(`${daemon.url}/healthz`)).json();
  probe('healthz shows roster and log', health.status === 'ok' && health.roster.workers === 4, health);

  const trace = 'c0ffee'.padStart(32, '0');
  const traced = await post(daemon, 'good', { trace });
  const answer = await traced.json();
  const asked = model.asked.at(-1).headers['x-lakehouse-trace-id'];
  probe(
    'the trace header comes back and goes on to the model',
    traced.headers.get('x-lakehouse-trace-id') === trace && answer.session_id === trace && asked === trace,
    { answer, asked },
  );

  const good = await drive(daemon, 79, 'good');
  const retried = await drive(daemon, 30, 'retry');
  const emails = await drive(daemon, 10, 'text', { kind: 'email' });
  probe(
    '119 more calls are accepted, 30 of them after a phantom worker was fed back, 10 of a kind that is not gated',
    only(good, 200, 79) && only(retried, 200, 30) && only(emails, 200, 10),
    { good, retried, emails },
  );
  const exhausted = await drive(daemon, 30, 'phantom');
  probe('30 calls run out of tries', only(exhausted, 422, 30), exhausted);
  const failed = await drive(daemon, 19, 'down');
  probe('19 calls end in an infra error', only(failed, 502, 19), failed);

  const waiting = post(daemon, 'wait');
  const before = model.asked.length;
  while (model.asked.length === before) await new Promise((resolve) => setTimeout(resolve, 5));
  daemon.kill('SIGTERM');
  model.release();
  const last = await waiting;
  const { code } = await daemon.ended;
  probe('SIGTERM: the call in flight is answered, then exit 0', last.status === 200 && code === 0, {
    status: last.status,
    code,
  });

  const records = recordsOf(CLEAN);
  const mode = (statSync(CLEAN).mode & 0o777).toString(8);
  probe(
    'each of the 170 calls is one line, in a file of mode 600',
    records.length === 170 && mode === '600',
    {
      lines: records.length,
      mode,
    },
  );
  const validated = lakelog('validate', CLEAN);
  probe('lakelog validate loads every line', validated.status === 0, validated);
  const alarm = lakelog('alarm', '--json', CLEAN);
  const { verdict, receipt } = JSON.parse(alarm.stdout);
  probe(
    'lakelog alarm on the clean part: exit 0, 111 fills judged',
    alarm.status === 0 && receipt.judged === 111,
    { status: alarm.status, verdict, judged: receipt.judged },
  );
}

async function bypassedPart() {
  const daemon = await startWith({ log: BYPASSED, rule: 'fill' });
  const good = await drive(daemon, 20, 'good');
  const left = {};
  for (let i = 0; i < 5; i++) {
    const { status } = await post(daemon, 'leaver');
    left[status] = (left[status] ?? 0) + 1;
    replaceRoster(ROSTER);
  }
  daemon.kill('SIGTERM');
  await daemon.ended;
  probe(
    'a worker who leaves between validation and stamp: 5 fills are withheld with 409',
    only(good, 200, 20) && only(left, 409, 5),
    { good, left },
  );
  const careless = await startWith({ log: BYPASSED, rule: 'json' });
  const phantoms = await drive(careless, 5, 'phantom');
  careless.kill('SIGTERM');
  await careless.ended;
  probe('a fill that no validator saw: 5 are withheld with 409', only(phantoms, 409, 5), phantoms);

  const alarm = lakelog('alarm', '--json', BYPASSED);
  const { rows } = JSON.parse(alarm.stdout);
  probe(
    'lakelog alarm on the bypassed part: exit 1, those 10 calls',
    alarm.status === 1 && rows.length === 10,
    {
      status: alarm.status,
      rows: rows.length,
    },
  );
  const both = lakelog('alarm', CLEAN, BYPASSED);
  const lines = recordsOf(CLEAN).length + recordsOf(BYPASSED).length;
  probe('200 calls in all, and the clean part hides nothing: exit 1', both.status === 1 && lines === 200, {
    status: both.status,
    lines,
  });
}

try {
  replaceRoster(ROSTER);
  await cleanPart();
  await bypassedPart();
} finally {
  await model.close();
  if (options.keep) print(`# what was written is in ${folder}`);
  else rmSync(folder, { recursive: true, force: true });
}
print(`1..${probes}`);
process.exitCode = failures === 0 ? 0 : 1;
