/** What papers and packages print, and src/stats must. */
import { describe, expect, test } from 'vitest';
import { effectiveN, meanInterval } from '../../src/stats/clusters.js';
import { changePrior, logEFallAt } from '../../src/stats/drift.js';
import { clopperPearson, newcombe, wilson } from '../../src/stats/interval.js';
import { perArm } from '../../src/stats/power.js';
import { mantelHaenszel, standardised } from '../../src/stats/standardise.js';

const of = (x: number, n: number) => ({ rate: x / n, n });

describe('intervals', () => {
  test.each([
    [81, 263, 0.2553, 0.3662],
    [15, 148, 0.0624, 0.1605],
    [0, 20, 0, 0.1611],
    [1, 29, 0.0061, 0.1718],
  ])('Newcombe 1998, table I, method 3 (Wilson): %i of %i is %d to %d', (x, n, low, high) => {
    const interval = wilson(x, n)!;
    expect(interval.low).toBeCloseTo(low, 4);
    expect(interval.high).toBeCloseTo(high, 4);
  });

  test.each([
    [56, 70, 48, 80, 0.0524, 0.3339],
    [9, 10, 3, 10, 0.1705, 0.809],
    [6, 7, 2, 7, 0.0582, 0.8062],
    [5, 56, 0, 29, -0.0381, 0.1926],
    [0, 10, 0, 20, -0.1611, 0.2775],
    [10, 10, 0, 20, 0.6791, 1],
  ])('Newcombe 1998, table II, method 10: %i/%i − %i/%i is %d to %d', (x, m, y, n, low, high) => {
    const interval = newcombe(of(x, m), of(y, n));
    expect(interval.low).toBeCloseTo(low, 4);
    expect(interval.high).toBeCloseTo(high, 4);
  });

  test('none of 176: at most 1.7 % one-sided, 2.07 % two-sided', () => {
    expect(clopperPearson(0, 176, 1).high).toBeCloseTo(0.0169, 4);
    expect(clopperPearson(0, 176, 1).high).toBeLessThanOrEqual(0.017);
    expect(clopperPearson(0, 176, 2).high).toBeCloseTo(0.0207, 4);
  });

  test.each([
    [81, 263, 0.2527, 0.3676],
    [15, 148, 0.0578, 0.1617],
    [0, 20, 0, 0.1684],
    [1, 29, 0.0009, 0.1776],
  ])('Newcombe 1998, table I, method 5 (Clopper and Pearson): %i of %i is %d to %d', (x, n, low, high) => {
    const interval = clopperPearson(x, n, 2);
    expect(interval.low).toBeCloseTo(low, 4);
    expect(interval.high).toBeCloseTo(high, 4);
  });
});

describe('UC Berkeley admissions 1973, departments A to F (R: UCBAdmissions)', () => {
  const departments = [
    { men: [512, 825], women: [89, 108] },
    { men: [353, 560], women: [17, 25] },
    { men: [120, 325], women: [202, 593] },
    { men: [138, 417], women: [131, 375] },
    { men: [53, 191], women: [94, 393] },
    { men: [22, 373], women: [24, 341] },
  ].map(({ men, women }) => ({
    a: { x: men[0]!, n: men[1]! },
    b: { x: women[0]!, n: women[1]! },
  }));

  test('Mantel and Haenszel: odds ratio .904697, difference −.0184', () => {
    const { oddsRatio, riskDifference } = mantelHaenszel(departments);
    expect(oddsRatio).toBeCloseTo(0.904697, 6);
    expect(riskDifference).toBeCloseTo(-0.0184, 4);
  });

  test.each([
    ['a', 0.4452, 0.3873],
    ['b', 0.3035, 0.43],
  ] as const)('crude and standardised to the total: %s is %d and %d', (arm, crude, standard) => {
    const sum = (key: 'x' | 'n') => departments.reduce((all, one) => all + one[arm][key], 0);
    expect(sum('x') / sum('n')).toBeCloseTo(crude, 4);
    const strata = departments.map((one) => ({
      weight: one.a.n + one.b.n,
      share: of(one[arm].x, one[arm].n),
    }));
    expect(standardised(strata)!.rate).toBeCloseTo(standard, 4);
  });
});

test('kidney stones (Charig 1986): A is worse than B in all, and better in small and large ones', () => {
  const a = [of(81, 87), of(192, 263)];
  const b = [of(234, 270), of(55, 80)];
  const rate = (shares: typeof a) =>
    standardised(shares.map((share, i) => ({ weight: [357, 343][i]!, share })))!.rate;
  expect(273 / 350).toBeCloseTo(0.78, 4);
  expect(289 / 350).toBeCloseTo(0.8257, 4);
  expect(rate(a)).toBeCloseTo(0.8325, 4);
  expect(rate(b)).toBeCloseTo(0.7789, 4);
});

test('calls per arm at 80 % power, pooled: 356 for .70 → .60, 1,377 for .70 → .65', () => {
  expect(perArm(0.7, 0.6)).toBe(356);
  expect(perArm(0.6, 0.7)).toBe(356);
  expect(perArm(0.7, 0.65)).toBe(1377);
});

test('the worked examples of the docstrings', () => {
  const pairs = { traces: 50, calls: 100, successes: 80, callsSquared: 200 };
  expect(effectiveN({ ...pairs, successesSquared: 160, callsTimesSuccesses: 160 })).toBeCloseTo(48.3, 1);
  const three = { traces: 3, amount: 600, units: 3, unitsSquared: 3 };
  const { mean, interval } = meanInterval({ ...three, amountSquared: 140_000, amountTimesUnits: 600 })!;
  expect([mean, interval!.low, interval!.high.toFixed(1)]).toEqual([200, 0, '448.4']);
  const days = (count: number, x: number) => Array.from({ length: count }, () => ({ n: 40, x }));
  expect(logEFallAt([[...days(60, 28), ...days(15, 24)]], 60)).toBeCloseTo(3.18, 2);
  expect([30, 365, 3650].map((day) => Math.round(1 / changePrior(day)))).toEqual([159, 2295, 155_376]);
});
