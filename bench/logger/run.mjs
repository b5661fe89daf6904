/**
 * Compares SessionLogger.append with pino, sonic-boom and fs.appendFile: `node bench/logger/run.mjs [--help]`.
 *
 * Two loads, each in its own processes: as fast as it goes (records per second, until the last byte is in the
 * file), and the same modest pace for all (delay of the event loop, p99, less what the load costs without any
 * logger). Runs alternate between the targets; medians are printed, then everything as JSON.
 */
import { spawn } from 'node:child_process';
import { createReadStream, mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import os from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { build } from 'esbuild';
import { makeRecords } from './records.mjs';
import { TARGETS } from './targets.mjs';

const { values: options } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    count: { type: 'string', default: '30000' },
    pace: { type: 'string', default: '5000' },
    seconds: { type: 'string', default: '6' },
    processes: { type: 'string', default: '1,4' },
    targets: { type: 'string', default: Object.keys(TARGETS).join(',') },
    dir: { type: 'string', default: os.tmpdir() },
    help: { type: 'boolean', default: false },
  },
});
if (options.help) {
  process.stdout.write(`node bench/logger/run.mjs
  --rounds N      runs of each target, 5
  --count N       records per process of the fast load, 30000
  --pace N        records per second and process of the paced load, 5000
  --seconds N     length of the paced load, 6: in a shorter one the 99th percentile is that of code still being compiled
  --processes A,B processes that write to one file, 1,4
  --targets A,B   ${Object.keys(TARGETS).join(', ')}
  --dir DIR       where the files go: the disk that is measured
`);
  process.exit();
}

const WARM_UP = 2_000;
const here = path.dirname(fileURLToPath(import.meta.url));
const scratch = mkdtempSync(path.join(options.dir, 'lakelog-bench-'));
const logger = path.join(scratch, 'log.mjs');
await build({
  entryPoints: [path.join(here, '../../src/log/index.ts')],
  bundle: true,
  platform: 'node',
  target: 'node20',
  format: 'esm',
  outfile: logger,
});

const targets = options.targets.split(',');
const rounds = Number(options.rounds);
const loads = [
  { name: 'fast', count: Number(options.count) },
  { name: 'paced', count: Number(options.pace) * Number(options.seconds), perSecond: Number(options.pace) },
];
const samples = [];
try {
  for (const processes of options.processes.split(',').map(Number)) {
    for (const load of loads) {
      for (let round = 0; round < rounds; round++) {
        for (let i = 0; i < targets.length; i++) {
          const target = targets[(i + round) % targets.length];
          if (load.name === 'fast' && target === 'nothing') continue;
          samples.push({ processes, load: load.name, target, ...(await run(target, processes, load)) });
          process.stderr.write('.');
        }
      }
    }
  }
} finally {
  rmSync(scratch, { recursive: true });
}
process.stderr.write('\n');
print(summaries());

/** One run of all processes on one file; refuses a file in which a line is missing. */
async function run(target, processes, load) {
  const file = path.join(scratch, 'log.jsonl');
  rmSync(file, { force: true });
  const workers = Array.from({ length: processes }, () =>
    startWorker({ target, path: file, logger, ...load }),
  );
  await Promise.all(workers.map((worker) => worker.ready));
  for (const worker of workers) worker.go();
  const results = await Promise.all(workers.map((worker) => worker.result));
  const expected = target === 'nothing' ? 0 : processes * (load.count + WARM_UP);
  const lines = target === 'nothing' ? 0 : await countLines(file);
  if (lines !== expected) throw new Error(`${target}: ${lines} lines instead of ${expected}`);
  const start = Math.min(...results.map((result) => result.start));
  const end = Math.max(...results.map((result) => result.end));
  return {
    perSecond: (processes * load.count) / ((end - start) / 1_000),
    p99: Math.max(...results.map((result) => result.p99)),
  };
}

function startWorker(job) {
  const child = spawn(process.execPath, [path.join(here, 'worker.mjs'), JSON.stringify(job)], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const next = async () => {
    const { value, done } = await lines.next();
    if (done) throw new Error(`${job.target}: the process ended early`);
    return value;
  };
  const ready = next();
  return { ready, go: () => child.stdin.end('go\n'), result: ready.then(next).then(JSON.parse) };
}

/** Lines that are not blank: lakelog starts a new one where another process seems to have left half a line. */
async function countLines(file) {
  let lines = 0;
  let last = 10;
  for await (const chunk of createReadStream(file)) {
    for (const byte of chunk) {
      if (byte === 10 && last !== 10) lines++;
      last = byte;
    }
  }
  return lines;
}

function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

function summaries() {
  const pick = (processes, load, target, value) =>
    median(
      samples
        .filter((one) => one.processes === processes && one.load === load && one.target === target)
        .map((one) => one[value]),
    );
  return options.processes
    .split(',')
    .map(Number)
    .flatMap((processes) =>
      targets
        .filter((target) => target !== 'nothing')
        .map((target) => ({
          processes,
          target,
          records_per_second: Math.round(pick(processes, 'fast', target, 'perSecond')),
          paced_added_p99_ms:
            pick(processes, 'paced', target, 'p99') - pick(processes, 'paced', 'nothing', 'p99'),
        })),
    );
}

function print(results) {
  const machine = {
    cpu: os.cpus()[0]?.model,
    cores: os.cpus().length,
    memory_gib: Math.round(os.totalmem() / 2 ** 30),
    os: `${os.type()} ${os.release()}`,
    node: process.version,
    ...Object.fromEntries(['pino', 'sonic-boom'].map((name) => [name, versionOf(name)])),
    record_bytes: Buffer.byteLength(JSON.stringify(makeRecords(1)[0])),
    rounds,
    pace: loads[1].perSecond,
  };
  const rows = [
    ['processes', 'target', 'records/s', `p99 added at ${loads[1].perSecond}/s`],
    ...results.map((result) => [
      String(result.processes),
      result.target,
      result.records_per_second.toLocaleString('en'),
      `${result.paced_added_p99_ms.toFixed(2)} ms`,
    ]),
  ];
  const widths = rows[0].map((_, i) => Math.max(...rows.map((row) => row[i].length)));
  for (const row of rows) {
    const cells = row.map((cell, i) => (i === 1 ? cell.padEnd(widths[i]) : cell.padStart(widths[i])));
    process.stdout.write(`${cells.join('  ').trimEnd()}\n`);
  }
  process.stdout.write(`\n${JSON.stringify({ machine, results, samples }, null, 2)}\n`);
}

function versionOf(name) {
  return createRequire(import.meta.url)(`${name}/package.json`).version;
}
