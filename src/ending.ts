/** How lakelog and validatord end: what they say of a failure, and what becomes of the exit code. */
import { adviceFor, LakelogError, messageOf } from './errors.js';
import { type Io, type ProcessIo, processIo, styleOf } from './io.js';
import { renderError } from './render/error.js';
import { EXIT, type ExitCode } from './schema/result.js';

/** A failure in words: what, where and what next (promise 7). */
export function describe(error: unknown, { stderr, env }: Pick<Io, 'stderr' | 'env'> = processIo()): string {
  const style = styleOf(stderr, env);
  if (error instanceof LakelogError) {
    const { message: what, where, next, detail } = error;
    return renderError({ what, where, next, detail }, style);
  }
  const stack = error instanceof Error ? error.stack : undefined;
  const { what, where, next } = adviceFor(error) ?? {
    what: `internal error: ${messageOf(error)}`,
    where: undefined,
    next: 'this is a defect of lakelog: please report it with what stands above',
  };
  return renderError({ what, where, next, detail: env.LAKELOG_DEBUG ? stack : undefined }, style);
}

/** A proof that nobody could see is none; a gate that fired has fired, whatever became of what it printed. */
export async function endWith(
  code: ExitCode,
  io: ProcessIo,
  streams: readonly ('stdout' | 'stderr')[],
): Promise<ExitCode> {
  const lost = streams.find((name) => io[name].failure !== null);
  if (lost === undefined) return code;
  const { failure } = io[lost];
  const advice = adviceFor(failure);
  const text = renderError(
    {
      what: `cannot write to standard ${lost === 'stdout' ? 'output' : 'error'}: ${advice?.what ?? messageOf(failure)}`,
      next: advice?.next ?? 'send it elsewhere',
    },
    styleOf(io.stderr, io.env),
  );
  await io.stderr.write(text);
  return code === EXIT.fired ? code : EXIT.error;
}
