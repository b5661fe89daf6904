/** Comparisons that are looked at daily, on simulated arms: 40 calls per arm and day, on 90 days. */
import { describe, expect, test } from 'vitest';
import { type Arms, callsForMargin, type Hypothesis, logEOfDifference } from '../../src/stats/evalue.js';
import { newcombe } from '../../src/stats/interval.js';
import { byDay, nightly } from '../support/cli.js';
import { chance, day, median, share, streams } from './streams.js';

const DAYS = 90;
const ALPHA = 0.025;
const MARGIN = 0.1;

/** Per kind: calls per day and chances of both arms. */
interface Kind {
  readonly baseline: readonly [calls: number, p: number];
  readonly candidate: readonly [calls: number, p: number];
}

/** The arms after each day; a kind weighs what it is of the candidate's calls up to then. */
function* comparison(kinds: readonly Kind[], seed: number): Generator<readonly Arms[]> {
  const random = chance(seed);
  const sums = kinds.map(() => ({ baseline: { n: 0, x: 0 }, candidate: { n: 0, x: 0 } }));
  for (;;) {
    for (const [k, kind] of kinds.entries()) {
      for (const arm of ['baseline', 'candidate'] as const) {
        const [calls, p] = kind[arm];
        const { n, x } = day(random, calls, p);
        sums[k]![arm] = { n: sums[k]![arm].n + n, x: sums[k]![arm].x + x };
      }
    }
    yield sums.map((arms) => ({ ...arms, weight: arms.candidate.n }));
  }
}

/** Whether any of the looks shows what `shows` asks for. */
function ever(kinds: readonly Kind[], seed: number, shows: (arms: readonly Arms[]) => boolean): boolean {
  const days = comparison(kinds, seed);
  return Array.from({ length: DAYS }).some(() => shows(days.next().value));
}

const shown = (arms: readonly Arms[], ...hypotheses: readonly Hypothesis[]) =>
  hypotheses.some((hypothesis) => logEOfDifference(arms, hypothesis) >= -Math.log(ALPHA));

const shareOf = (kinds: readonly Kind[], count: number, shows: (arms: readonly Arms[]) => boolean) =>
  share(Array.from({ length: count }, (_, seed) => ever(kinds, seed, shows)));

const arms = (p: number, q = p): Kind[] => [{ baseline: [40, p], candidate: [40, q] }];
/** Two kinds of which each arm has another mix, so that the crude difference is far from what it is in both. */
const mixed = (p: number, q: number, less: number): Kind[] => [
  { baseline: [32, p], candidate: [8, p - less] },
  { baseline: [8, q], candidate: [32, q - less] },
];

const few = 150;

const EQUAL = [
  { what: 'p = .1', kinds: arms(0.1) },
  { what: 'p = .5', kinds: arms(0.5) },
  { what: 'p = .7', kinds: arms(0.7) },
  { what: 'p = .9', kinds: arms(0.9) },
  { what: 'two kinds, .9 and .4, in another mix', kinds: mixed(0.9, 0.4, 0) },
  { what: 'twice the calls on one side', kinds: [{ baseline: [80, 0.7], candidate: [40, 0.7] }] },
] as const;

test.each(byDay(EQUAL, 2))('equal arms, $what: better or worse in at most 5 %', ({ kinds }) => {
  expect(
    shareOf(kinds, streams(few), (now) => shown(now, { atMost: 0 }, { atLeast: 0 })),
  ).toBeLessThanOrEqual(0.05);
});

const WORSE = [
  { what: '.3 and .2', kinds: arms(0.3, 0.2) },
  { what: '.5 and .4', kinds: arms(0.5, 0.4) },
  { what: '.7 and .6', kinds: arms(0.7, 0.6) },
  { what: '.9 and .8', kinds: arms(0.9, 0.8) },
  { what: 'two kinds, .9 and .4, in another mix', kinds: mixed(0.9, 0.4, MARGIN) },
] as const;

test.each(byDay(WORSE, 2))(
  'worse by exactly the margin, $what: passes, or is refused, in at most 2.5 % each',
  ({ kinds }) => {
    const passes = shareOf(kinds, streams(few), (now) => shown(now, { atMost: -MARGIN }));
    const refused = shareOf(kinds, streams(few), (now) => shown(now, { atLeast: -MARGIN }));
    expect(passes).toBeLessThanOrEqual(ALPHA);
    expect(refused).toBeLessThanOrEqual(ALPHA);
  },
);

/** Calls per arm when it is first shown that the candidate is not worse by the margin. */
function decidedAfter(kinds: readonly Kind[], seed: number): number {
  for (const now of comparison(kinds, seed)) {
    const calls = now.reduce((sum, { candidate }) => sum + candidate.n, 0);
    if (calls > 10_000 || shown(now, { atMost: -MARGIN })) return calls;
  }
  return Infinity;
}

const seeds = (count: number) => Array.from({ length: count }, (_, seed) => seed);

test.each(byDay([0.5, 0.7, 0.9], 3))(
  'equal arms, p = %d: half have decided a margin of .10 by 1,000 calls per arm',
  (p) => {
    expect(median(seeds(streams(few)).map((seed) => decidedAfter(arms(p), seed)))).toBeLessThanOrEqual(1000);
  },
);

test.each(byDay([0.7, 0.5, 0.9], 3))(
  'equal arms, p = %d: callsForMargin is enough in four of five, looked at once',
  (p) => {
    const n = callsForMargin(p, MARGIN, ALPHA)!;
    const enough = share(
      seeds(1000).map((seed) => {
        const random = chance(seed);
        return shown([{ baseline: day(random, n, p), candidate: day(random, n, p), weight: 1 }], {
          atMost: -MARGIN,
        });
      }),
    );
    expect(enough).toBeGreaterThan(0.76);
    expect(enough).toBeLessThan(0.86);
  },
);

/** What others do: Newcombe's interval of 95 %, which is meant for one look, on every day. */
describe('beside it, the same data with an interval for one look (p = .7)', () => {
  const interval = ([arms]: readonly Arms[]) => {
    const of = ({ n, x }: Arms['candidate']) => ({ rate: x / n, n });
    return newcombe(of(arms!.candidate), of(arms!.baseline));
  };
  const everOf = (kinds: readonly Kind[], shows: (arms: readonly Arms[]) => boolean) =>
    shareOf(kinds, 1000, shows);

  test.skipIf(!nightly)('equal arms are better or worse in some 37 %', () => {
    const wrong = everOf(arms(0.7), (now) => {
      const { low, high } = interval(now);
      return low > 0 || high < 0;
    });
    expect(wrong).toBeCloseTo(0.37, 1);
  });

  test('arms worse by exactly the margin pass in some 19 %', () => {
    expect(everOf(arms(0.7, 0.6), (now) => interval(now).low > -MARGIN)).toBeCloseTo(0.19, 1);
  });
});
