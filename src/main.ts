import { describe, endWith } from './ending.js';
import { LakelogError } from './errors.js';
import { type HeadStart, headStart } from './head-start.js';
import { type Io, processIo, withoutColor } from './io.js';
import { EXIT, type ExitCode } from './schema/result.js';

/** The only catch: every way to end gets an exit code of the documented four and says what, where and what next. */
export async function run(given: readonly string[], packageRoot: string, process: Io): Promise<ExitCode> {
  const { argv, io } = takeNoColor(given, process);
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

/** Takes `--no-color` out of the arguments, wherever it stands: errors of the others are to be without it too. */
function takeNoColor(given: readonly string[], io: Io): { argv: readonly string[]; io: Io } {
  const end = given.indexOf('--');
  const options = end < 0 ? given : given.slice(0, end);
  if (!options.includes('--no-color')) return { argv: given, io };
  const argv = [...options.filter((one) => one !== '--no-color'), ...given.slice(options.length)];
  return { argv, io: withoutColor(io) };
}

/** Entry of the binary: bin/start.js calls it, and describes with the other what nobody caught. */
export async function main(packageRoot: string): Promise<ExitCode> {
  const io = processIo();
  const code = await run(process.argv.slice(2), packageRoot, io);
  return endWith(code, io, ['stdout', 'stderr']);
}

export { describe } from './ending.js';
