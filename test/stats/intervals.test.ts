/** Intervals at their edges, of clusters, and of standardised rates. */

import { describe, expect, test } from 'vitest';
import {
  type Clustered,
  clusteredWilson,
  effectiveN,
  meanInterval,
  share,
} from '../../src/stats/clusters.js';
import { clopperPearson, newcombe, wilson, wilsonOf } from '../../src/stats/interval.js';
import { perArm } from '../../src/stats/power.js';
import { betaQuantile, incompleteBeta, normalQuantile, student975 } from '../../src/stats/special.js';
import { mantelHaenszel, standardised } from '../../src/stats/standardise.js';
import fc from '../support/fast-check.js';

const traces = fc.array(
  fc
    .integer({ min: 1, max: 6 })
    .chain((n) => fc.record({ n: fc.constant(n), x: fc.integer({ min: 0, max: n }) })),
  { minLength: 1, maxLength: 30 },
);

function clustered(all: readonly { n: number; x: number }[]): Clustered {
  const sum = (of: (trace: { n: number; x: number }) => number) =>
    all.reduce((one, trace) => one + of(trace), 0);
  return {
    traces: all.length,
    calls: sum(({ n }) => n),
    successes: sum(({ x }) => x),
    callsSquared: sum(({ n }) => n * n),
    successesSquared: sum(({ x }) => x * x),
    callsTimesSuccesses: sum(({ n, x }) => n * x),
  };
}

describe('quantiles', () => {
  test.each([
    [0.5, 0],
    [0.8, 0.8416212335729143],
    [0.975, 1.959963984540054],
    [0.9999, 3.719016485455709],
    [0.025, -1.959963984540054],
  ])('normal, %d: %d', (p, z) => expect(normalQuantile(p)).toBeCloseTo(z, 11));

  test.each([
    [1, 12.70620473617471],
    [2, 4.302652729696142],
    [5, 2.570581835636314],
    [10, 2.228138851964939],
    [30, 2.042272456301238],
    [120, 1.979930405052777],
    [1000, 1.962339080610843],
    [1e6, 1.9599663568],
  ])("Student's, %d degrees of freedom: %d", (df, t) => expect(student975(df)).toBeCloseTo(t, 8));

  test('Beta: the chance of at least x of n, summed up', () => {
    const choose = (n: number, k: number) =>
      Array.from({ length: k }, (_, i) => (n - i) / (i + 1)).reduce((a, b) => a * b, 1);
    for (const [n, x, p] of [
      [10, 3, 0.2],
      [40, 31, 0.7],
      [7, 7, 0.9],
    ] as const) {
      let sum = 0;
      for (let k = x; k <= n; k++) sum += choose(n, k) * p ** k * (1 - p) ** (n - k);
      expect(incompleteBeta(p, x, n - x + 1)).toBeCloseTo(sum, 12);
    }
    expect(incompleteBeta(betaQuantile(0.3, 5e6, 5e6), 5e6, 5e6)).toBeCloseTo(0.3, 7);
  });
});

