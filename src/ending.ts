/** How lakelog and validatord end: what they say of a failure, and what becomes of the exit code. */
import { adviceFor, asLakelogError, LakelogError, messageOf } from './errors.js';
import { type Io, type ProcessIo, processIo, styleOf } from './io.js';
import { renderError, renderErrorJson } from './render/error.js';
import { EXIT, type ExitCode } from './schema/result.js';

/**
 * A failure in words: what, where and what next (promise 7).
 * @param argv asks for JSON where it asks for the answer as such.
 */
export function describe(
  error: unknown,
  { stderr, env }: Pick<Io, 'stderr' | 'env'> = processIo(),
  argv: readonly string[] = [],
): string {
  const { message: what, where, next, detail, exitCode } = asLakelogError(error);
  // Of what the user could not have caused.
  const stack = env.LAKELOG_DEBUG && error instanceof Error && !(error instanceof LakelogError);
  const text = { what, where, next, detail: stack ? error.stack : detail };
  return asksForJson(argv) ? renderErrorJson(text, exitCode) : renderError(text, styleOf(stderr, env));
}

/** A glance at arguments that could perhaps not be parsed. */
function asksForJson(argv: readonly string[]): boolean {
  const end = argv.indexOf('--');
  const options = end < 0 ? argv : argv.slice(0, end);
  return options.some(
    (one, i) =>
      one === '--json' || one === '--format=json' || (one === '--format' && options[i + 1] === 'json'),
  );
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
