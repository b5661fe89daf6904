/**
 * Makes fixtures/<scenario>/{sessions,replay_runs}.jsonl with the logger, and fixtures/roster.csv, the same bytes every
 * time.
 *
 *   node test/support/make-fixtures.mjs [--out DIR] [--logger FILE] [--explain]
 *
 * --out      where the scenarios go (default: fixtures)
 * --logger   the built logger (default: dist/log.js)
 * --explain  also say what each line of `messy` is
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { playMonth, ROSTER, stranger } from './fixtures/coordinator.mjs';
import { messyReplayRuns, messySessions } from './fixtures/messy.mjs';
import { seeded } from './fixtures/random.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));
const { values: options } = parseArgs({
  options: {
    out: { type: 'string', default: join(root, 'fixtures') },
    logger: { type: 'string', default: join(root, 'dist', 'log.js') },
    explain: { type: 'boolean', default: false },
  },
});
const { SessionLogger, ReplayLogger, buildSessionRecord, buildReplayRecord } = await import(
  pathToFileURL(resolve(options.logger)).href
);

function must(written) {
  if (!written) throw new Error('the logger dropped a record');
}

/** Plays a month into `folder`; `retouch` may change the calls before they are written. */
async function write(folder, seed, callCount, retouch = () => {}) {
  const random = seeded(seed);
  const { calls, runs } = playMonth(random, callCount);
  retouch(calls, random);
  let now;
  const surroundings = {
    clock: () => now,
    ids: () => random.uuid(),
    onError: (error) => {
      throw error;
    },
  };
  const sessions = freshFile(folder, 'sessions.jsonl');
  const sessionLog = new SessionLogger(sessions, surroundings);
  const seqs = new Map();
  for (const { at, writer, input } of calls) {
    now = at;
    const seq = (seqs.get(writer) ?? 0) + 1;
    seqs.set(writer, seq);
    must(sessionLog.append(buildSessionRecord({ ...input, writerId: writer, seq })));
  }
  await sessionLog.close();
  const replays = freshFile(folder, 'replay_runs.jsonl');
  const replayLog = new ReplayLogger(replays, surroundings);
  for (const { at, input } of runs) {
    now = at;
    must(replayLog.append(buildReplayRecord(input)));
  }
  await replayLog.close();
  return { sessions, replays, random };
}

function freshFile(folder, name) {
  mkdirSync(folder, { recursive: true });
  const path = join(folder, name);
  rmSync(path, { force: true });
  return path;
}

function healthy(folder) {
  return write(folder, 20260901, 400);
}

/** 3 accepted fills name people nobody hired, 2 are stamped null and 2 not at all. */
function alarm(folder) {
  return write(folder, 20260902, 60, (calls, random) => {
    const fills = calls.filter(({ input }) => input.kind === 'fill' && input.outcome === 'accepted');
    const [a, b, c, d, e, f, g] = random.sample(fills, 7).map(({ input }) => input);
    for (const fill of [a, b, c]) {
      const worker = stranger(random);
      fill.artifact.assignments[0].worker = worker;
      fill.proposedWorkerIds = [worker, ...fill.proposedWorkerIds.slice(1)];
      fill.attempts.at(-1).raw = JSON.stringify(fill.artifact);
      fill.groundedInRoster = false;
    }
    for (const fill of [d, e]) fill.groundedInRoster = null;
    for (const fill of [f, g]) delete fill.groundedInRoster;
  });
}

async function messy(folder) {
  const scratch = mkdtempSync(join(tmpdir(), 'lakelog-fixtures-'));
  try {
    const { sessions, replays, random } = await write(scratch, 20260903, 24);
    const good = linesOf(sessions);
    const goodRuns = linesOf(replays);
    const files = {
      'sessions.jsonl': messySessions(good, goodRuns[0], random),
      'replay_runs.jsonl': messyReplayRuns(goodRuns.slice(1, 9), good[0], random),
    };
    for (const [name, pieces] of Object.entries(files)) {
      writeFileSync(
        freshFile(folder, name),
        Buffer.concat(pieces.flatMap(([, line, end]) => [Buffer.from(line), Buffer.from(end)])),
      );
      if (options.explain) {
        const account = pieces.map(([what], i) => `${name}:${i + 1}\t${what}\n`).join('');
        process.stdout.write(account);
      }
    }
  } finally {
    rmSync(scratch, { recursive: true });
  }
}

function linesOf(path) {
  return readFileSync(path, 'utf8').trimEnd().split('\n');
}

function empty(folder) {
  for (const name of ['sessions.jsonl', 'replay_runs.jsonl']) writeFileSync(freshFile(folder, name), '');
}

/** Somebody who was proposed, and whom no roster should have let pass. */
const NEVER_HIRED = 'W-0423';

function roster(file) {
  const workers = ROSTER.filter((id) => id !== NEVER_HIRED);
  writeFileSync(file, `worker_id,active\n${workers.map((id) => `${id},yes\n`).join('')}`);
}

roster(join(resolve(options.out), 'roster.csv'));
for (const [name, make] of Object.entries({ healthy, alarm, messy, empty }))
  await make(join(resolve(options.out), name));
