/**
 * `npm run cluster [-- --size 300MB] [--full | --damage]`: publishes the fixtures and generated logs of eight hosts into a folder, asks a
 * Trino of three nodes and DuckDB over the same folder the same, does damage, and stops what it started. Exit 1 where an
 * answer differs, or a damage is not noticed.
 */
import { spawn, spawnSync } from 'node:child_process';
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { traces } from '../../../bench/records.mjs';
import { findJava, install, ORIGIN, startNodes, statement, stopNode, untilActive } from './nodes.mjs';

const root = path.resolve(import.meta.dirname, '../../..');
const say = (text) => process.stdout.write(`${text}\n`);
const began = Date.now();
const note = (text) => say(`${((Date.now() - began) / 1000).toFixed(0).padStart(4)} s  ${text}`);

const sizeAt = process.argv.indexOf('--size');
const bytes = sizeAt < 0 ? 0 : Number.parseInt(process.argv[sizeAt + 1], 10) << 20;
const work = mkdtempSync(path.join(os.tmpdir(), 'lakelog-cluster-'));
const lakes = path.join(work, 'lakes');
mkdirSync(lakes);
/** Each fixture by itself too. */
const isFull = process.argv.includes('--full');
/** Nothing but that. */
const isDamage = process.argv.includes('--damage');
let failures = 0;
const failed = (text) => {
  failures++;
  note(`FAILED: ${text}`);
};

function lakelog(args, env = {}) {
  const start = process.hrtime.bigint();
  const ran = spawnSync(process.execPath, [path.join(root, 'bin/lakelog.js'), ...args], {
    cwd: work,
    encoding: 'utf8',
    maxBuffer: 1 << 30,
    env: { ...process.env, NO_COLOR: '1', ...env },
  });
  return {
    code: ran.status,
    stdout: ran.stdout,
    stderr: ran.stderr,
    ms: Number(process.hrtime.bigint() - start) / 1e6,
  };
}

const trinoOf = (name) => `${ORIGIN.replace('http', 'trino').replace('//', '//ci@')}/hive/${name}`;

function publish(name, host, logs) {
  const { code, stderr } = lakelog(['sync', '--lake', `${path.join(lakes, name)}/`, '--host', host, ...logs]);
  if (code !== 0 && code !== 3) throw new Error(`sync of ${host} ended with ${code}: ${stderr}`);
}

function generate(host, size) {
  const folder = path.join(work, 'logs', host);
  mkdirSync(folder, { recursive: true });
  const [calls, runs] = [[], []];
  let written = 0;
  for (const trace of traces(host.length * 7 + Number(host.at(-1)))) {
    for (const call of trace.calls) {
      const line = JSON.stringify({
        ...call,
        session_id: `${host}-${call.session_id}`,
        ...(call.call_id ? { call_id: `${host}-${call.call_id}` } : {}),
        ...(call.writer_id ? { writer_id: `${host}-${call.writer_id}` } : {}),
      });
      written += line.length + 1;
      calls.push(line);
    }
    for (const run of trace.runs)
      runs.push(JSON.stringify({ ...run, session_id: `${host}-${run.session_id}` }));
    if (written >= size) break;
  }
  writeFileSync(path.join(folder, 'sessions.jsonl'), `${calls.join('\n')}\n`);
  writeFileSync(path.join(folder, 'replay_runs.jsonl'), `${runs.join('\n')}\n`);
  return [folder];
}

async function declare(name) {
  const { stdout } = lakelog(['schema', '--dialect', 'trino', '--lake', `local:///${name}`]);
  const text = stdout.replaceAll('lakelog', name);
  for (const one of text.split(/;\n/)) {
    const sql = one.replaceAll(/^--.*$/gm, '').trim();
    if (sql !== '') await statement(sql, name);
  }
}

const QUESTIONS = [
  ['alarm'],
  ['alarm', '--gated-kind', 'email', '--gated-kind', 'fill', '--allow-unjudged'],
  ['alarm', '--since', '2026-09-05', '--tz', 'Europe/Berlin', '--model', 'gpt-4.1'],
  ['corpus'],
  ['corpus', '--by', 'week,kind', '--tz', 'America/St_Johns'],
  ['first-shot-rate'],
  ['first-shot-rate', '--by', 'model,day,hour,month', '--tz', 'Asia/Kathmandu'],
  ['first-shot'],
  ['rejections', '--top', '99'],
  ['retries'],
  ['triple-rejections', '--streak', '1', '--count-no-candidate'],
];

const rowsIn = (ran) =>
  JSON.stringify(JSON.parse(ran.stdout).rows, (_, value) =>
    typeof value === 'number' && !Number.isInteger(value) ? Number(value.toPrecision(10)) : value,
  );