describe('shares', () => {
  test('each interval holds its share, lies in 0 to 1, and mirrors that of the failures', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 100_000 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (n, part) => {
          const x = Math.round(n * part);
          for (const of of [wilson, (x: number, n: number) => clopperPearson(x, n, 2)]) {
            const { low, high } = of(x, n)!;
            const mirrored = of(n - x, n)!;
            expect(low).toBeGreaterThanOrEqual(0);
            expect(low).toBeLessThanOrEqual(x / n);
            expect(high).toBeGreaterThanOrEqual(x / n);
            expect(high).toBeLessThanOrEqual(1);
            expect(mirrored.high).toBeCloseTo(1 - low, 9);
          }
        },
      ),
      { numRuns: 50 },
    );
  });

  test('none and all: the end is 0 or 1 itself, at every n', () => {
    for (const n of [0.3, 1, 3, 7, 20, 49, 1e7]) {
      expect(wilson(0, n)!.low).toBe(0);
      expect(wilson(n, n)!.high).toBe(1);
      expect(wilson(0, n)!.high).toBeGreaterThan(0);
    }
    expect(clopperPearson(20, 20, 2)).toEqual({ low: 0.025 ** (1 / 20), high: 1 });
  });

  test('no calls tell nothing', () => {
    for (const n of [0, -1, Number.NaN]) expect(wilson(0, n)).toBeNull();
    expect(clopperPearson(0, 0, 2)).toEqual({ low: 0, high: 1 });
    expect(newcombe({ rate: 0.5, n: 10 }, { rate: Number.NaN, n: 0 })).toEqual({ low: -1, high: 1 });
  });

  test('a difference turned round is the difference turned round', () => {
    const [a, b] = [
      { rate: 0.8, n: 70 },
      { rate: 0.6, n: 12.5 },
    ];
    expect(newcombe(a, b).low).toBeCloseTo(-newcombe(b, a).high, 12);
    expect(newcombe({ rate: 1, n: 1e7 }, { rate: 0, n: 1e7 }).high).toBe(1);
  });

  test('calls per arm: none tells apart what is the same', () => {
    expect(perArm(0.7, 0.7)).toBeNull();
    expect(perArm(0.7, 0.6, { alpha: 0.01 })!).toBeGreaterThan(356);
    expect(perArm(0.7, 0.6, { power: 0.9 })!).toBeGreaterThan(356);
    expect(perArm(0, 1)).toBeGreaterThan(0);
  });
});

describe('clusters', () => {
  test('one call per trace counts as what it is, and its interval is that of the calls', () => {
    fc.assert(
      fc.property(fc.array(fc.boolean(), { minLength: 1, maxLength: 300 }), (calls) => {
        const c = clustered(calls.map((good) => ({ n: 1, x: Number(good) })));
        expect(effectiveN(c)).toBe(calls.length);
        expect(clusteredWilson(c)).toEqual(wilson(c.successes, c.calls));
      }),
    );
  });

  test('never more than the calls, never nothing, never NaN', () => {
    fc.assert(
      fc.property(traces, (all) => {
        const c = clustered(all);
        const n = effectiveN(c);
        expect(n).toBeGreaterThan(0);
        expect(n).toBeLessThanOrEqual(c.calls);
        const { low, high } = clusteredWilson(c)!;
        expect(low).toBeLessThanOrEqual(share(c)!.rate);
        expect(high).toBeGreaterThanOrEqual(share(c)!.rate);
      }),
    );
  });

  test('by the deviations of the traces, summed up', () => {
    const all = [
      { n: 3, x: 3 },
      { n: 2, x: 0 },
      { n: 1, x: 1 },
      { n: 4, x: 3 },
      { n: 2, x: 1 },
    ];
    const p = 8 / 12;
    const squares = all.reduce((sum, { n, x }) => sum + (x - p * n) ** 2, 0);
    const variance = (5 / 4) * (squares / 12 ** 2);
    const asIfCalls = (p * (1 - p)) / 11;
    const expected = ((12 * asIfCalls) / variance) * (student975(11) / student975(4)) ** 2;
    expect(effectiveN(clustered(all))).toBeCloseTo(expected, 9);
  });

  test('calls of a trace that all end alike count as little more than the traces', () => {
    const alike = clustered(Array.from({ length: 50 }, (_, i) => ({ n: 10, x: i < 40 ? 10 : 0 })));
    expect(effectiveN(alike)).toBeGreaterThan(45);
    expect(effectiveN(alike)).toBeLessThan(51);
  });

  test('all, none, or one trace: the traces count', () => {
    expect(
      effectiveN(
        clustered([
          { n: 5, x: 5 },
          { n: 7, x: 7 },
        ]),
      ),
    ).toBe(2);
    expect(
      effectiveN(
        clustered([
          { n: 5, x: 0 },
          { n: 7, x: 0 },
        ]),
      ),
    ).toBe(2);
    expect(effectiveN(clustered([{ n: 9, x: 4 }]))).toBe(1);
    expect(share(clustered([]))).toBeNull();
    expect(clusteredWilson(clustered([]))).toBeNull();
  });

  test('two traces that agree are still two: their variance is a guess', () => {
    const fifty = (x: number) => ({ n: 50, x });
    expect(effectiveN(clustered([fifty(25), fifty(25)]))).toBeLessThan(3);
    expect(effectiveN(clustered([fifty(26), fifty(24)]))).toBeLessThan(3);
    expect(effectiveN(clustered(Array.from({ length: 200 }, () => fifty(25))))).toBeGreaterThan(9800);
  });
});

