/** The e-value of a difference, held against what it is by its definition, and at its edges. */

import { describe, expect, test } from 'vitest';
import {
  type Arms,
  callsForMargin,
  callsStillNeeded,
  type Hypothesis,
  logEOfDifference,
} from '../../src/stats/evalue.js';
import { divergence, logSum, regret, worstRegret } from '../../src/stats/likelihood.js';
import type { Count } from '../../src/stats/standardise.js';
import fc from '../support/fast-check.js';

const arms = (b: [x: number, n: number], c: [x: number, n: number], weight = 1): Arms => ({
  baseline: { x: b[0], n: b[1] },
  candidate: { x: c[0], n: c[1] },
  weight,
});

const count = (most: number) =>
  fc
    .integer({ min: 0, max: most })
    .chain((n) => fc.record({ n: fc.constant(n), x: fc.integer({ min: 0, max: n }) }));
const stratum = (most: number) =>
  fc.record({ baseline: count(most), candidate: count(most), weight: fc.integer({ min: 0, max: 5 }) });
const hypothesis: fc.Arbitrary<Hypothesis> = fc
  .tuple(fc.boolean(), fc.integer({ min: -150, max: 150 }))
  .map(([most, bound]) => (most ? { atMost: bound / 100 } : { atLeast: bound / 100 }));

const logLikelihood = ({ n, x }: Count, q: number) =>
  (x > 0 ? x * Math.log(q) : 0) + (x < n ? (n - x) * Math.log1p(-q) : 0);
const unit = Array.from({ length: 401 }, (_, i) => i / 400);

/** ln of the Krichevsky–Trofimov likelihood as who bets call by call earns it, successes in any order. */
function bets(verdicts: readonly boolean[]): number {
  let log = 0;
  const seen = [0, 0];
  for (const [n, verdict] of verdicts.entries()) {
    log += Math.log((seen[Number(verdict)]! + 0.5) / (n + 1));
    seen[Number(verdict)]!++;
  }
  return log;
}
const verdicts = ({ n, x }: Count) => Array.from({ length: n }, (_, i) => i < x);

describe('likelihoods', () => {
  test('regret is what bets that learn call by call lose to the best rate, in whatever order the calls came', () => {
    fc.assert(
      fc.property(fc.array(fc.boolean(), { maxLength: 200 }), (calls) => {
        const x = calls.filter(Boolean).length;
        const n = calls.length;
        const best = n === 0 ? 0 : logLikelihood({ n, x }, x / n);
        expect(regret(n, x)).toBeCloseTo(best - bets(calls), 9);
      }),
    );
  });

  test('where a table of small counts ends, nothing jumps', () => {
    for (const x of [1022, 1023, 1024, 1025]) {
      const between = (regret(4000, x - 0.25) + regret(4000, x + 0.25)) / 2;
      expect(regret(4000, x)).toBeCloseTo(between, 9);
    }
  });

  test('it is never below 0 or above that of all or none, and neither loses digits at ten million calls', () => {
    for (const n of [1, 2, 10, 1000, 10_000_000]) {
      for (const part of [0, 0.1, 0.5, 0.9, 1]) {
        const x = Math.round(n * part);
        expect(regret(n, x)).toBeGreaterThanOrEqual(0);
        expect(regret(n, x)).toBeLessThanOrEqual(worstRegret(n) + 1e-12);
        // One failure more or less changes little, and in the right direction.
        if (x > n / 2 && x < n) expect(regret(n, x)).toBeLessThan(worstRegret(n));
      }
      expect(regret(n, Math.floor(n / 2))).toBeCloseTo(
        n === 1 ? Math.LN2 : 0.5 * Math.log((n * Math.PI) / 2) + (n === 2 ? 0.1 : 1 / (4 * n)),
        n === 2 ? 0 : 2,
      );
    }
  });

  test('divergence', () => {
    expect(divergence(10, 7, 0.5)).toBeCloseTo(0.823, 3);
    expect(divergence(10, 10, 1)).toBe(0);
    expect(divergence(10, 0, 0)).toBe(0);
    expect(divergence(10, 1, 0)).toBe(Infinity);
    expect(logSum(-Infinity, -Infinity)).toBe(-Infinity);
    expect(logSum(1000, 1000)).toBeCloseTo(1000 + Math.LN2, 9);
  });
});

