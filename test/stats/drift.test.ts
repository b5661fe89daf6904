/** The e-value of a fall, held against what it is by its definition, and at its edges. */

import { describe, expect, test } from 'vitest';
import {
  changePrior,
  type Day,
  daysWithout,
  logEFallAt,
  logEFallSomewhere,
  REMEMBERED_DAYS,
  smallestExcludedFall,
} from '../../src/stats/drift.js';
import { logEOfDifference } from '../../src/stats/evalue.js';
import { logSum } from '../../src/stats/likelihood.js';
import fc from '../support/fast-check.js';

const days = (count: number, n: number, x: number): Day[] => Array.from({ length: count }, () => ({ n, x }));
const aDay = fc
  .integer({ min: 0, max: 9 })
  .chain((n) => fc.record({ n: fc.constant(n), x: fc.integer({ min: 0, max: n }) }));
const aStratum = fc.array(aDay, { minLength: 2, maxLength: 12 });

/** ln e of one stratum by its definition, with Gamma functions as products. */
function logEByDefinition(before: Day, after: Day): number {
  const kt = ({ n, x }: Day) => {
    let log = 0;
    for (let i = 0; i < x; i++) log += Math.log(i + 0.5);
    for (let i = 0; i < n - x; i++) log += Math.log(i + 0.5);
    for (let i = 1; i <= n; i++) log -= Math.log(i);
    return log;
  };
  const best = ({ n, x }: Day) =>
    (x > 0 ? x * Math.log(x / n) : 0) + (x < n ? (n - x) * Math.log((n - x) / n) : 0);
  if (after.n === 0 || before.x / before.n <= after.x / after.n) {
    const none = (n: number) => kt({ n, x: 0 });
    return none(before.n) + none(after.n);
  }
  return kt(before) + kt(after) - best({ n: before.n + after.n, x: before.x + after.x });
}

const sum = (all: readonly Day[]): Day =>
  all.reduce((one, { n, x }) => ({ n: one.n + n, x: one.x + x }), { n: 0, x: 0 });

describe('a known change', () => {
  test('is what its definition says, of one stratum', () => {
    fc.assert(
      fc.property(aStratum, fc.integer({ min: 1, max: 8 }), (stratum, change) => {
        const [before, after] = [sum(stratum.slice(0, change)), sum(stratum.slice(change))];
        fc.pre(before.n > 0 && after.n > 0);
        expect(logEFallAt([stratum], change)).toBeCloseTo(logEByDefinition(before, after), 8);
      }),
    );
  });

  test('weighs all sets of strata that may have fallen alike', () => {
    fc.assert(
      fc.property(
        fc.array(aStratum, { minLength: 1, maxLength: 4 }),
        fc.integer({ min: 1, max: 8 }),
        (strata, change) => {
          const asked = strata.filter((stratum) => sum(stratum.slice(0, change)).n > 0);
          fc.pre(asked.some((stratum) => sum(stratum.slice(change)).n > 0));
          const es = asked.map((stratum) =>
            Math.exp(logEByDefinition(sum(stratum.slice(0, change)), sum(stratum.slice(change)))),
          );
          let all = 0;
          for (let set = 1; set < 2 ** es.length; set++) {
            all += es.reduce((product, e, k) => ((set >> k) & 1 ? product * e : product), 1);
          }
          expect(logEFallAt(strata, change)).toBeCloseTo(Math.log(all / (2 ** es.length - 1)), 8);
        },
      ),
    );
  });

  test('a success more before, or one less after, never makes it smaller: rates that rise do no harm', () => {
    const at = (n: number, x: number, m: number, y: number) =>
      logEFallAt(
        [
          [
            { n, x },
            { n: m, x: y },
          ],
        ],
        1,
      );
    const most = 16;
    let compared = 0;
    for (let n = 1; n <= most; n++) {
      for (let m = 1; m <= most; m++) {
        for (let x = 0; x <= n; x++) {
          for (let y = 0; y <= m; y++) {
            const here = at(n, x, m, y);
            if (x < n && at(n, x + 1, m, y) < here - 1e-12) throw new Error(`${x + 1}/${n} → ${y}/${m}`);
            if (y > 0 && at(n, x, m, y - 1) < here - 1e-12) throw new Error(`${x}/${n} → ${y - 1}/${m}`);
            compared++;
          }
        }
      }
    }
    expect(compared).toBe((((most + 1) * (most + 2)) / 2 - 1) ** 2);
  });

  test('… nor of larger counts', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 20_000 }),
        fc.integer({ min: 1, max: 20_000 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (n, m, p, q) => {
          const [x, y] = [Math.floor(p * n), Math.ceil(q * m)];
          const at = (good: number, goodAfter: number) =>
            logEFallAt(
              [
                [
                  { n, x: good },
                  { n: m, x: goodAfter },
                ],
              ],
              1,
            );
          if (x < n) expect(at(x + 1, y)).toBeGreaterThanOrEqual(at(x, y) - 1e-8);
          if (y > 0) expect(at(x, y - 1)).toBeGreaterThanOrEqual(at(x, y) - 1e-8);
        },
      ),
      { numRuns: 1000 },
    );
  });

  test('nothing is learnt without calls on both sides: e is 1', () => {
    expect(logEFallAt([], 3)).toBe(0);
    expect(logEFallAt([[]], 3)).toBe(0);
    expect(logEFallAt([days(10, 40, 28)], 10)).toBe(0);
    expect(logEFallAt([days(10, 40, 28)], 99)).toBe(0);
    expect(logEFallAt([days(10, 40, 28)], 0)).toBe(0);
    expect(logEFallAt([[...days(10, 40, 28), ...days(10, 0, 0)]], 10)).toBe(0);
    expect(logEFallAt([[...days(10, 0, 0), ...days(10, 40, 2)]], 10)).toBe(0);
    // All models were replaced on that day.
    expect(logEFallAt([days(10, 40, 40), [...days(10, 0, 0), ...days(10, 40, 0)]], 10)).toBe(0);
  });

  test('a rise never fires, be it from none to all or of ten million calls', () => {
    expect(logEFallAt([[...days(50, 40, 0), ...days(50, 40, 40)]], 50)).toBeLessThan(0);
    expect(logEFallAt([[...days(1, 1e7, 5e6), ...days(1, 1e7, 9e6)]], 1)).toBeLessThan(0);
    expect(logEFallAt([[...days(1, 1e7, 1e7), ...days(1, 1e7, 1e7)]], 1)).toBeLessThan(0);
    expect(logEFallAt([[...days(1, 1e7, 0), ...days(1, 1e7, 0)]], 1)).toBeLessThan(0);
  });

  test('a fall of all of them is a number', () => {
    const logE = logEFallAt([[...days(1, 1e7, 1e7), ...days(1, 1e7, 0)]], 1);
    expect(logE).toBeCloseTo(2e7 * Math.LN2 - 2 * 0.5 * Math.log(1e7 * Math.PI), 3);
  });

  test('a stratum silent for longer than the remembered days is not asked, days without any calls do not count', () => {
    const living = [...days(80, 40, 28), ...days(20, 40, 20)];
    const alone = logEFallAt([living], 80);
    const dead = [...days(80 - REMEMBERED_DAYS, 40, 28), ...days(REMEMBERED_DAYS + 20, 0, 0)];
    const dying = [...days(81 - REMEMBERED_DAYS, 40, 28), ...days(REMEMBERED_DAYS + 19, 0, 0)];
    expect(logEFallAt([living, dead], 80)).toBe(alone);
    // It is one of two, and of the three sets that may have fallen two have it.
    expect(logEFallAt([living, dying], 80)).toBeLessThan(alone);
    expect(logEFallAt([living, dying], 80)).toBeGreaterThan(alone - Math.log(3.01));
    const closed = [...days(80, 40, 28), ...days(100, 0, 0), ...days(20, 40, 20)];
    expect(logEFallAt([closed], 180)).toBeCloseTo(alone, 9);
  });
});

