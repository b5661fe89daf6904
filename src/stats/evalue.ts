/**
 * Tests of a difference of two arms that may be looked at every day, and stopped at any look: e-values by universal
 * inference.
 *
 * An e-value is evidence against a hypothesis: if it holds, the chance that e ever reaches 1 / alpha, at any of endlessly
 * many looks, is at most alpha. Here
 *
 *     e = numerator / highest likelihood of what was seen under the hypothesis
 *
 * where the numerator is a distribution over all that could be seen, fixed before (a mean of likelihoods over rates).
 * Why that holds: numerator / likelihood under the true rates is a martingale that begins with 1 (each call multiplies
 * it by a ratio of two chances of its verdict, whose mean under the true one is 1), so by Ville's inequality it ever
 * reaches 1 / alpha with a chance of at most alpha. If the hypothesis holds, the true rates are among those whose
 * highest likelihood is below the line, so e is never above that martingale.
 *
 * What follows: e depends on counts only, neither on their order nor on how often somebody looked. One martingale bounds
 * all hypotheses with the same numerator at once, so weights may be taken from the data (the mix of an arm as it is
 * today): what is refused is a statement about the weights that are shown.
 *
 * What is taken for granted: verdicts are independent (one call per trace), an arm has one rate per stratum, and which
 * strata get calls when does not depend on their earlier verdicts. Sources: Wasserman, Ramdas and Balakrishnan 2020,
 * PNAS 117 (universal inference, section 8 for sequences); Krichevsky and Trofimov 1981, IEEE Transactions on
 * Information Theory 27; Ville 1939; Ramdas, Grünwald, Vovk and Shafer 2023, Statistical Science 38 (a survey).
 */
import { divergence, logSum, regret } from './likelihood.js';
import { normalQuantile } from './special.js';
import type { Count } from './standardise.js';

/** Both arms in one stratum, and what the stratum weighs in the standardised difference. */
export interface Arms {
  readonly baseline: Count;
  readonly candidate: Count;
  /** At least 0; only the proportions matter. */
  readonly weight: number;
}

/** What is held against the data: that Σ weight · (candidate − baseline), weights summing to 1, is at most or at least this. */
export type Hypothesis = { readonly atMost: number } | { readonly atLeast: number };

/** Counts of one arm, and how much a higher rate of it adds to what the hypothesis bounds. */
interface Term extends Count {
  readonly slope: number;
}

/**
 * The rate q that maximises x ln q + (n − x) ln(1 − q) − multiplier · slope · q: the root in [0, 1] of
 * t q² − (n + t) q + x = 0, t = multiplier · slope, in the form that does not cancel.
 */
function pulled({ n, x, slope }: Term, multiplier: number): number {
  const t = multiplier * slope;
  const sum = n + t;
  const root = Math.sqrt(Math.max(0, sum * sum - 4 * t * x));
  if (sum > 0) return Math.min(1, (2 * x) / (sum + root));
  return Math.max(0, (sum - root) / (2 * t));
}

/** What the hypothesis bounds, at the rates that the multiplier pulls to. */
function reach(terms: readonly Term[], multiplier: number): number {
  let sum = 0;
  for (const term of terms) sum += term.slope * pulled(term, multiplier);
  return sum;
}

/**
 * A multiplier that brings the reach to the bound, by false position (Illinois). A gap of a ten-millionth of the first one
 * is enough: the dual value is flat at the best multiplier, so that its error is the square of that.
 */
function multiplierFor(terms: readonly Term[], bound: number): number {
  const first = reach(terms, 0) - bound;
  // What would be right if likelihoods were normal and rates ½; others pull less.
  let high = (4 * first) / terms.reduce((sum, { n, slope }) => sum + (slope * slope) / n, 0);
  let below = reach(terms, high) - bound;
  let low = 0;
  let above = first;
  while (below > 0 && high < 1e200) {
    low = high;
    above = below;
    high *= 2;
    below = reach(terms, high) - bound;
  }
  let next = high;
  let gap = below;
  for (let step = 0; step < 100 && below <= 0 && Math.abs(gap) > 1e-7 * first; step++) {
    next = high - (below * (high - low)) / (below - above);
    const last = gap;
    gap = reach(terms, next) - bound;
    const sameSide = gap > 0 === last > 0;
    if (gap > 0) {
      low = next;
      above = gap;
      if (sameSide) below /= 2;
    } else {
      high = next;
      below = gap;
      if (sameSide) above /= 2;
    }
  }
  return next;
}