describe('ln e of a difference', () => {
  test('one stratum: bets on both arms, less the best rates under the hypothesis, found by trying them all', () => {
    fc.assert(
      fc.property(
        count(40),
        count(40),
        fc.integer({ min: -18, max: 18 }),
        (baseline, candidate, twentieth) => {
          fc.pre(baseline.n > 0 && candidate.n > 0);
          const bound = twentieth / 20;
          const alike = verdicts({ n: baseline.n + candidate.n, x: baseline.x + candidate.x });
          const apart = bets(verdicts(baseline)) + bets(verdicts(candidate));
          const numerator = bound < 0 ? logSum(apart, bets(alike)) - Math.LN2 : apart;
          let best = -Infinity;
          for (const b of unit) {
            for (const c of [...unit.filter((c) => c - b <= bound), b + bound]) {
              if (c < 0 || c > 1) continue;
              best = Math.max(best, logLikelihood(baseline, b) + logLikelihood(candidate, c));
            }
          }
          const logE = logEOfDifference([{ baseline, candidate, weight: 3 }], { atMost: bound });
          // The grid misses the best rates by a little, so its e is a little larger.
          expect(logE).toBeLessThanOrEqual(numerator - best + 1e-9);
          expect(logE).toBeGreaterThan(numerator - best - 0.02 - 0.01 * Math.abs(numerator - best));
        },
      ),
      { numRuns: 40 },
    );
  });

  test('no rates that the hypothesis allows are likelier than what it is divided by, over strata', () => {
    const rate = fc.double({ min: 0.001, max: 0.999, noNaN: true });
    fc.assert(
      fc.property(
        fc.array(fc.tuple(stratum(300), rate, rate), { minLength: 1, maxLength: 5 }),
        fc.boolean(),
        (strata, most) => {
          const judged = strata.filter(([s]) => s.weight > 0 && s.baseline.n > 0 && s.candidate.n > 0);
          fc.pre(judged.length === strata.length);
          const total = strata.reduce((sum, [{ weight }]) => sum + weight, 0);
          // These rates are at the very boundary of this hypothesis.
          const bound = strata.reduce((sum, [{ weight }, b, c]) => sum + (weight / total) * (c - b), 0);
          const truth = strata.reduce(
            (sum, [{ baseline, candidate }, b, c]) =>
              sum + logLikelihood(baseline, b) + logLikelihood(candidate, c),
            0,
          );
          const apart = judged.reduce(
            (sum, [s]) => sum + bets(verdicts(s.baseline)) + bets(verdicts(s.candidate)),
            0,
          );
          const equal = judged.reduce(
            (sum, [s]) =>
              sum + bets(verdicts({ n: s.baseline.n + s.candidate.n, x: s.baseline.x + s.candidate.x })),
            0,
          );
          const hopes = most ? bound < 0 : bound > 0;
          const martingale = (hopes ? logSum(apart, equal) - Math.LN2 : apart) - truth;
          const logE = logEOfDifference(
            strata.map(([s]) => s),
            most ? { atMost: bound } : { atLeast: bound },
          );
          expect(logE).toBeLessThanOrEqual(martingale + 1e-7);
        },
      ),
      { numRuns: 300 },
    );
  });

  test('it is a number whatever the counts, weights and hypothesis, and swapping the arms swaps the sides', () => {
    fc.assert(
      fc.property(fc.array(stratum(30), { maxLength: 4 }), hypothesis, (strata, held) => {
        const logE = logEOfDifference(strata, held);
        expect(Number.isFinite(logE)).toBe(true);
        const swapped = strata.map(({ baseline, candidate, weight }) => ({
          baseline: candidate,
          candidate: baseline,
          weight,
        }));
        const mirrored = 'atMost' in held ? { atLeast: -held.atMost } : { atMost: -held.atLeast };
        expect(logEOfDifference(swapped, mirrored)).toBeCloseTo(logE, 6);
      }),
    );
  });

  test('a wider hypothesis is never refused sooner', () => {
    fc.assert(
      fc.property(fc.array(stratum(50), { minLength: 1, maxLength: 3 }), (strata) => {
        const logEs = [-0.4, -0.3, -0.2, -0.1, -0.01].map((atMost) => logEOfDifference(strata, { atMost }));
        for (const [i, logE] of logEs.entries()) {
          if (i > 0) expect(logE).toBeLessThanOrEqual(logEs[i - 1]! + 1e-9);
        }
      }),
    );
  });

  test('nothing is learnt from arms without calls: e is 1, on either side and in all strata', () => {
    for (const held of [{ atMost: 0 }, { atLeast: 0 }, { atMost: -0.1 }, { atLeast: -0.1 }]) {
      expect(logEOfDifference([], held)).toBe(0);
      expect(logEOfDifference([arms([0, 0], [0, 0])], held)).toBe(0);
      expect(logEOfDifference([arms([70, 100], [0, 0])], held)).toBe(0);
      expect(logEOfDifference([arms([0, 0], [100, 100]), arms([9, 9], [0, 0])], held)).toBe(0);
      expect(logEOfDifference([arms([0, 1000], [1000, 1000], 0)], held)).toBe(0);
    }
  });

  test('a kind on one side only can be what the hypothesis likes best', () => {
    const known = arms([100, 200], [180, 200], 9);
    const alone = logEOfDifference([known], { atMost: 0 });
    // One call in ten may be of a kind that fell from 1 to 0.
    expect(logEOfDifference([known, arms([0, 0], [50, 50], 1)], { atMost: 0 })).toBeLessThan(alone - 3);
    expect(logEOfDifference([known, arms([0, 0], [50, 50], 1)], { atMost: 0 })).toBeCloseTo(
      logEOfDifference([known], { atMost: 1 / 9 }),
      6,
    );
    expect(logEOfDifference([known, arms([0, 0], [50, 50], 9000)], { atMost: 0 })).toBeLessThan(0);
  });

  test('all and none, and ten million calls', () => {
    expect(logEOfDifference([arms([10, 10], [10, 10])], { atMost: 0 })).toBeLessThan(0);
    expect(logEOfDifference([arms([0, 10], [10, 10])], { atMost: 0 })).toBeGreaterThan(Math.log(40));
    expect(logEOfDifference([arms([10, 10], [0, 10])], { atLeast: 0 })).toBeGreaterThan(Math.log(40));
    const many = 10_000_000;
    expect(logEOfDifference([arms([0, many], [many, many])], { atMost: 0 })).toBeCloseTo(
      2 * many * Math.LN2 - 2 * worstRegret(many),
      3,
    );
    expect(logEOfDifference([arms([7e6, many], [7e6, many])], { atMost: 0 })).toBeCloseTo(
      -2 * regret(many, 7e6),
      6,
    );
    // Two tenths of a per mille, of ten million: z = 9.8, and half its square less what not knowing costs.
    expect(logEOfDifference([arms([7e6, many], [6.98e6, many])], { atLeast: 0 })).toBeCloseTo(
      divergence(many, 7e6, 0.699) + divergence(many, 6.98e6, 0.699) - 2 * regret(many, 7e6),
      2,
    );
  });

  test('what cannot be is excluded, and what cannot but be is not', () => {
    expect(logEOfDifference([arms([5, 10], [5, 10])], { atMost: -1.2 })).toBe(Number.MAX_VALUE);
    expect(logEOfDifference([arms([5, 10], [5, 10])], { atMost: -1 })).toBe(Number.MAX_VALUE);
    expect(logEOfDifference([arms([5, 10], [5, 10])], { atLeast: -1 })).toBeLessThan(0);
    expect(logEOfDifference([arms([5, 10], [5, 10])], { atMost: 1 })).toBeLessThan(0);
  });

  test('.70 against .50 over 600 calls per arm is worse, over 20 is not known', () => {
    expect(logEOfDifference([arms([420, 600], [300, 600])], { atLeast: 0 })).toBeCloseTo(18.36, 2);
    for (const held of [{ atMost: 0 }, { atLeast: 0 }, { atMost: -0.1 }, { atLeast: -0.1 }]) {
      expect(logEOfDifference([arms([14, 20], [10, 20])], held)).toBeLessThan(Math.log(40));
    }
  });
});

