import { describe, endWith } from './ending.js';
import { LakelogError } from './errors.js';
import { type HeadStart, headStart } from './head-start.js';
import { type Io, processIo } from './io.js';
import { EXIT, type ExitCode } from './schema/result.js';

/** The only catch: every way to end gets an exit code of the documented four and says what, where and what next. */
export async function run(argv: readonly string[], packageRoot: string, io: Io): Promise<ExitCode> {
  let start: HeadStart | undefined;
  try {
    start = await headStart(argv, packageRoot, io);
    const { runProgram } = await import('./program.js');
    return await runProgram(argv, packageRoot, io, start.box);
  } catch (error) {
    await io.stderr.write(describe(error, io, argv));
    return error instanceof LakelogError ? error.exitCode : EXIT.error;
  } finally {
    await start?.end();
  }
}

/** Entry of the binary: bin/start.js calls it, and describes with the other what nobody caught. */
export async function main(packageRoot: string): Promise<ExitCode> {
  const io = processIo();
  const code = await run(process.argv.slice(2), packageRoot, io);
  return endWith(code, io, ['stdout', 'stderr']);
}

export { describe } from './ending.js';