/**
 * ln of the highest likelihood of any rates, less the highest of those with Σ slope · rate <= bound. By Lagrange: the
 * likelihood is concave and the constraint one line, so the best rates are those pulled by one multiplier. What is
 * returned is the dual value, which is never above the truth however well the multiplier was found (weak duality), so
 * rounding never makes evidence.
 */
function lossOf(terms: readonly Term[], bound: number): number {
  if (reach(terms, 0) <= bound) return 0;
  // Not even rates of 0 and 1 reach so far.
  if (terms.reduce((sum, { slope }) => sum + Math.min(0, slope), 0) >= bound) return Number.MAX_VALUE;
  const multiplier = multiplierFor(terms, bound);
  const fit = terms.reduce((sum, term) => sum + divergence(term.n, term.x, pulled(term, multiplier)), 0);
  return Math.max(0, fit + multiplier * (reach(terms, multiplier) - bound));
}

/** ln numerator less ln of the highest likelihood of any rates. */
function logNumerator(strata: readonly Arms[], countEqual: boolean): number {
  let apart = 0;
  let equal = 0;
  for (const { baseline: b, candidate: c } of strata) {
    apart -= regret(b.n, b.x) + regret(c.n, c.x);
    const both = { n: b.n + c.n, x: b.x + c.x };
    const rate = both.x / both.n;
    equal -= regret(both.n, both.x) + divergence(b.n, b.x, rate) + divergence(c.n, c.x, rate);
  }
  return countEqual ? logSum(apart, equal) - Math.LN2 : apart;
}

/**
 * ln e against a hypothesis about the standardised difference, candidate − baseline (see the head of this file):
 *
 *     better: atMost 0;   worse: atLeast 0;   not worse than a margin: atMost −margin;   worse than it: atLeast −margin
 *
 * each is shown where ln e >= ln(1 / alpha), alpha being one-sided. The numerator is Krichevsky and Trofimov's
 * likelihood of every arm; where equal arms would contradict the hypothesis (a margin), it is the mean of that and of the
 * same with both arms of a stratum as one, because equal arms are what one hopes for then: they are found with a quarter
 * fewer calls. The divisor is the joint supremum over all strata under the one constraint.
 *
 * Multiplying strata (one numerator and one supremum over all of them) asks about the sum, whatever each of them does:
 * kinds may differ among each other, and a change of their mix moves nothing. It has a price, some ½ ln(πn/2) for each
 * rate that is not known: of 1, 2, 3, 5 and 10 kinds of the same size (rates .7, margin .10, alpha .025) half of all
 * comparisons of equal arms have ended at 600, 960, 1,440, 2,100 and 3,720 calls per arm. A stratum with calls on one
 * side only is not known: the hypothesis may have its difference as it likes best (−1 for atMost), and its calls are not
 * counted. Where that is all, nothing was learnt: ln e = 0, which fires at no alpha. Where the hypothesis cannot be at all (worse by more than
 * 1), ln e is Number.MAX_VALUE; never NaN or infinite.
 *
 *     420 of 600 against 300 of 600, atLeast 0: ln e = 18.4 (worse);  0 of 0 on either side: 0
 */
export function logEOfDifference(strata: readonly Arms[], hypothesis: Hypothesis): number {
  const [sign, bound] = 'atMost' in hypothesis ? [1, hypothesis.atMost] : [-1, -hypothesis.atLeast];
  const weighed = strata.filter(({ weight }) => weight > 0);
  const judged = weighed.filter(({ baseline, candidate }) => baseline.n > 0 && candidate.n > 0);
  if (judged.length === 0) return 0;
  const total = weighed.reduce((sum, { weight }) => sum + weight, 0);
  const known = judged.reduce((sum, { weight }) => sum + weight, 0);
  const terms = judged.flatMap(({ baseline, candidate, weight }): Term[] => [
    { ...candidate, slope: (sign * weight) / total },
    { ...baseline, slope: (-sign * weight) / total },
  ]);
  const loss = lossOf(terms, bound + (total - known) / total);
  return Math.min(Number.MAX_VALUE, logNumerator(judged, bound < 0) + loss);
}

/** A stratum as it is, and as it goes on: calls per arm to come, times what is asked for, all of this rate. */
interface Plan extends Arms {
  readonly more: { readonly baseline: number; readonly candidate: number };
  readonly rate: number;
}

