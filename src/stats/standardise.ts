/** Rates and differences of arms whose calls are of several kinds, as if both had the same mix of them. */
import type { Share } from './interval.js';

/** A kind (or another stratum) of one arm, and how much it counts. */
export interface Weighted {
  /** At least 0; only the proportions matter. */
  readonly weight: number;
  readonly share: Share;
}

/**
 * Direct standardisation: what the rate of an arm would be if its calls had the mix that the weights say.
 *
 *     rate = Σ w_k p_k, w summing to 1;   variance = Σ w_k² p_k (1 − p_k) / n_k
 *     n = rate (1 − rate) / variance, at most 1 / Σ (w_k² / n_k)
 *
 * The effective n makes Wilson's and Newcombe's intervals apply. Its cap is the n of an arm whose rates are all the
 * same: a kind with 3 of 3 has no variance to be seen, and must not count as known for certain. With the arm's own mix
 * as weights, rate and n are those of its calls. Null where nothing has weight, or where something that has weight has
 * no calls: its rate is not known. Source: Fleiss, Levin and Paik 2003, Statistical Methods for Rates and Proportions,
 * 19.3; the effective n as in Korn and Graubard 1998.
 *
 * Mantel and Haenszel's difference ({@link mantelHaenszel}) is another one: it weighs kinds by how much they tell
 * (n_a n_b / n), not by how often they occur, and assumes that the difference is about the same in each.
 *
 *     kidney stones, 357 small and 343 large: .9310 · .51 + .7300 · .49 = .8325 (A) > .7789 (B)
 */
export function standardised(strata: readonly Weighted[]): Share | null {
  const counted = strata.filter(({ weight }) => weight > 0);
  const total = counted.reduce((sum, { weight }) => sum + weight, 0);
  if (!(total > 0) || counted.some(({ share }) => !(share.n > 0))) return null;
  let rate = 0;
  let variance = 0;
  let perCall = 0;
  for (const { weight, share } of counted) {
    const w = weight / total;
    rate += w * share.rate;
    variance += (w * w * share.rate * (1 - share.rate)) / share.n;
    perCall += (w * w) / share.n;
  }
  rate = Math.min(1, rate);
  return { rate, n: Math.min(1 / perCall, variance > 0 ? (rate * (1 - rate)) / variance : Infinity) };
}

/** Calls and successes of an arm in one stratum. */
export interface Count {
  readonly n: number;
  readonly x: number;
}

/**
 * Mantel and Haenszel's common difference a − b and common odds ratio of two arms over strata of N = n_a + n_b calls:
 *
 *     difference = Σ (x_a n_b − x_b n_a) / N  ÷  Σ n_a n_b / N
 *     odds ratio = Σ x_a (n_b − x_b) / N      ÷  Σ x_b (n_a − x_a) / N
 *
 * Null where a divisor is 0 (no stratum has both arms; no failure stands against a success). Source: Mantel and
 * Haenszel 1959, JNCI 22; the difference: Greenland and Robins 1985, Biometrics 41.
 *
 *     UC Berkeley 1973, men against women over six departments: −.0184 and .9047, where the crude difference is +.1417
 */
export function mantelHaenszel(strata: readonly { readonly a: Count; readonly b: Count }[]): {
  readonly riskDifference: number | null;
  readonly oddsRatio: number | null;
} {
  let difference = 0;
  let pairs = 0;
  let forA = 0;
  let forB = 0;
  for (const { a, b } of strata) {
    const n = a.n + b.n;
    if (n === 0) continue;
    difference += (a.x * b.n - b.x * a.n) / n;
    pairs += (a.n * b.n) / n;
    forA += (a.x * (b.n - b.x)) / n;
    forB += (b.x * (a.n - a.x)) / n;
  }
  return {
    riskDifference: pairs > 0 ? difference / pairs : null,
    oddsRatio: forB > 0 ? forA / forB : null,
  };
}
