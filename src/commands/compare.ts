/** `lakelog compare`: whether a candidate is better or worse than a baseline, and keeping a baseline. */
import { LakelogError } from '../errors.js';
import { kernelPath } from '../kernel-path.js';
import { isSelection } from '../query/selection.js';
import { DEFAULT_ALPHA } from '../query/settings.js';
import type { ExitCode } from '../schema/result.js';
import { baselineOf, ensureSelection, saveBaseline } from './baseline.js';
import type { Context } from './command.js';
import { compareOf } from './compare-decision.js';
import { type DecideFlags, type Done, type Plan, runDecision } from './decide.js';
import { identityOf } from './output.js';

export interface CompareFlags extends DecideFlags {
  readonly baseline?: string;
  readonly candidate?: string;
  readonly notWorseThan?: number;
  readonly saveBaseline?: string;
}

/** @throws LakelogError (exit 2) where an arm is missing, or what is to be saved is a file already. */
export async function compare(
  paths: readonly string[],
  flags: CompareFlags,
  context: Context,
): Promise<ExitCode> {
  const { baseline, candidate, saveBaseline: file, notWorseThan, metric } = flags;
  if (baseline === undefined) throw missing('baseline');
  if (candidate === undefined && file === undefined) throw missing('candidate');
  if (candidate === undefined && notWorseThan !== undefined) throw missing('candidate');
  if (file !== undefined) ensureSelection(baseline, isSelection);
  ensureNoneOverwritten(flags, context.io.cwd);
  // What is kept must be right, as what a gate says.
  const isGate = notWorseThan !== undefined || candidate === undefined;
  const save = file && ((done: Done) => saveBaseline(file, baseline, metric, done, context.io));
  return runDecision(
    paths,
    flags,
    context,
    isGate,
    async ({ settings }, decisions): Promise<Plan> => {
      const alpha = settings.get('alpha') ?? DEFAULT_ALPHA;
      // Without a gate nothing passes by it.
      const margin = { value: notWorseThan ?? 0, flag: '--not-worse-than' };
      const alone = { alpha: DEFAULT_ALPHA, margin };
      if (candidate === undefined)
        return { decision: baselineOf(baseline, metric, decisions), alpha, isGate, alone };
      const entry = {
        ...{ name: 'compare', baseline, candidate, metric, isGate },
        margin: notWorseThan ?? settings.get('margin'),
      };
      return { decision: await compareOf(entry, decisions), alpha, isGate, alone };
    },
    save || undefined,
  );
}

/** The answer must not take the place of the counts that it comes from. */
function ensureNoneOverwritten(
  { baseline = '', candidate = '', output = [], saveBaseline }: CompareFlags,
  cwd: string,
): void {
  const read = [baseline, candidate].filter((text) => text !== '' && !isSelection(text));
  const identities = read.map((file) => identityOf(kernelPath(cwd, file)));
  const written = [...output, ...(saveBaseline === undefined ? [] : [saveBaseline])];
  const wrong = written.find((file) => {
    const identity = identityOf(kernelPath(cwd, file));
    return identity !== null && identities.includes(identity);
  });
  if (wrong === undefined) return;
  throw new LakelogError('it is one of the files that are compared, and would be written over', {
    where: wrong,
    next: 'name another file',
  });
}

function missing(arm: 'baseline' | 'candidate'): LakelogError {
  return new LakelogError(`--${arm} is missing`, {
    next: `select its calls: --${arm} model=gpt-4.1,since=2026-09-01 (or all)`,
  });
}
