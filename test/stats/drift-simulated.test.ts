/**
 * Drift on simulated streams: 40 calls a day, 60 days before, looked at on each of 90 days. How often it fires for
 * nothing, and how soon it notices.
 */
import { describe, expect, test } from 'vitest';
import { type Day, logEFallAt, logEFallSomewhere } from '../../src/stats/drift.js';
import { byDay, nightly } from '../support/cli.js';
import { chance, day, median, share, streams } from './streams.js';

const BEFORE = 60;
const DAYS = BEFORE + 90;
const CALLS = 40;

/** Calls and chance of a stratum on a day. */
type Plan = (day: number, random: () => number) => readonly { readonly n: number; readonly p: number }[];

function stream(plan: Plan, seed: number): Day[][] {
  const random = chance(seed);
  const strata: Day[][] = [];
  for (let d = 0; d < DAYS; d++) {
    for (const [k, { n, p }] of plan(d, random).entries()) {
      strata[k] ??= [];
      while (strata[k]!.length < d) strata[k]!.push({ n: 0, x: 0 });
      strata[k]!.push(day(random, n, p));
    }
  }
  return strata;
}

type Mode = (strata: readonly (readonly Day[])[]) => number;
const MODES: Readonly<Record<string, Mode>> = {
  'a known change': (strata) => logEFallAt(strata, BEFORE),
  'an unknown day': (strata) => logEFallSomewhere(strata).logE,
};

/** ln e after each of the days on which somebody looks. */
function looks(strata: readonly Day[][], mode: Mode): number[] {
  return Array.from({ length: DAYS - BEFORE }, (_, i) =>
    mode(strata.map((days) => days.slice(0, BEFORE + 1 + i))),
  );
}

function simulate(plan: Plan, mode: Mode, count: number): number[][] {
  return Array.from({ length: count }, (_, seed) => looks(stream(plan, seed), mode));
}

const fires = (logEs: readonly number[], alpha: number) => logEs.some((logE) => logE >= -Math.log(alpha));

/** The day after the change on which it fires first. */
const firstDay = (logEs: readonly number[], alpha: number) => {
  const at = logEs.findIndex((logE) => logE >= -Math.log(alpha));
  return at < 0 ? Infinity : at + 1;
};

const one = (p: number) => [{ n: CALLS, p }];
const slowly = (from: number, to: number, d: number) => from + ((to - from) * d) / DAYS;

/** Without a fall: what it is, the plan by its chance, and how many streams at night. */
const QUIET: readonly (readonly [what: string, plan: (p: number) => Plan, most: number])[] = [
  ['no change', (p) => () => one(p), 1000],
  [
    'a change of mix alone: four in five calls move to a kind that fails more',
    (p) => (d) => {
      const [most, few] = [{ n: 32 }, { n: 8 }];
      return d < BEFORE
        ? [
            { ...most, p },
            { ...few, p: p / 3 },
          ]
        : [
            { ...few, p },
            { ...most, p: p / 3 },
          ];
    },
    1000,
  ],
  ['a rise', (p) => (d) => one(d < BEFORE ? p : (1 + p) / 2), 1000],
  ['a slow rise over all days', (p) => (d) => one(slowly(p / 2, p, d)), 200],
  ['a rise before the change', (p) => (d) => one(d < BEFORE / 2 ? p / 2 : p), 200],
];

describe.each(Object.entries(MODES))('%s', (name, mode) => {
  const few = name === 'a known change' ? 60 : 8;
  const all = QUIET.flatMap(([what, plan, most]) =>
    [0.1, 0.5, 0.7, 0.95].map((p) => ({ what, p, plan: plan(p), most })),
  );
  // Each plan once or twice, and each chance as well.
  test.each(byDay(all, 3))('$what, p = $p: fires in at most alpha of the streams', ({ plan, most }) => {
    const all = simulate(plan, mode, streams(few, most));
    for (const alpha of [0.05, 0.01]) {
      expect(share(all.map((logEs) => fires(logEs, alpha)))).toBeLessThanOrEqual(alpha);
    }
  });
});

describe('siblings of a change of mix', () => {
  const models = 6;
  const calls = 7;

  test.each(Object.entries(MODES))(
    '%s: six models, of which all but the one that was luckiest so far are retired',
    (_, mode) => {
      // The worst that choosing by luck can do: the survivor's share was too good, and now it is what it is.
      const all = Array.from({ length: streams(40, 200) }, (_, seed) => {
        const random = chance(seed);
        const strata = Array.from({ length: models }, () =>
          Array.from({ length: BEFORE }, () => day(random, calls, 0.7)),
        );
        const good = strata.map((days) => days.reduce((sum, { x }) => sum + x, 0));
        strata[good.indexOf(Math.max(...good))]!.push(
          ...Array.from({ length: DAYS - BEFORE }, () => day(random, CALLS, 0.7)),
        );
        return looks(strata, mode);
      });
      for (const alpha of [0.05, 0.01]) {
        expect(share(all.map((logEs) => fires(logEs, alpha)))).toBeLessThanOrEqual(alpha);
      }
    },
  );

  test.each(Object.entries(MODES))('%s: a new model every month, each worse than the last', (_, mode) => {
    const plan: Plan = (d) => {
      const model = Math.floor(d / 30);
      return Array.from({ length: model + 1 }, (_, k) => ({ n: k === model ? CALLS : 0, p: 0.9 - 0.1 * k }));
    };
    const all = simulate(plan, mode, streams(20, 200));
    for (const alpha of [0.05, 0.01]) {
      expect(share(all.map((logEs) => fires(logEs, alpha)))).toBeLessThanOrEqual(alpha);
    }
  });

  test('a week of good days and worse weekends, which is a fall every Saturday, does not fire either', () => {
    const plan: Plan = (d) => one(d % 7 < 5 ? 0.75 : 0.6);
    const all = simulate(plan, MODES['an unknown day']!, streams(20, 200));
    expect(share(all.map((logEs) => fires(logEs, 0.05)))).toBeLessThanOrEqual(0.05);
  });
});

