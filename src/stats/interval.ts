/** Intervals of one share and of the difference of two, of which each end is a number from 0 to 1 (−1 to 1). */
import { betaQuantile } from './special.js';

/** From 0 to 1, or from −1 to 1 for a difference. */
export interface Interval {
  readonly low: number;
  readonly high: number;
}

/** A share of successes, and of how many independent calls it tells (which need not be whole). */
export interface Share {
  readonly rate: number;
  readonly n: number;
}

/** The two-sided 95 % quantile of the standard normal distribution. */
export const Z95 = 1.959963984540054;

const within = (value: number, low: number, high: number) => Math.min(high, Math.max(low, value));

/**
 * Wilson's score interval of a share p = successes / n, two-sided 95 %: all π with |p − π| <= z √(π (1 − π) / n).
 *
 *     (p + z²/2n ± z √(p (1 − p) / n + z²/4n²)) / (1 + z²/n)
 *
 * `n` may be a fraction (an effective n; then successes = rate · n). Null where n is not above 0: no call tells
 * nothing. Source: Wilson 1927, JASA 22; Newcombe 1998, Statistics in Medicine 17, 857–872, method 3.
 *
 *     wilson(81, 263) = .2553 to .3662;  wilson(0, 20) = 0 to .1611
 */
export function wilson(successes: number, n: number): Interval | null {
  return wilsonOf({ rate: successes / n, n });
}

/** {@link wilson} of a share. */
export function wilsonOf({ rate, n }: Share): Interval | null {
  if (!(n > 0 && n < Infinity) || Number.isNaN(rate)) return null;
  const p = within(rate, 0, 1);
  const perCall = Z95 ** 2 / n;
  const centre = (p + perCall / 2) / (1 + perCall);
  const half = Math.sqrt(perCall * (p * (1 - p) + perCall / 4)) / (1 + perCall);
  // Rounding must not give 0 of 20 a lower end above 0.
  return {
    low: p === 0 ? 0 : within(centre - half, 0, p),
    high: p === 1 ? 1 : within(centre + half, p, 1),
  };
}

/**
 * Newcombe's hybrid score interval of a − b, two-sided 95 %: with d = a − b and the Wilson intervals of both
 *
 *     d − √((a − low a)² + (high b − b)²)   to   d + √((high a − a)² + (b − low b)²)
 *
 * It is −1 to 1 where one side has no calls. It holds for one look at a number of calls that was fixed before; who
 * looks again and again until it is clear of 0 is wrong in 37 % (see evalue.ts). Source: Newcombe 1998, Statistics in
 * Medicine 17, 873–890, method 10.
 *
 *     newcombe(56/70, 48/80) = .0524 to .3339
 */
export function newcombe(a: Share, b: Share): Interval {
  const ofA = wilsonOf(a);
  const ofB = wilsonOf(b);
  if (ofA === null || ofB === null) return { low: -1, high: 1 };
  const d = a.rate - b.rate;
  return {
    low: within(d - Math.hypot(a.rate - ofA.low, ofB.high - b.rate), -1, 1),
    high: within(d + Math.hypot(ofA.high - a.rate, b.rate - ofB.low), -1, 1),
  };
}

/**
 * Clopper and Pearson's interval: all π that the exact binomial test does not refuse at 5 %. Two-sided, both ends
 * together hold in 95 %; one-sided, each of them alone does, so that only one may be quoted.
 *
 *     low = Beta⁻¹(α; x, n − x + 1), high = Beta⁻¹(1 − α; x + 1, n − x), α = .05 / sides
 *
 * It is 0 to 1 where n is 0. Source: Clopper and Pearson 1934, Biometrika 26; zero events: Hanley and Lippman-Hand
 * 1983, JAMA 249 (the rule of three), here 1 − α^(1/n) itself.
 *
 *     clopperPearson(0, 176, 1).high = .0169;  clopperPearson(0, 176, 2).high = .0207
 */
export function clopperPearson(successes: number, n: number, sides: 1 | 2): Interval {
  const alpha = 0.05 / sides;
  const failures = n - successes;
  if (!(n > 0)) return { low: 0, high: 1 };
  if (successes <= 0) return { low: 0, high: -Math.expm1(Math.log(alpha) / n) };
  if (failures <= 0) return { low: alpha ** (1 / n), high: 1 };
  return {
    low: betaQuantile(alpha, successes, failures + 1),
    high: betaQuantile(1 - alpha, successes + 1, failures),
  };
}