describe('means', () => {
  const of = (all: readonly (readonly [amount: number, units: number])[]) => ({
    traces: all.length,
    amount: all.reduce((sum, [y]) => sum + y, 0),
    units: all.reduce((sum, [, d]) => sum + d, 0),
    amountSquared: all.reduce((sum, [y]) => sum + y * y, 0),
    unitsSquared: all.reduce((sum, [, d]) => sum + d * d, 0),
    amountTimesUnits: all.reduce((sum, [y, d]) => sum + y * d, 0),
  });

  test('of one unit per trace it is Student’s interval', () => {
    const { mean, interval } = meanInterval(
      of([
        [300, 1],
        [310, 1],
        [320, 1],
        [330, 1],
      ]),
    )!;
    expect(mean).toBe(315);
    const half = (student975(3) * Math.sqrt(500 / 3)) / 2;
    expect(interval!.low).toBeCloseTo(315 - half, 9);
    expect(interval!.high).toBeCloseTo(315 + half, 9);
  });

  test('traces without a unit (never accepted) add to the amount', () => {
    expect(
      meanInterval(
        of([
          [100, 1],
          [100, 0],
          [100, 2],
        ]),
      )!.mean,
    ).toBe(100);
  });

  test('nothing is said without units, no spread of one trace, none below 0', () => {
    expect(meanInterval(of([]))).toBeNull();
    expect(meanInterval(of([[100, 0]]))).toBeNull();
    expect(meanInterval(of([[100, 1]]))).toEqual({ mean: 100, interval: null });
    expect(
      meanInterval(
        of([
          [1, 1],
          [900, 1],
        ]),
      )!.interval!.low,
    ).toBe(0);
    expect(
      meanInterval(
        of([
          [1e6, 1],
          [1e6, 1],
          [1e6, 1],
        ]),
      )!.interval,
    ).toEqual({ low: 1e6, high: 1e6 });
  });
});

describe('standardised', () => {
  test('to its own mix an arm is what it is, with its calls', () => {
    fc.assert(
      fc.property(traces, (all) => {
        const { rate, n } = standardised(
          all.map((one) => ({ weight: one.n, share: { rate: one.x / one.n, n: one.n } })),
        )!;
        const c = clustered(all);
        expect(rate).toBeCloseTo(c.successes / c.calls, 9);
        expect(n).toBeCloseTo(c.calls, 6);
      }),
    );
  });

  test('a kind of three calls that all succeeded is not certain', () => {
    const sure = standardised([
      { weight: 1, share: { rate: 1, n: 3 } },
      { weight: 1, share: { rate: 1, n: 5 } },
    ])!;
    expect(sure).toEqual({ rate: 1, n: 7.5 });
    expect(wilsonOf(sure)!.low).toBeLessThan(0.7);
  });

  test('a kind that counts and has no calls is not known; one that does not count is no matter', () => {
    const known = { weight: 1, share: { rate: 0.5, n: 10 } };
    expect(standardised([known, { weight: 1, share: { rate: 0, n: 0 } }])).toBeNull();
    expect(standardised([known, { weight: 0, share: { rate: 0, n: 0 } }])).toEqual({ rate: 0.5, n: 10 });
    expect(standardised([])).toBeNull();
  });

  test('Mantel and Haenszel: null where no stratum has both, or no failure stands against a success', () => {
    expect(mantelHaenszel([])).toEqual({ riskDifference: null, oddsRatio: null });
    expect(mantelHaenszel([{ a: { n: 10, x: 5 }, b: { n: 0, x: 0 } }])).toEqual({
      riskDifference: null,
      oddsRatio: null,
    });
    expect(mantelHaenszel([{ a: { n: 10, x: 10 }, b: { n: 10, x: 5 } }])).toEqual({
      riskDifference: 0.5,
      oddsRatio: null,
    });
    expect(mantelHaenszel([{ a: { n: 0, x: 0 }, b: { n: 0, x: 0 } }]).riskDifference).toBeNull();
  });
});