describe('a fall from .70 to .60', () => {
  const plan: Plan = (d) => one(d < BEFORE ? 0.7 : 0.6);

  test('known change: half are noticed within 15 days at alpha .05, within 18 at .01', () => {
    const all = simulate(plan, MODES['a known change']!, streams(200));
    expect(median(all.map((logEs) => firstDay(logEs, 0.05)))).toBeLessThanOrEqual(15);
    expect(median(all.map((logEs) => firstDay(logEs, 0.01)))).toBeLessThanOrEqual(18);
  });

  test('unknown day: half are noticed within 26 days at alpha .01, and the day is found', () => {
    const all = simulate(plan, MODES['an unknown day']!, streams(60));
    expect(median(all.map((logEs) => firstDay(logEs, 0.05)))).toBeLessThanOrEqual(26);
    expect(median(all.map((logEs) => firstDay(logEs, 0.01)))).toBeLessThanOrEqual(26);
    const found = Array.from(
      { length: streams(60) },
      (_, seed) => logEFallSomewhere(stream(plan, seed)).day!,
    );
    expect(median(found.map((d) => Math.abs(d - BEFORE)))).toBeLessThanOrEqual(3);
  });

  test('four kinds that all fall, and eight models that died five days before: the living are not hidden by the dead', () => {
    const dead = Array.from({ length: 8 }, () => ({ n: 5, p: 0.7 }));
    const split: Plan = (d) => [
      ...Array.from({ length: 4 }, () => ({ n: CALLS / 4, p: d < BEFORE ? 0.7 : 0.5 })),
      ...dead.map(({ n, p }) => ({ n: d < BEFORE - 5 ? n : 0, p })),
    ];
    const all = simulate(split, MODES['a known change']!, streams(60));
    expect(median(all.map((logEs) => firstDay(logEs, 0.01)))).toBeLessThanOrEqual(14);
  });

  test('one kind of five falls from .8 to .5: the others do not hide it', () => {
    const lone: Plan = (d) =>
      Array.from({ length: 5 }, (_, k) => ({ n: CALLS / 5, p: k === 0 && d >= BEFORE ? 0.5 : 0.8 }));
    const all = simulate(lone, MODES['a known change']!, streams(60));
    expect(median(all.map((logEs) => firstDay(logEs, 0.01)))).toBeLessThanOrEqual(12);
  });

  test('a slow fall from .80 to .50 is noticed as well, at an unknown day', () => {
    const all = simulate(
      (d) => one(d < BEFORE ? 0.8 : 0.8 - (0.3 * (d - BEFORE)) / 90),
      MODES['an unknown day']!,
      streams(20),
    );
    expect(median(all.map((logEs) => firstDay(logEs, 0.01)))).toBeLessThanOrEqual(45);
  });
});

/** What others do: z tests of two shares at .05, on every day. */
describe('beside it, without any change (p = .7)', () => {
  const z = (b: Day, a: Day) => {
    const p = (a.x + b.x) / (a.n + b.n);
    return (b.x / b.n - a.x / a.n) / Math.sqrt(p * (1 - p) * (1 / a.n + 1 / b.n));
  };
  const sum = (days: readonly Day[]): Day =>
    days.reduce((all, { n, x }) => ({ n: all.n + n, x: all.x + x }), { n: 0, x: 0 });
  const everAbove = (since: (look: number) => number) => {
    const all = Array.from({ length: 1000 }, (_, seed) => {
      const days = stream(() => one(0.7), seed)[0]!;
      const before = sum(days.slice(0, BEFORE));
      return Array.from({ length: DAYS - BEFORE }, (_, i) => BEFORE + 1 + i).some(
        (look) => Math.abs(z(before, sum(days.slice(since(look), look)))) > 1.959964,
      );
    });
    return share(all);
  };

  test.skipIf(!nightly)(
    'a z test of all calls since the change cries wolf in some 31 % of the streams',
    () => {
      expect(everAbove(() => BEFORE)).toBeCloseTo(0.31, 1);
    },
  );

  test('a z test of the last seven days does so in some 82 %', () => {
    expect(everAbove((look) => look - 7)).toBeCloseTo(0.82, 1);
  });
});
