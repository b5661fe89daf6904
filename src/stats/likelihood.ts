/** What rates make of calls that succeeded or failed: logarithms of likelihoods, relative to the best that any rate can do. */
import { stirlingRest } from './special.js';

const LOG_HALF_PI = Math.log(Math.PI / 2);

/** ln Γ(x + ½) − (x ln x − x + ln √(2π)): some −1 / 24x, and −½ ln 2 at 0. */
function halfRest(x: number): number {
  return (x > 0 ? x * Math.log1p(0.5 / x) : 0) - 0.5 + stirlingRest(x + 0.5);
}

/** Whole numbers come again and again: what was worked out for them, filled as they come. */
const table = new Float64Array(1 << 14).fill(Number.NaN);

function restOf(x: number): number {
  const known = table[x];
  if (known === undefined) return halfRest(x);
  if (!Number.isNaN(known)) return known;
  const rest = halfRest(x);
  table[x] = rest;
  return rest;
}

/**
 * What it costs not to know the rate of `x` successes in `n` calls before they are seen: ln of the highest likelihood of
 * any rate, (x/n)^x (1 − x/n)^(n−x), less ln of Krichevsky and Trofimov's, the mean over all rates by the Beta(½, ½)
 * distribution, Γ(x + ½) Γ(n − x + ½) / (π Γ(n + 1)). Never below 0, and some ½ ln(πn/2): 7 at two million calls.
 * Both may be fractions. Source: Krichevsky and Trofimov 1981, IEEE Transactions on Information Theory 27.
 *
 *     regret(1, 1) = ln 2: ½ was given to what 1 would have given 1
 */
export function regret(n: number, x: number): number {
  if (n <= 0) return 0;
  return 0.5 * (Math.log(n) + LOG_HALF_PI) + stirlingRest(n) - restOf(x) - restOf(n - x);
}

/** The most that {@link regret} can be for n calls: where all of them, or none, succeeded. */
export function worstRegret(n: number): number {
  return regret(n, 0);
}

/**
 * n · KL(x/n ‖ q): ln of the highest likelihood of any rate, less that of the rate `q`; Infinity where q makes what
 * happened impossible.
 *
 *     divergence(10, 7, .5) = 10 (.7 ln 1.4 + .3 ln .6) = .823
 */
export function divergence(n: number, x: number, q: number): number {
  const y = n - x;
  const good = x > 0 ? x * Math.log(x / (n * q)) : 0;
  const bad = y > 0 ? y * Math.log(y / (n * (1 - q))) : 0;
  return Math.max(0, good + bad);
}

/** ln(e^a + e^b) */
export function logSum(a: number, b: number): number {
  const top = Math.max(a, b);
  return top === -Infinity ? top : top + Math.log1p(Math.exp(-Math.abs(a - b)));
}
