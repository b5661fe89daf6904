import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import {
  closeSync,
  copyFileSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import {
  call,
  envelope,
  equation,
  lakelog,
  newFolder,
  nightly,
  type Ran,
  replayRun,
  start,
  writeLines,
} from '../support/cli.js';

const LINE = 1024;
const LINES = nightly ? 100_000 : 50_000;
const HEAD = '{"schema":"session.iterate.v1","session_id":"';
const NUMBER = 32;

/** Lines of exactly 1 KiB with their terminator; a number of 32 digits makes each its own call. */
const REST = (() => {
  const rest = call({ session_id: '@', prompt: '#' }).split('"@"')[1]!;
  const [before, after] = rest.split('#') as [string, string];
  const padding = LINE - HEAD.length - NUMBER - 1 - before.length - after.length - 1;
  return `"${before}${'p'.repeat(padding)}${after}\n`;
})();
const line = (number: number) => `${HEAD}${String(number).padStart(NUMBER, '0')}${REST}`;

function writeBigFile(file: string, count = LINES): void {
  const fd = openSync(file, 'w');
  for (let from = 0; from < count; from += 1000) {
    writeSync(fd, Array.from({ length: Math.min(1000, count - from) }, (_, i) => line(from + i)).join(''));
  }
  closeSync(fd);
}

/** A process that appends lines, in writes that end anywhere, until it is killed or its parent is gone. */
async function appendTo(file: string, appended: string): Promise<ChildProcess> {
  const child = spawn(
    process.execPath,
    [
      '-e',
      `const fs = require('node:fs');
       const fd = fs.openSync(process.argv[1], 'a');
       const line = process.argv[2];
       let number = 1e9, rest = '';
       setInterval(() => {
         for (let i = 0; i < 40; i++) rest += line.replace('@', String(number++).padStart(32, '0')) + '\\n';
         const cut = rest.length - 300;
         fs.writeSync(fd, rest.slice(0, cut));
         rest = rest.slice(cut);
       }, 1);
       process.stdin.on('end', () => process.exit()).resume();
       process.stdout.write('ready');`,
      file,
      appended,
    ],
    { stdio: ['pipe', 'pipe', 'inherit'] },
  );
  await new Promise((resolve) => child.stdout!.once('data', resolve));
  return child;
}

async function stop(child: ChildProcess): Promise<void> {
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGKILL');
  await ended;
}

function ended(child: ChildProcess & { tmp: string }): Promise<Ran> {
  const out: Buffer[] = [];
  const err: Buffer[] = [];
  child.stdout!.on('data', (chunk: Buffer) => out.push(chunk));
  child.stderr!.on('data', (chunk: Buffer) => err.push(chunk));
  return new Promise((resolve) =>
    child.on('close', (code, signal) =>
      resolve({
        code,
        signal,
        stdout: Buffer.concat(out).toString(),
        stderr: Buffer.concat(err).toString(),
        leftovers: readdirSync(child.tmp),
      }),
    ),
  );
}

const RUNS = nightly ? 5 : 1;
/** The file grows all the time, so more runs need a fresh one. */
const ROUNDS = nightly ? 4 : 1;
const folder = newFolder();
const original = path.join(folder, 'original.jsonl');
writeBigFile(original);
const fresh = (name: string): string => {
  const file = path.join(folder, name);
  copyFileSync(original, file);
  return file;
};

describe('a file that is appended to while it is read', () => {
  const rounds = Array.from({ length: ROUNDS }, (_, i) => i + 1);
  test.each(rounds)(
    `good lines, round %i: ${RUNS} runs end with 0 and count the size they started with`,
    async () => {
      const file = fresh('good.jsonl');
      const appended = line(0).trimEnd().replace('0'.repeat(NUMBER), '@');
      const writer = await appendTo(file, appended);
      try {
        for (let run = 0; run < RUNS; run++) {
          const before = statSync(file).size;
          const ran = await lakelog(['alarm', file, '--json']);
          expect(ran.code, ran.stderr).toBe(0);
          expect(ran.leftovers).toEqual([]);
          const { totals, judged } = envelope(ran).receipt;
          expect(totals.bytes).toBeGreaterThanOrEqual(before);
          expect(totals.bytes).toBeLessThanOrEqual(statSync(file).size);
          expect(totals.loaded).toBe(Math.floor(totals.bytes / LINE));
          expect(totals.pending).toBe(totals.bytes % LINE === 0 ? 0 : 1);
          expect(totals.lines).toBe(totals.loaded + totals.pending);
          expect(judged).toBe(totals.loaded);
        }
      } finally {
        await stop(writer);
        rmSync(file);
      }
    },
  );

  test('violations: exactly those that stand before the size it started with', async () => {
    const file = fresh('violations.jsonl');
    const appended = line(0).trimEnd().replace('0'.repeat(NUMBER), '@').replace(':true', ':null');
    const writer = await appendTo(file, appended);
    try {
      const ran = await lakelog(['alarm', file, '--json']);
      const { receipt, rows } = envelope(ran);
      expect(rows.map((row) => row.line)).toEqual(
        Array.from({ length: receipt.totals.loaded - LINES }, (_, i) => LINES + 1 + i),
      );
      expect(ran.code).toBe(rows.length > 0 ? 3 : 0);
      expect(receipt.judged).toBe(LINES);
    } finally {
      await stop(writer);
      rmSync(file);
    }
  });

  test('replay runs behind a torn line: both formats are read to the same end', async () => {
    const file = fresh('both.jsonl');
    writeFileSync(file, `${replayRun()}\n{"torn\n`, { flag: 'a' });
    const writer = await appendTo(file, replayRun({ session_id: '@' }));
    try {
      const ran = await lakelog(['alarm', file, '--json']);
      const { receipt } = envelope(ran);
      expect(ran.code).toBe(3);
      expect(receipt.calls_loaded).toBe(LINES);
      expect(receipt.totals.rejected).toBe(1);
      expect(receipt.rejects[0]!.first).toBe(`${file}:${LINES + 2}`);
      expect(receipt.replay_runs_loaded).toBe(receipt.totals.lines - LINES - 1 - receipt.totals.pending);
    } finally {
      await stop(writer);
      rmSync(file);
    }
  });
});

describe('a file that is truncated while it is read', () => {
  // From before the process has opened the file to after it has read it.
  const delays = nightly ? Array.from({ length: 60 }, (_, i) => 10 * i) : [0, 200];

  test.each(delays)('after %i ms: the change is named, or the count is honest', async (delay) => {
    const file = fresh(`cut-${delay}.jsonl`);
    const half = (LINES / 2) * LINE + 100;
    const child = start(['alarm', file, '--json']);
    const end = ended(child);
    await sleep(delay);
    truncateSync(file, half);
    const ran = await end;
    rmSync(file);
    expect(ran.signal).toBe(null);
    expect(ran.leftovers).toEqual([]);
    // What changed cannot vouch.
    expect([0, 3]).toContain(ran.code);
    if (ran.code === 3) {
      // Between looking for it and opening it, or later.
      const detail = expect.stringMatching(/^it (was cut in place|changed while it was read)/);
      expect(envelope(ran)).toMatchObject({
        rows: [],
        receipt: {
          files: [],
          problems: [{ path: file, problem: 'unreadable', detail, next: 'run the same command again' }],
        },
      });
      return;
    }
    const { totals, judged } = envelope(ran).receipt;
    expect([`${LINES} = ${LINES} loaded`, `${LINES / 2 + 1} = ${LINES / 2} loaded + 1 pending`]).toContain(
      equation(totals),
    );
    expect(judged).toBe(totals.loaded);
  });
});

/** Runs over `first.jsonl` and a pipe; `change` happens when the first file was read and the pipe was not. */
async function between(cwd: string, args: readonly string[], change: () => void): Promise<Ran> {
  execFileSync('mkfifo', [path.join(cwd, 'pipe.jsonl')]);
  const end = ended(start([...args, 'first.jsonl', 'pipe.jsonl'], { cwd }));
  // Opens only when the reader does, which is after the first file was staged.
  const feeder = spawn('sh', ['-c', 'exec 3> pipe.jsonl; echo open; read _; cat rest.txt >&3'], {
    cwd,
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  await new Promise((resolve) => feeder.stdout.once('data', resolve));
  change();
  feeder.stdin.end('go\n');
  return end;
}

describe('a file that changes after it was read and before the answer', () => {
  const twin = { session_id: 'twin', timestamp: '2025-06-01T08:00:00Z' };

  test('it is truncated and had rejects: nothing is looked up again, and the answer is about what was read', async () => {
    const cwd = newFolder();
    const file = writeLines(cwd, 'first.jsonl', [call(), call(), '{"torn', call()]);
    writeLines(cwd, 'rest.txt', [call()]);
    const ran = await between(cwd, ['alarm', '--json'], () => truncateSync(file, 10));
    expect(ran.code).toBe(3);
    expect(envelope(ran).receipt.rejects).toMatchObject([
      { reason: 'bad_json', first: 'first.jsonl:3', count: 1 },
    ]);
    expect(equation(envelope(ran).receipt.totals)).toBe('5 = 4 loaded + 1 rejected');
  });

  test('it is truncated and all of it was loaded: the answer is about what was read, or the change is named', async () => {
    const cwd = newFolder();
    const file = writeLines(cwd, 'first.jsonl', [
      call(),
      call({ session_id: 'bad', grounded_in_roster: false }),
    ]);
    writeLines(cwd, 'rest.txt', [call()]);
    const ran = await between(cwd, ['alarm', '--json'], () => truncateSync(file, 0));
    expect([1, 3]).toContain(ran.code);
    if (ran.code === 1) expect(envelope(ran).rows).toHaveLength(1);
  });

  test('it is rotated away: a violation is not taken for a copy of another line', async () => {
    const cwd = newFolder();
    const file = writeLines(cwd, 'first.jsonl', [call(twin), call({ ...twin, grounded_in_roster: false })]);
    writeLines(cwd, 'rest.txt', [call()]);
    const ran = await between(cwd, ['alarm', '--json'], () => {
      renameSync(file, `${file}.1`);
      // Two equal lines, each shorter than those that stood in their place.
      const line = call({ session_id: 'x', daemon: undefined });
      writeLines(cwd, 'first.jsonl', [line, line, call()]);
    });
    expect([1, 3]).toContain(ran.code);
    if (ran.code === 1) expect(envelope(ran).rows).toHaveLength(1);
  });

  test('it is rotated away: a reject is explained by its own bytes, or the change is named', async () => {
    const cwd = newFolder();
    const file = writeLines(cwd, 'first.jsonl', [call(), '{"torn', call()]);
    const at = Buffer.byteLength(call()) + 1;
    writeLines(cwd, 'rest.txt', [call()]);
    const ran = await between(cwd, ['validate', '--json'], () => {
      renameSync(file, `${file}.1`);
      writeLines(cwd, 'first.jsonl', [call({ prompt: 'longer' }), call(), call()]);
    });
    expect([2, 3]).toContain(ran.code);
    if (ran.code === 3) {
      expect(envelope(ran).rows).toMatchObject([
        { line: 2, byte_offset: at, detail: expect.stringMatching(/ends inside/) },
      ]);
    }
  });
});
