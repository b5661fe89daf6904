import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { Readable } from 'node:stream';
import { run } from '../../src/main.js';
import { newFolder, type Options, type Ran, root } from './cli.js';

/**
 * The whole program in this process, from arguments to exit code: what it reads, prints and answers is that of the
 * binary at a tenth of the time. Streams, signals and the bundle itself are the affair of tests that spawn it.
 */
export async function lakelog(
  args: readonly string[],
  { cwd = newFolder(), env = {}, stdin }: Pick<Options, 'cwd' | 'env' | 'stdin'> = {},
): Promise<Ran> {
  const tmp = mkdtempSync(path.join(os.tmpdir(), 'lakelog-run-'));
  const out: string[] = [];
  const err: string[] = [];
  const stream = (into: string[]) => ({
    isTTY: false,
    columns: undefined,
    write: async (text: string | Uint8Array) => {
      into.push(typeof text === 'string' ? text : Buffer.from(text).toString());
    },
  });
  const input =
    stdin instanceof Readable ? stdin : Readable.from(stdin === undefined ? [] : [Buffer.from(stdin)]);
  try {
    const code = await run(args, root, {
      stdin: input,
      stdout: stream(out),
      stderr: stream(err),
      env: { PATH: process.env.PATH, HOME: tmp, TMPDIR: tmp, ...env },
      cwd,
      now: () => new Date(),
    });
    const leftovers = readdirSync(tmp);
    return { code, signal: null, stdout: out.join(''), stderr: err.join(''), leftovers };
  } finally {
    rmSync(tmp, { recursive: true, force: true });
  }
}
