import { readFileSync } from 'node:fs';
import type { Io } from '../io.js';
import { kernelPath } from '../kernel-path.js';
import { formatOfFile } from '../render/format-names.js';
import { EXIT } from '../schema/result.js';

/**
 * A run that fails tells so wherever it was to tell monitoring: a file that stays as the last run left it would stay
 * green. The arguments may be what is wrong, so they are only glanced at.
 * @param hasRun the command came to its end, and stdout has what it said.
 */
export async function tellMonitoring(argv: readonly string[], hasRun: boolean, io: Io): Promise<void> {
  const files = outputsIn(argv).filter((file) => formatOfFile(file) === 'prom');
  const prints = !hasRun && valuesOf(argv, ['--format']).includes('prom');
  if (files.length === 0 && !prints) return;
  const [{ renderPromFailure }, { READABLE, replaceFile }] = await Promise.all([
    import('../render/prom.js'),
    import('./write-file.js'),
  ]);
  const gate = argv.find((one, i) => !one.startsWith('-') && argv[i - 1] !== '--queries') ?? '';
  const text = renderPromFailure(gate, EXIT.error, io.now());
  if (prints) await io.stdout.write(text);
  for (const file of files) {
    try {
      const target = kernelPath(io.cwd, file);
      if (isOurs(target)) await replaceFile(target, text, READABLE);
    } catch {
      // Why is told already, or the failure is the other one.
    }
  }
}

const outputsIn = (argv: readonly string[]) => [
  ...valuesOf(argv, ['-o', '--output']),
  ...argv.flatMap((one) => (/^-o./.test(one) ? [one.slice(2)] : [])),
];

/** Behind the option, as the next argument or after `=`. */
function valuesOf(argv: readonly string[], names: readonly string[]): string[] {
  return argv.flatMap((one, i) => {
    if (names.includes(one)) return argv[i + 1] === undefined ? [] : [argv[i + 1]!];
    const name = names.find((known) => one.startsWith(`${known}=`));
    return name === undefined ? [] : [one.slice(name.length + 1)];
  });
}

/** Not somebody's log, which may have been named by mistake. */
function isOurs(target: string): boolean {
  try {
    const text = readFileSync(target, 'utf8');
    return text === '' || text.startsWith('# HELP lakelog_');
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOENT';
  }
}