describe('calls that are needed', () => {
  test('fewer for a wider margin, a rate far from ½ and a larger alpha; none can show a margin of 0', () => {
    expect(callsForMargin(0.7, 0.1, 0.025)).toBe(1058);
    expect(callsForMargin(0.7, 0.2, 0.025)!).toBeLessThan(300);
    expect(callsForMargin(0.9, 0.1, 0.025)!).toBeLessThan(500);
    expect(callsForMargin(0.7, 0.1, 0.05)!).toBeLessThan(1058);
    expect(callsForMargin(0.7, 0, 0.025)).toBeNull();
    expect(callsForMargin(0.7, Number.NaN, 0.025)).toBeNull();
    for (const rate of [0, 1]) expect(callsForMargin(rate, 0.1, 0.025)).toBeGreaterThan(20);
  });

  test('fewer are still needed the more there are, and none once it is shown', () => {
    const still = (n: number) => callsStillNeeded([arms([0.7 * n, n], [0.7 * n, n])], 0.1, 0.025)!.candidate;
    expect(still(100)).toBeLessThan(callsForMargin(0.7, 0.1, 0.025)!);
    expect(still(400)).toBeLessThan(still(100));
    expect(still(2000)).toBe(0);
  });

  test('a baseline that does not grow can be too small for ever', () => {
    expect(callsStillNeeded([arms([42, 60], [42, 60])], 0.1, 0.025, 'candidate')).toBeNull();
    const large = callsStillNeeded([arms([4200, 6000], [42, 60])], 0.1, 0.025, 'candidate')!;
    expect(large.baseline).toBe(0);
    expect(large.candidate).toBeLessThan(900);
  });

  test('kinds on one side only are never enough, nor are no calls', () => {
    expect(callsStillNeeded([arms([42, 60], [42, 60]), arms([0, 0], [20, 30])], 0.1, 0.025)).toBeNull();
    expect(callsStillNeeded([arms([0, 0], [0, 0])], 0.1, 0.025)).toBeNull();
    expect(callsStillNeeded([], 0.1, 0.025)).toBeNull();
  });
});
