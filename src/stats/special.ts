/** The special functions that the intervals rest on: quantiles of normal and Student's distribution, Beta integrals. */

/** ln √(2π) */
export const HALF_LOG_2PI = 0.9189385332046727;

/**
 * Quantile of the standard normal distribution; `p` in (0, 1), of some 14 digits between 1e-6 and 1 − 1e-6. Halving, on
 * Φ(z) = ½ + φ(z) (z + z³/3 + z⁵/(3 · 5) + …). Source: Marsaglia 2004, Journal of Statistical Software 11(4).
 *
 *     normalQuantile(.975) = 1.95996398454005
 */
export function normalQuantile(p: number): number {
  return 16 * solve((at) => normalBelow(16 * at - 8), p) - 8;
}

function normalBelow(z: number): number {
  let term = z;
  let sum = z;
  for (let odd = 3; Math.abs(term) > 1e-17 * Math.abs(sum); odd += 2) {
    term *= (z * z) / odd;
    sum += term;
  }
  return 0.5 + sum * Math.exp(-0.5 * z * z - HALF_LOG_2PI);
}

/**
 * ln Γ(x) − [(x − ½) ln x − x + ln √(2π)] for x > 0: what Stirling's formula leaves out. Sums of large logarithms
 * that cancel are never built, so that nothing is lost at ten million calls.
 * Source: Abramowitz and Stegun 1964, 6.1.40; below 10 by Γ(x + 1) = x Γ(x).
 *
 *     stirlingRest(1) = 1 − ln √(2π) = .0810614667953
 */
export function stirlingRest(x: number): number {
  let shift = 0;
  let at = x;
  while (at < 10) {
    // The rest at x minus the rest at x + 1.
    shift += (at + 0.5) * Math.log1p(1 / at) - 1;
    at++;
  }
  const s = 1 / (at * at);
  return (
    shift +
    (1 / 12 - s * (1 / 360 - s * (1 / 1260 - s * (1 / 1680 - s * (1 / 1188 - s * (691 / 360360)))))) / at
  );
}

/** ln [x^a (1 − x)^b / B(a, b)] for x in (0, 1), a and b > 0. */
function logKernel(x: number, a: number, b: number): number {
  const n = a + b;
  return (
    a * Math.log((x * n) / a) +
    b * Math.log(((1 - x) * n) / b) +
    0.5 * Math.log((a * b) / n) -
    HALF_LOG_2PI +
    stirlingRest(n) -
    stirlingRest(a) -
    stirlingRest(b)
  );
}

const TINY = 1e-300;
const away = (value: number) => (Math.abs(value) < TINY ? TINY : value);

/** The continued fraction of I_x(a, b), which converges quickly where x < (a + 1) / (a + b + 2). */
function betaFraction(x: number, a: number, b: number): number {
  let c = 1;
  let d = 1 / away(1 - ((a + b) * x) / (a + 1));
  let h = d;
  for (let m = 1; m < 100_000; m++) {
    const even = (m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m));
    d = 1 / away(1 + even * d);
    c = away(1 + even / c);
    h *= d * c;
    const odd = (-(a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1));
    d = 1 / away(1 + odd * d);
    c = away(1 + odd / c);
    h *= d * c;
    if (Math.abs(d * c - 1) < 1e-15) break;
  }
  return h;
}

/**
 * The regularised incomplete Beta function I_x(a, b): the chance that a Beta(a, b) value is at most x.
 * Source: Press et al., Numerical Recipes (1992), 6.4, Lentz's continued fraction.
 *
 *     incompleteBeta(.5, 2, 3) = .6875
 */
export function incompleteBeta(x: number, a: number, b: number): number {
  if (x <= 0) return 0;
  if (x >= 1) return 1;
  if (x < (a + 1) / (a + b + 2)) return (Math.exp(logKernel(x, a, b)) * betaFraction(x, a, b)) / a;
  return 1 - (Math.exp(logKernel(x, a, b)) * betaFraction(1 - x, b, a)) / b;
}

/** The x at which an increasing function of (0, 1) reaches `target`, to the last digit. */
function solve(rises: (x: number) => number, target: number): number {
  let low = 0;
  let high = 1;
  for (let step = 0; step < 200; step++) {
    const middle = (low + high) / 2;
    if (middle <= low || middle >= high) break;
    if (rises(middle) < target) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}

/** Quantile of the Beta(a, b) distribution; `p` in (0, 1). */
export function betaQuantile(p: number, a: number, b: number): number {
  return solve((x) => incompleteBeta(x, a, b), p);
}

const known = new Map<number, number>();

/**
 * The .975 quantile of Student's t with `df` >= 1 degrees of freedom, by t² / (df + t²) ~ Beta(½, df / 2); above
 * 1,000 by the expansion of Abramowitz and Stegun 1964, 26.7.5, exact to twelve digits there.
 *
 *     student975(1) = 12.7062, student975(10) = 2.22814
 */
export function student975(df: number): number {
  if (df > 1000) {
    const z = 1.959963984540054;
    const first = (z ** 3 + z) / 4;
    const second = (5 * z ** 5 + 16 * z ** 3 + 3 * z) / 96;
    const third = (3 * z ** 7 + 19 * z ** 5 + 17 * z ** 3 - 15 * z) / 384;
    return z + (first + (second + third / df) / df) / df;
  }
  let t = known.get(df);
  if (t === undefined) {
    // The complement df / (df + t²) keeps its digits where t is large.
    const rest = betaQuantile(0.05, df / 2, 0.5);
    t = Math.sqrt((df * (1 - rest)) / rest);
    known.set(df, t);
  }
  return t;
}
