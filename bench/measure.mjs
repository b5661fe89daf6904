import { spawnSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';

const GNU_TIME = '/usr/bin/time';

/**
 * Runs whole processes and measures them. CPU time and peak memory come from wait4(2) by way of GNU time, which forks
 * from a process of 2 MB: Linux counts the parent's pages at the time of the fork to the child, and this one has 60 MB.
 * CPU time is the sum over the command and those it waited for, to 10 ms; peak memory is the largest of them.
 */
export function openStopwatch() {
  const scratch = mkdtempSync(path.join(os.tmpdir(), 'lakelog-bench-'));
  const files = {
    out: path.join(scratch, 'out'),
    err: path.join(scratch, 'err'),
    usage: path.join(scratch, 'usage'),
  };
  const hasTime = spawnSync(GNU_TIME, ['-f', '%M', 'true']).status === 0;

  /**
   * @param {readonly string[]} command program and arguments
   * @param {{ piped?: string, env?: Record<string, string> }} [how] `piped`: a file that a `cat`, whose own CPU time is
   * not counted, sends through a pipe to its stdin; `env`: beside that of this process
   */
  function run(command, { piped, env } = {}) {
    const timed = hasTime ? [GNU_TIME, '-q', '-o', files.usage, '-f', '%M %U %S', ...command] : command;
    const [program, ...args] = piped ? ['sh', '-c', 'cat "$0" | "$@"', piped, ...timed] : timed;
    const out = openSync(files.out, 'w');
    const err = openSync(files.err, 'w');
    const started = process.hrtime.bigint();
    const { status, signal, error } = spawnSync(program, args, {
      cwd: scratch,
      stdio: ['ignore', out, err],
      env: { ...process.env, ...env },
    });
    const ms = Number(process.hrtime.bigint() - started) / 1e6;
    closeSync(out);
    closeSync(err);
    if (error) throw error;
    const [kilobytes, user, system] = hasTime
      ? readFileSync(files.usage, 'utf8').trim().split(' ').map(Number)
      : [];
    return {
      ms,
      peakMB: kilobytes === undefined ? null : (kilobytes * 1024) / 1e6,
      cpuMs: user === undefined ? null : (user + system) * 1000,
      exit: signal ?? status,
      stdout: () => readFileSync(files.out, 'utf8'),
      stderr: () => readFileSync(files.err, 'utf8'),
    };
  }
  return { run, scratch, hasTime, close: () => rmSync(scratch, { recursive: true, force: true }) };
}

export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}
