import { fileURLToPath } from 'node:url';
import { LakelogError, messageOf } from './errors.js';
import { headStart } from './head-start.js';
import { type Io, onFailure, processIo, styleOf } from './io.js';
import { renderError } from './render/error.js';
import { EXIT, type ExitCode } from './schema/result.js';

/** The only catch: every way to end gets an exit code of the documented four and says what, where and what next. */
export async function run(argv: readonly string[], packageRoot: string, io: Io): Promise<ExitCode> {
  const start = await headStart(argv, packageRoot, io);
  try {
    const { runProgram } = await import('./program.js');
    return await runProgram(argv, packageRoot, io, start.box);
  } catch (error) {
    await io.stderr.write(describe(error, io));
    return error instanceof LakelogError ? error.exitCode : EXIT.error;
  } finally {
    await start.end();
  }
}

function describe(error: unknown, io: Io): string {
  const style = styleOf(io.stderr, io.env);
  if (error instanceof LakelogError) {
    const { where, next, detail } = error;
    return renderError({ what: error.message, where, next, detail }, style);
  }
  const stack = error instanceof Error ? error.stack : undefined;
  return renderError(
    {
      what: `internal error: ${messageOf(error)}`,
      next: 'this is a defect of lakelog: please report it with what stands above',
      ...(io.env.LAKELOG_DEBUG && stack ? { detail: stack } : {}),
    },
    style,
  );
}

/** Entry of the binary. Exit code 1 means that a gate fired and nothing else, so Node's own failures become 2. */
export async function main(packageRoot: URL): Promise<void> {
  const io = processIo();
  onFailure(EXIT.error, (error) => describe(error, io));
  process.exitCode = await run(process.argv.slice(2), fileURLToPath(packageRoot), io);
}