function compare(name) {
  for (const question of QUESTIONS) {
    const here = lakelog([...question, '--json', '--lake', `${path.join(lakes, name)}/`]);
    const there = lakelog([...question, '--json', '--lake', trinoOf(name)]);
    const words = `${name}: ${question.join(' ')}`;
    if (there.code !== here.code)
      failed(
        `${words} ends with ${there.code}, over the folder with ${here.code}: ${there.stderr.slice(0, 600)}`,
      );
    else if (rowsIn(there) !== rowsIn(here)) failed(`${words} has other rows`);
    else
      note(
        `${words}: ${JSON.parse(there.stdout).rows.length} rows alike, exit ${there.code}; ${there.ms.toFixed(0)} ms, over the folder ${here.ms.toFixed(0)} ms`,
      );
  }
}

/** No damage may be clear. */
async function damage(name) {
  const lake = path.join(lakes, name);
  const files = readdirSync(path.join(lake, 'base_calls'), { recursive: true }).filter((one) =>
    one.endsWith('.parquet'),
  );
  const file = path.join(lake, 'base_calls', files[0]);
  const receipt = path.join(lake, 'batches', readdirSync(path.join(lake, 'batches'))[0]);
  const cases = {
    'a file is missing': () => rmSync(file),
    'a file is cut': () => writeFileSync(file, readFileSync(file).subarray(0, statSync(file).size >> 1)),
    'a file stands there twice': () => cpSync(file, file.replace('.parquet', 'x.parquet')),
    'a receipt is missing': () => rmSync(receipt),
    'a receipt is edited': () =>
      writeFileSync(receipt, readFileSync(receipt, 'utf8').replace(/"loaded":\d+/, '"loaded":1')),
    'a receipt stands there twice': () => cpSync(receipt, receipt.replace('.json', 'x.json')),
  };
  for (const [what, spoil] of Object.entries(cases)) {
    cpSync(lake, `${lake}.kept`, { recursive: true });
    spoil();
    const ran = lakelog(['alarm', '--lake', trinoOf(name)]);
    const told = ran.stderr.split('\n')[0];
    if (![1, 2, 3].includes(ran.code)) failed(`${what}: ended with ${ran.code}`);
    else note(`${what}: exit ${ran.code}: ${told.slice(0, 160)}`);
    rmSync(lake, { recursive: true });
    cpSync(`${lake}.kept`, lake, { recursive: true });
    rmSync(`${lake}.kept`, { recursive: true });
  }
}

/** @returns the end of an alarm that runs while something else happens. */
function alarmWhile(name, afterMs, act) {
  const args = [path.join(root, 'bin/lakelog.js'), 'alarm', '--json', '--lake', trinoOf(name)];
  const child = spawn(process.execPath, args, { cwd: work, stdio: ['ignore', 'pipe', 'pipe'] });
  let err = '';
  child.stderr.on('data', (chunk) => {
    err += chunk;
  });
  child.stdout.resume();
  setTimeout(act, afterMs);
  return new Promise((resolve) => child.on('exit', (code) => resolve({ code, err })));
}

const java = findJava();
const home = install(note);
const cluster = startNodes(home, java, work, lakes);
for (const signal of ['SIGINT', 'SIGTERM'])
  process.once(signal, async () => {
    await cluster.stop();
    process.exit(2);
  });
try {
  for (const scenario of ['healthy', 'alarm', 'messy']) {
    const logs = ['sessions.jsonl', 'replay_runs.jsonl'].map((name) =>
      path.join(root, 'fixtures', scenario, name),
    );
    publish(scenario, `host-${scenario}`, logs);
    publish('all', `host-${scenario}`, logs);
  }
  if (bytes > 0) {
    for (let i = 0; i < 8; i++) publish('big', `web${i}`, generate(`web${i}`, bytes / 8));
    note('published the generated logs of eight hosts');
  }
  await untilActive(2, note);
  note('a coordinator and two workers are active');
  const names = ['healthy', 'alarm', 'messy', 'all', ...(bytes > 0 ? ['big'] : [])];
  for (const name of names) await declare(name);
  note('tables are declared');
  for (const name of isDamage ? [] : names) if (isFull || name === 'all' || name === 'big') compare(name);
  await damage('healthy');
  const asked = names.at(-1);
  const killed = await alarmWhile(asked, 1_500, () => cluster.nodes[2].kill('SIGKILL'));
  note(
    `a worker is killed while the alarm runs: exit ${killed.code} ${killed.err.split('\n')[0].slice(0, 160)}`,
  );
  const whole = lakelog(['alarm', '--lake', `${path.join(lakes, asked)}/`]).code;
  if (killed.code !== whole && ![1, 2, 3].includes(killed.code)) failed('a lost worker gave a clear answer');
  const gone = await alarmWhile('healthy', 1_000, () => cluster.nodes[0].kill('SIGKILL'));
  note(`the coordinator is killed: exit ${gone.code} ${gone.err.split('\n')[0].slice(0, 160)}`);
  if (gone.code !== 3) failed('a lost coordinator did not end with 3');
} catch (error) {
  failed(error.stack);
} finally {
  await Promise.all(cluster.nodes.map(stopNode));
  if (failures === 0) rmSync(work, { recursive: true, force: true });
  else note(`kept: ${work}`);
}
note(failures === 0 ? 'all alike, every damage noticed' : `${failures} failures`);
process.exitCode = failures === 0 ? 0 : 1;