describe('an unknown day', () => {
  test('the prior over days sums to 1, whenever watching ends', () => {
    let sum = 0;
    for (let day = 1; day <= 100_000; day++) sum += changePrior(day);
    expect(sum).toBeCloseTo(1 - 90 / 100_090, 9);
    expect(sum).toBeLessThan(1);
  });

  test('is the mean over days under that prior; days to come add next to nothing', () => {
    fc.assert(
      fc.property(fc.array(aStratum, { minLength: 1, maxLength: 3 }), (strata) => {
        const last = Math.max(...strata.map((stratum) => stratum.findLastIndex(({ n }) => n > 0)));
        let mean = -Infinity;
        for (let change = 1; change <= last; change++) {
          // No stratum with calls on both sides: nothing is asked, and nothing said.
          if (!strata.some((s) => sum(s.slice(0, change)).n > 0 && sum(s.slice(change)).n > 0)) continue;
          mean = logSum(mean, Math.log(changePrior(change)) + logEFallAt(strata, change));
        }
        const { logE } = logEFallSomewhere(strata);
        const none = strata.reduce((all, stratum) => all + logEByDefinition(sum(stratum), { n: 0, x: 0 }), 0);
        const tail = last < 0 ? 0 : Math.log(90 / (90 + last)) + none;
        expect(logE).toBeCloseTo(logSum(mean, tail), 8);
      }),
    );
  });

  test('finds the day of a fall', () => {
    const { logE, day } = logEFallSomewhere([[...days(60, 40, 28), ...days(30, 40, 20)]]);
    expect(day).toBe(60);
    expect(logE).toBeGreaterThan(Math.log(100));
  });

  test('says e = 1 and no day before anything was seen', () => {
    for (const nothing of [[], [[]], [days(5, 0, 0)]]) {
      expect(logEFallSomewhere(nothing)).toEqual({ logE: 0, day: null });
    }
    const first = logEFallSomewhere([days(1, 40, 28)]);
    expect(first.day).toBeNull();
    expect(first.logE).toBeLessThan(0);
  });
});

