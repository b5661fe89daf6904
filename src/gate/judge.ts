import { EXIT, type Finding, type Verdict } from '../schema/result.js';
import type { Evidence } from './evidence.js';
import type { Rule, Weight } from './rule.js';
import { RULES } from './rules.js';

/**
 * Evidence → verdict. Pure: the same evidence gives the same verdict. A fired gate outranks one that cannot
 * vouch, and the findings of both are kept.
 */
export function judge(evidence: Evidence, rules: readonly Rule[] = RULES): Verdict {
  const of = (weight: Weight): Finding[] =>
    rules
      .filter((rule) => rule.weight === weight)
      .flatMap((rule) => rule.check(evidence).map((finding) => ({ code: rule.code, ...finding })));
  return verdictOf({ fired: of('fired'), cannot_vouch: of('cannot_vouch'), notices: of('notice') });
}

/** The same with what a decision found, before what is wrong with its inputs. */
export const withFindings = (verdict: Verdict, found: Findings): Verdict =>
  verdictOf({
    fired: [...found.fired, ...verdict.fired],
    cannot_vouch: [...found.cannot_vouch, ...verdict.cannot_vouch],
    notices: [...found.notices, ...verdict.notices],
  });

type Findings = Pick<Verdict, 'fired' | 'cannot_vouch' | 'notices'>;

function verdictOf({ fired, cannot_vouch: cannotVouch, notices }: Findings): Verdict {
  const status = fired.length > 0 ? 'fired' : cannotVouch.length > 0 ? 'cannot_vouch' : 'clear';
  const exitCode = { fired: EXIT.fired, cannot_vouch: EXIT.cannotVouch, clear: EXIT.clear }[status];
  return { status, exit_code: exitCode, fired, cannot_vouch: cannotVouch, notices };
}
