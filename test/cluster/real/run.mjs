/**
 * `npm run cluster [-- --small] [--size 300MB] [NAME…]`: starts a Trino of three nodes, has the tests `*.real.ts` beside
 * this file (those of these names) ask it, and stops it, however it ends. Exit 1 where an answer differs or a damage goes
 * unnoticed; 3 where no cluster can be had here, so that nothing was compared.
 */
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { findJava, freePort, install, originOf, startNodes, Unavailable } from './nodes.mjs';

const NOT_RUN = 3;
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { small: { type: 'boolean', default: false }, size: { type: 'string', default: '300MB' } },
});
/** Of the small form, where none are named. */
const SMALL = ['equal.real', 'gates.real'];
const names = values.small && positionals.length === 0 ? SMALL : positionals;
const megabytes = values.small ? 0 : Number.parseInt(values.size, 10);
const note = (text) => process.stdout.write(`cluster: ${text}\n`);

/** What is stopped and removed at the end. */
const undo = [];
const cleanUp = async () => {
  while (undo.length > 0) await undo.pop()();
};
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'])
  process.once(signal, () => cleanUp().then(() => process.kill(process.pid, signal)));

/** @returns its exit code. */
function runTests(cluster, work) {
  const vitest = path.join(
    path.dirname(createRequire(import.meta.url).resolve('vitest/package.json')),
    'vitest.mjs',
  );
  const config = path.join(import.meta.dirname, 'vitest.config.ts');
  const temporary = path.join(work, 'tmp');
  mkdirSync(temporary);
  const child = spawn(process.execPath, [vitest, 'run', '--config', config, ...names], {
    stdio: ['ignore', 'inherit', 'inherit'],
    env: { ...process.env, TMPDIR: temporary, LAKELOG_CLUSTER: JSON.stringify(cluster) },
    // A group of its own, so that its workers are stopped with it.
    detached: true,
  });
  const ended = new Promise((resolve) => child.once('exit', (code) => resolve(code ?? 1)));
  undo.push(async () => {
    if (child.exitCode === null && child.signalCode === null) process.kill(-child.pid, 'SIGKILL');
    await ended;
  });
  return ended;
}

async function main() {
  const java = findJava();
  const home = install(note);
  const port = await freePort();
  const work = mkdtempSync(path.join(os.tmpdir(), 'lakelog-cluster-'));
  undo.push(() => rmSync(work, { recursive: true, force: true }));
  const lakes = path.join(work, 'lakes');
  mkdirSync(lakes);
  const nodes = startNodes({ home, java, work, lakes, port });
  undo.push(nodes.stop);
  const cluster = { origin: originOf(port), lakes, nodes: nodes.folders, isFull: !values.small, megabytes };
  return runTests(cluster, work);
}

try {
  process.exitCode = await main();
} catch (error) {
  if (!(error instanceof Unavailable)) throw error;
  note(`NOT RUN: ${error.message}`);
  process.exitCode = NOT_RUN;
} finally {
  await cleanUp();
}