describe('the answer does not depend on how often one looked', () => {
  const calls = fc.array(aStratum, { minLength: 1, maxLength: 3 });

  test('who looked on every day, on some, and never before gets the same', () => {
    fc.assert(
      fc.property(
        calls,
        fc.integer({ min: 1, max: 5 }),
        fc.array(fc.boolean(), { minLength: 12, maxLength: 12 }),
        (strata, change, looked) => {
          const upTo = (day: number) => strata.map((stratum) => stratum.slice(0, day));
          const now = () => [
            logEFallAt(strata, change),
            logEFallSomewhere(strata),
            smallestExcludedFall(strata, null, 0.05),
          ];
          const never = now();
          for (let day = 1; day <= 12; day++) {
            if (!looked[day - 1]) continue;
            logEFallAt(upTo(day), change);
            logEFallSomewhere(upTo(day));
          }
          expect(now()).toEqual(never);
        },
      ),
      { numRuns: 50 },
    );
  });

  test('days on which nobody called say nothing, be they counted or not yet', () => {
    fc.assert(
      fc.property(
        calls,
        fc.integer({ min: 1, max: 8 }),
        fc.integer({ min: 1, max: 40 }),
        (strata, change, more) => {
          const later = strata.map((stratum) => [...stratum, ...days(more, 0, 0)]);
          expect(logEFallAt(later, change)).toBe(logEFallAt(strata, change));
          expect(logEFallSomewhere(later)).toEqual(logEFallSomewhere(strata));
        },
      ),
    );
  });

  test('strata without calls, and their order, change nothing', () => {
    fc.assert(
      fc.property(calls, fc.integer({ min: 1, max: 8 }), (strata, change) => {
        const more = [[], ...[...strata].reverse(), days(20, 0, 0)];
        expect(logEFallAt(more, change)).toBeCloseTo(logEFallAt(strata, change), 9);
        expect(logEFallSomewhere(more).logE).toBeCloseTo(logEFallSomewhere(strata).logE, 9);
      }),
    );
  });
});

describe('the smallest fall that is excluded', () => {
  const steady = [days(150, 40, 28)];

  test('is excluded, and a smaller one is not', () => {
    const { fall, since, judged } = smallestExcludedFall(steady, 60, 0.01)!;
    const arms = [{ baseline: { n: 2400, x: 1680 }, candidate: { n: 3600, x: 2520 }, weight: 1 }];
    expect(logEOfDifference(arms, { atMost: -fall })).toBeGreaterThanOrEqual(Math.log(100));
    expect(logEOfDifference(arms, { atMost: -fall + 0.0003 })).toBeLessThan(Math.log(100));
    expect({ since, judged }).toEqual({ since: 60, judged: 1 });
    expect(fall).toBeLessThan(0.06);
  });

  test('of an unknown day is the smallest of all days', () => {
    const all = Array.from({ length: 149 }, (_, i) => smallestExcludedFall(steady, i + 1, 0.01)?.fall ?? 1);
    expect(smallestExcludedFall(steady, null, 0.01)!.fall).toBeLessThanOrEqual(Math.min(...all) + 1 / 4096);
  });

  test('the days of which a fall is excluded are those, from the first one to the last', () => {
    const { from, to } = daysWithout(steady, 0.1, 0.01)!;
    const excluded = (day: number) => (smallestExcludedFall(steady, day, 0.01)?.fall ?? 1) <= 0.1;
    expect([from - 1, from, to, to + 1].map(excluded)).toEqual([false, true, true, false]);
    expect(to).toBeGreaterThan(120);
    expect(daysWithout([days(20, 2, 1)], 0.1, 0.01)).toBeNull();
    expect(daysWithout([], 0.1, 0.01)).toBeNull();
    expect(daysWithout([[...days(60, 40, 28), ...days(90, 40, 16)]], 0.1, 0.01)).toBeNull();
  });

  test('after a fall it is larger than that, after a rise next to nothing', () => {
    expect(
      smallestExcludedFall([[...days(60, 40, 28), ...days(60, 40, 24)]], 60, 0.05)!.fall,
    ).toBeGreaterThan(0.1);
    expect(smallestExcludedFall([[...days(60, 40, 24), ...days(60, 40, 36)]], 60, 0.05)!.fall).toBeLessThan(
      0.001,
    );
  });

  test('nothing is excluded without calls on both sides', () => {
    expect(smallestExcludedFall([], null, 0.05)).toBeNull();
    expect(smallestExcludedFall([days(10, 40, 28)], 10, 0.05)).toBeNull();
    expect(smallestExcludedFall([days(1, 40, 28)], null, 0.05)).toBeNull();
    expect(
      smallestExcludedFall([days(10, 40, 28), [...days(20, 0, 0), ...days(9, 40, 28)]], 20, 0.05),
    ).toBeNull();
  });

  test('it says of what share of the calls it speaks: a new model fell from nothing', () => {
    const replaced = [
      [...days(60, 40, 28), ...days(60, 10, 7)],
      [...days(60, 0, 0), ...days(60, 30, 3)],
    ];
    expect(smallestExcludedFall(replaced, 60, 0.05)!.judged).toBe(0.25);
  });
});
