/** One process of one run: `worker.mjs <json>`; says `ready`, starts when its stdin says so, prints its result. */
import { once } from 'node:events';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout } from 'node:timers/promises';
import { makeRecords } from './records.mjs';
import { TARGETS } from './targets.mjs';

const BURST = 100;
const MAX_BACKLOG = 8 * 1024 * 1024;
const PACED_EVERY_MS = 10;

const job = JSON.parse(process.argv[2]);
const records = makeRecords(1_000);
const target = await TARGETS[job.target](job.path, job);

function nextTurn() {
  return new Promise((resolve) => setImmediate(resolve));
}

/** As fast as it goes, in bursts of one turn of the event loop each. */
async function pour(count) {
  for (let i = 0; i < count; ) {
    for (const end = Math.min(count, i + BURST); i < end; i++) target.append(records[i % records.length]);
    await nextTurn();
    while (target.backlog() > MAX_BACKLOG) await setTimeout(1);
  }
  await target.settle();
}

/** A burst every 10 ms, at `perSecond` over all. */
async function pace(count, perSecond) {
  const burst = Math.round((perSecond * PACED_EVERY_MS) / 1_000);
  const start = performance.now();
  for (let i = 0, turn = 1; i < count; turn++) {
    for (const end = Math.min(count, i + burst); i < end; i++) target.append(records[i % records.length]);
    await setTimeout(start + turn * PACED_EVERY_MS - performance.now());
  }
  await target.settle();
}

await pour(2_000);
process.stdout.write('ready\n');
await once(process.stdin, 'data');
const delay = monitorEventLoopDelay({ resolution: 1 });
delay.enable();
const start = performance.timeOrigin + performance.now();
if (job.perSecond) await pace(job.count, job.perSecond);
else await pour(job.count);
const end = performance.timeOrigin + performance.now();
delay.disable();
await target.close();
process.stdout.write(`${JSON.stringify({ start, end, p99: delay.percentile(99) / 1e6 })}\n`);
process.exit();
