import type { Finding } from '../schema/result.js';
import type { Evidence, GateEvidence } from './evidence.js';

export type Weight = 'fired' | 'cannot_vouch' | 'notice';

export type Found = readonly Omit<Finding, 'code'>[];

/** One way in which evidence can be wrong. */
export interface Rule {
  readonly code: string;
  readonly weight: Weight;
  /** Whether the inputs are read at all, what their lines hold, or what a gate makes of that. */
  readonly about: 'inputs' | 'lines' | 'gate';
  /** What is wrong, or nothing. */
  check(evidence: Evidence): Found;
}

/** A rule that has nothing to say where no gate judges. */
export function gateRule(
  code: string,
  weight: Weight,
  check: (gate: GateEvidence, evidence: Evidence) => Found,
): Rule {
  return {
    code,
    weight,
    about: 'gate',
    check: (evidence) => (evidence.gate === null ? [] : check(evidence.gate, evidence)),
  };
}

export const plural = (count: number, one: string, many = `${one}s`) =>
  `${count} ${count === 1 ? one : many}`;

/** `--allow-unjudged` of `allow_unjudged`. */
export const optionOf = (flag: string) => `--${flag.replaceAll('_', '-')}`;
