/** Intervals of calls that come in traces: the calls of one trace are alike, and tell less than as many apart. */
import { type Interval, type Share, wilsonOf } from './interval.js';
import { student975 } from './special.js';

export type { Share };

/** Sums over the traces i of a group, of which trace i has n_i calls and x_i successes among them. */
export interface Clustered {
  /** Traces with at least one call. */
  readonly traces: number;
  /** Σ n_i */
  readonly calls: number;
  /** Σ x_i */
  readonly successes: number;
  /** Σ n_i² */
  readonly callsSquared: number;
  /** Σ x_i² */
  readonly successesSquared: number;
  /** Σ n_i x_i */
  readonly callsTimesSuccesses: number;
}

/**
 * How many independent calls would tell the rate p = x / n as precisely as these n calls of m traces do.
 *
 *     deff = m / (m − 1) · Σ (x_i − p n_i)² / n²  ÷  p (1 − p) / (n − 1), at least 1
 *     n_eff = n / deff · (t(n − 1) / t(m − 1))², which is at most n
 *
 * where t are the .975 quantiles of Student's distribution, because the variance of few traces is itself a guess: two
 * traces of fifty calls that agree are not a hundred calls, so a deff below 1 is taken for luck. One call per trace gives
 * exactly n. Where p is 0 or 1 no variance can be seen: the traces count, as if all calls of one
 * were one call; likewise where there is one trace. Source: Korn and Graubard 1998, Survey Methodology 24, 193–201;
 * the variance is the linearised one of a ratio (Cochran 1977, Sampling Techniques, 6.3 and 9A).
 *
 *     50 traces of two calls, both with the same verdict, 40 of them accepted: 100 calls count as 48.3
 */
export function effectiveN(c: Clustered): number {
  const { traces: m, calls: n, successes: x } = c;
  if (n === c.callsSquared) return n;
  if (m < 2 || x <= 0 || x >= n) return Math.min(m, n);
  const p = x / n;
  const squares = c.successesSquared - 2 * p * c.callsTimesSuccesses + p * p * c.callsSquared;
  const deff = ((m / (m - 1)) * squares * (n - 1)) / (n * n * p * (1 - p));
  const few = (student975(n - 1) / student975(m - 1)) ** 2;
  return (n * few) / Math.max(1, deff);
}

/** The rate of a group with its effective n; null where it has no calls. */
export function share(c: Clustered): Share | null {
  return c.calls > 0 ? { rate: c.successes / c.calls, n: effectiveN(c) } : null;
}

/**
 * THE interval of every rate of calls, wherever one is shown: Wilson's at the effective n, two-sided 95 %; null where
 * there are no calls. Source: Korn and Graubard 1998, with Wilson's interval in place of Clopper and Pearson's, as in
 * Franco, Little, Louis and Slud 2019, Journal of Survey Statistics and Methodology 7, 334–364.
 *
 *     one call per trace, 81 of 263: .2553 to .3662
 */
export function clusteredWilson(c: Clustered): Interval | null {
  const known = share(c);
  return known === null ? null : wilsonOf(known);
}

/** Sums over the traces i of a group, of a quantity y_i that cannot be negative and of what it is counted by, d_i. */
export interface Ratio {
  readonly traces: number;
  /** Σ y_i, e.g. tokens */
  readonly amount: number;
  /** Σ d_i, e.g. accepted calls */
  readonly units: number;
  /** Σ y_i² */
  readonly amountSquared: number;
  /** Σ d_i² */
  readonly unitsSquared: number;
  /** Σ y_i d_i */
  readonly amountTimesUnits: number;
}

/**
 * The mean r = Σ y / Σ d (tokens per accepted call, seconds, attempts) and its 95 % interval, by Student's t with
 * m − 1 degrees of freedom:
 *
 *     r ± t(m − 1) · √(m / (m − 1) · Σ (y_i − r d_i)²) / Σ d
 *
 * Traces are what is independent, not calls. Null where nothing is counted; `interval` is null for one trace, of
 * which no spread can be seen. The lower end is at least 0. Source: Cochran 1977, Sampling Techniques, 6.3 and 6.9.
 *
 *     three calls of three traces, 100, 200 and 300 tokens: 200, interval 0 to 448.4
 */
export function meanInterval(c: Ratio): { readonly mean: number; readonly interval: Interval | null } | null {
  const { traces: m } = c;
  if (!(c.units > 0)) return null;
  const mean = c.amount / c.units;
  if (m < 2) return { mean, interval: null };
  const squares = c.amountSquared - 2 * mean * c.amountTimesUnits + mean * mean * c.unitsSquared;
  const error = Math.sqrt((m / (m - 1)) * Math.max(0, squares)) / c.units;
  const half = student975(m - 1) * error;
  return { mean, interval: { low: Math.max(0, mean - half), high: mean + half } };
}