/** What the calls to come add to the variance of the standardised difference, by one arm of a stratum. */
function varianceOf(plan: Plan, arm: 'baseline' | 'candidate', times: number, total: number): number {
  const more = plan.more[arm] * times;
  const weight = plan.weight / total;
  return more > 0 ? (weight ** 2 * plan.rate * (1 - plan.rate) * more) / (plan[arm].n + more) ** 2 : 0;
}

/**
 * ln e against "worse by the margin" after the calls to come, where luck is as bad as once in five: the standardised
 * difference is .8416 standard deviations lower than it should be, in each arm by its part of the variance.
 */
function plannedLogE(plans: readonly Plan[], times: number, margin: number): number {
  const total = plans.reduce((sum, { weight }) => sum + weight, 0);
  const arms = ['baseline', 'candidate'] as const;
  const variance = plans
    .flatMap((plan) => arms.map((arm) => varianceOf(plan, arm, times, total)))
    .reduce((sum, one) => sum + one, 0);
  const grown = (plan: Plan, arm: 'baseline' | 'candidate'): Count => {
    const n = plan[arm].n + plan.more[arm] * times;
    const part = varianceOf(plan, arm, times, total);
    const off = part > 0 ? (normalQuantile(0.8) * part * total) / (plan.weight * Math.sqrt(variance)) : 0;
    const x = plan[arm].x + plan.more[arm] * times * plan.rate + n * (arm === 'baseline' ? off : -off);
    return { n, x: Math.min(n, Math.max(0, x)) };
  };
  const then = plans.map((plan) => ({
    weight: plan.weight,
    baseline: grown(plan, 'baseline'),
    candidate: grown(plan, 'candidate'),
  }));
  return logEOfDifference(then, { atMost: -margin });
}

/** The smallest `times`, to a thousandth, at which it is enough; null where 2^40 are not. */
function firstEnough(enough: (times: number) => boolean): number | null {
  let high = 2 ** -10;
  while (!enough(high)) {
    high *= 2;
    if (high > 2 ** 40) return null;
  }
  let low = high / 2;
  while (high - low > high / 1000) {
    const middle = (low + high) / 2;
    if (enough(middle)) high = middle;
    else low = middle;
  }
  return high;
}

const EMPTY: Count = { n: 0, x: 0 };

/**
 * Calls per arm after which "worse by the margin" is refused with a chance of 80 % if both arms have this rate, in one
 * stratum: where ln e reaches ln(1 / alpha) at the lower fifth of the difference that is seen, −.8416 √(2 rate (1 − rate)
 * / n). Who looks earlier often knows earlier. Null for a margin of 0, which equal arms never show.
 *
 *     callsForMargin(.7, .10, .025) = 1,058;  looked at daily, half of all comparisons have ended at 600
 */
export function callsForMargin(rate: number, margin: number, alpha: number): number | null {
  if (!(margin > 0)) return null;
  const plan = { baseline: EMPTY, candidate: EMPTY, weight: 1, more: { baseline: 1, candidate: 1 }, rate };
  const calls = firstEnough((n) => plannedLogE([plan], n, margin) >= -Math.log(alpha));
  return calls === null ? null : Math.ceil(calls);
}

/**
 * How many more calls of each arm, over all strata and beginning from what is there, until "worse by the margin" is
 * refused with a chance of 80 %, if from now on both arms are equal in every stratum (at the rate of all its calls so
 * far). The mix stays as it is; with `grows: 'candidate'` the baseline is what it is, such as one from a file. Null where
 * no number of calls is enough: the margin is 0, a stratum has weight and no calls, or the baseline is too small for it.
 */
export function callsStillNeeded(
  strata: readonly Arms[],
  margin: number,
  alpha: number,
  grows: 'both' | 'candidate' = 'both',
): { readonly baseline: number; readonly candidate: number } | null {
  if (!(margin > 0)) return null;
  const plans = strata
    .filter(({ weight }) => weight > 0)
    .map((arms): Plan => {
      const { baseline: b, candidate: c } = arms;
      return {
        ...arms,
        more: { baseline: grows === 'both' ? b.n : 0, candidate: c.n },
        // Not x / n: two of two do not promise that all will succeed.
        rate: (b.x + c.x + 0.5) / (b.n + c.n + 1),
      };
    });
  const enough = (times: number) => plannedLogE(plans, times, margin) >= -Math.log(alpha);
  const times = enough(0) ? 0 : firstEnough(enough);
  if (times === null) return null;
  const calls = (arm: 'baseline' | 'candidate') =>
    Math.ceil(times * plans.reduce((sum, { more }) => sum + more[arm], 0));
  return { baseline: calls('baseline'), candidate: calls('candidate') };
}
