import { execFileSync, spawnSync } from 'node:child_process';
import path from 'node:path';
import { command, newFolder, type SpawnOptions } from './cli.js';

export function has(tool: string): boolean {
  return spawnSync('sh', ['-c', `command -v ${tool}`]).status === 0;
}

/** Whether this machine can stand in for a terminal: it needs script and stty of util-linux. */
export const terminals = process.platform === 'linux' && has('script') && has('stty');

const quoted = (word: string) => `'${word.replaceAll("'", "'\\''")}'`;

/** The words of a line are a shell's affair, and what is made of them is that of the program. */
export function wordsOf(line: string, cwd: string): string[] {
  const printed = execFileSync('bash', ['-c', `printf '%s\\0' ${line}`], { cwd, encoding: 'utf8' });
  return printed.split('\0').slice(1, -1);
}

/** Whether a line needs more of a shell than its words. */
export const needsShell = (line: string) => /[|>&;]|\$\(/.test(line.replaceAll(/'[^']*'|"[^"]*"/g, ''));

/** Runs a shell line in which `lakelog` and `validatord` are the built binaries, without a terminal. */
export function inShell(line: string, options: SpawnOptions = {}) {
  const { file, args, options: spawnOptions } = command([], options);
  const functions = ['lakelog', 'validatord'].map(
    (name) => `${name}() { ${quoted(file)} ${quoted(args[0]!.replace('lakelog.js', `${name}.js`))} "$@"; }`,
  );
  const ran = spawnSync('bash', ['-c', [...functions, line].join('\n')], {
    ...spawnOptions,
    encoding: 'utf8',
  });
  const { status: code, signal, stdout, stderr } = ran;
  return { code, signal, stdout, stderr, text: stdout + stderr };
}

/** What a terminal shows in the end: progress of a run that was slow is gone then. */
export const withoutProgress = (text: string) => text.replace(/[^\n]*\r\u001b\[2K/g, '');

/** The same on a terminal of that many columns; stdout and stderr are one there. */
export function onTerminal(columns: number, line: string, options: SpawnOptions = {}) {
  const { file, args, options: spawnOptions } = command([], options);
  const script = `stty cols ${columns} rows 40; lakelog() { ${quoted(file)} ${quoted(args[0]!)} "$@"; }; ${line}`;
  const log = path.join(newFolder(), 'screen');
  const ran = spawnSync('script', ['-qec', script, log], {
    ...spawnOptions,
    env: { TERM: 'xterm', SHELL: '/bin/bash', ...spawnOptions.env },
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  return { code: ran.status, text: withoutProgress(ran.stdout.replaceAll('\r\n', '\n')) };
}
