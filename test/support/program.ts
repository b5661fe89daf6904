import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { Readable } from 'node:stream';
import { run } from '../../src/main.js';
import { newFolder, type Options, type Ran, root } from './cli.js';

export interface ProgramOptions extends Pick<Options, 'cwd' | 'env' | 'stdin' | 'packageRoot'> {
  /** A terminal, which shows stdout and stderr as they come. */
  readonly screen?: { readonly columns: number; readonly hasLeft?: boolean; write(text: string): void };
  readonly now?: () => Date;
}

/**
 * The whole program in this process, from arguments to exit code: what it reads, prints and answers is that of the
 * binary at a tenth of the time. Streams, signals and the bundle itself are the affair of tests that spawn it.
 */
export async function lakelog(
  args: readonly string[],
  {
    cwd = newFolder(),
    env = {},
    stdin,
    packageRoot = root,
    screen,
    now = () => new Date(),
  }: ProgramOptions = {},
): Promise<Ran> {
  const tmp = mkdtempSync(path.join(os.tmpdir(), 'lakelog-run-'));
  const out: string[] = [];
  const err: string[] = [];
  const stream = (into: string[]) => ({
    isTTY: screen !== undefined,
    columns: screen?.columns,
    get hasLeft() {
      return screen?.hasLeft === true;
    },
    write: async (given: string | Uint8Array) => {
      const text = typeof given === 'string' ? given : Buffer.from(given).toString();
      into.push(text);
      screen?.write(text);
    },
  });
  const input =
    stdin instanceof Readable ? stdin : Readable.from(stdin === undefined ? [] : [Buffer.from(stdin)]);
  try {
    const code = await run(args, packageRoot, {
      stdin: input,
      stdout: stream(out),
      stderr: stream(err),
      env: { PATH: process.env.PATH, HOME: tmp, TMPDIR: tmp, ...env },
      cwd,
      now,
    });
    const leftovers = readdirSync(tmp);
    return { code, signal: null, stdout: out.join(''), stderr: err.join(''), leftovers };
  } finally {
    rmSync(tmp, { recursive: true, force: true });
  }
}
