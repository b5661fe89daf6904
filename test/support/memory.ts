import { spawnSync } from 'node:child_process';
import { closeSync, openSync, readFileSync, writeSync } from 'node:fs';
import path from 'node:path';
import { command, newFolder, type SpawnOptions } from './cli.js';

const GNU_TIME = '/usr/bin/time';

/** Whether this machine can measure a process: it needs GNU time. */
export const canMeasure = spawnSync(GNU_TIME, ['-f', '%M', 'true']).status === 0;

export interface Measured {
  readonly code: number | null;
  readonly stderr: string;
  /** Of the largest process among the command and those that it waited for. */
  readonly peakMB: number;
}

/**
 * Runs the built binary and measures it; what it prints is thrown away. GNU time forks from a small process: Linux
 * counts the pages that a parent has at the time of the fork to its child.
 */
export function measured(args: readonly string[], options: SpawnOptions = {}): Measured {
  const { file, args: all, options: spawnOptions } = command(args, options);
  const usage = path.join(newFolder(), 'usage');
  const { status, stderr } = spawnSync(GNU_TIME, ['-q', '-o', usage, '-f', '%M', file, ...all], {
    ...spawnOptions,
    stdio: ['ignore', 'ignore', 'pipe'],
    encoding: 'utf8',
  });
  return { code: status, stderr, peakMB: (Number(readFileSync(usage, 'utf8')) * 1024) / 1e6 };
}

/** Writes a log of about so many bytes. @returns its path and the number of its lines. */
export function writeLog(size: number, line: (number: number) => string): { file: string; lines: number } {
  const file = path.join(newFolder(), 'log.jsonl');
  const fd = openSync(file, 'w');
  let lines = 0;
  for (let written = 0; written < size; ) {
    const some: string[] = [];
    for (let bytes = 0; bytes < 1 << 20 && written + bytes < size; bytes += some.at(-1)!.length)
      some.push(`${line(++lines)}\n`);
    written += writeSync(fd, some.join(''));
  }
  closeSync(fd);
  return { file, lines };
}
