/** `lakelog drift`: whether a rate has fallen. */
import type { ExitCode } from '../schema/result.js';
import type { Context } from './command.js';
import { type DecideFlags, runDecision } from './decide.js';
import { driftOf } from './drift-decision.js';
import { filtersOf } from './options.js';

export interface DriftFlags extends DecideFlags {
  readonly changeAt?: string;
  readonly sinceChange?: string;
  readonly margin?: number;
}

/** It is looked at daily, by nobody in particular: a false alarm costs more than a day. */
export const DRIFT_ALPHA = 0.01;

export function drift(paths: readonly string[], flags: DriftFlags, context: Context): Promise<ExitCode> {
  const { metric, changeAt, sinceChange, margin } = flags;
  return runDecision(paths, flags, context, true, ({ settings, acks }, decisions) => ({
    decision: driftOf(
      {
        ...{ name: 'drift', metric, changeAt, sinceChange },
        margin: margin ?? settings.get('margin'),
        filters: filtersOf(flags, settings),
      },
      { ...decisions, acks },
    ),
    alpha: settings.get('alpha') ?? DRIFT_ALPHA,
    isGate: true,
    alone: {
      alpha: DRIFT_ALPHA,
      margin: margin === undefined ? null : { value: margin, flag: '--margin' },
    },
  }));
}
