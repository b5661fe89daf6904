import { describe, expect, test } from 'vitest';
import { type Arm, type CompareAsked, concludeCompare } from '../../src/gate/compare.js';
import { concludeDrift, type DriftAsked } from '../../src/gate/drift.js';
import { type ArmCounts, type Counts, NOTHING } from '../../src/schema/counts.js';

const nightly = process.env.LAKELOG_NIGHTLY === '1';

/** Numbers from 0 to 1 that are the same in every run (Steele, Lea and Flood 2014, SplitMix). */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x9e3779b9) | 0;
    let z = state;
    z = Math.imul(z ^ (z >>> 16), 0x21f0aaad);
    z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
    return ((z ^ (z >>> 15)) >>> 0) / 2 ** 32;
  };
}

/** Counts of an arm whose traces have one call each. */
function counts(kinds: Readonly<Record<string, readonly [n: number, x: number]>>): ArmCounts {
  const of = (n: number, x: number): Counts => ({
    ...NOTHING,
    ...{ traces: n, calls: n, answered: n, accepted: n, first_shots: x },
    ...{ answered_squared: n, first_shots_squared: x, answered_first_shots: x, accepted_squared: n },
    ...{ answered_accepted: n, firsts: n, firsts_first_shots: x, firsts_accepted: n },
  });
  const all = Object.values(kinds).reduce(([n, x], one) => [n + one[0], x + one[1]] as const, [
    0, 0,
  ] as const);
  return {
    kinds: Object.entries(kinds).map(([kind, [n, x]]) => ({ kind, ...of(n, x) })),
    all: of(...all),
    versions: [],
    oldest: '2026-01-01T00:00:00Z',
    newest: '2026-01-11T00:00:00Z',
  };
}

const arm = (role: Arm['role'], kinds: Parameters<typeof counts>[0], grows = true): Arm => ({
  role,
  name: role,
  counts: counts(kinds),
  grows,
});

const ASKED: CompareAsked = {
  metric: 'first-shot-rate',
  margin: 0.1,
  alpha: 0.025,
  isGate: true,
  selected: new Set(),
};

const conclude = (
  baseline: Parameters<typeof counts>[0],
  candidate: Parameters<typeof counts>[0],
  asked: Partial<CompareAsked> = {},
) => concludeCompare(arm('baseline', baseline), arm('candidate', candidate), { ...ASKED, ...asked });

describe('compare', () => {
  test.each<[string, Parameters<typeof counts>[0], Parameters<typeof counts>[0], number, string]>([
    ['worse', { a: [600, 420] }, { a: [600, 300] }, 0.05, 'worse by more than 5 points'],
    [
      'worse, but by how much is open',
      { a: [600, 420] },
      { a: [600, 300] },
      0.1,
      'worse, and cannot tell yet whether by more than 10 points',
    ],
    [
      'worse, and by no more',
      { a: [9_000, 6_300] },
      { a: [9_000, 5_850] },
      0.1,
      'worse, and by no more than 10 points',
    ],
    ['better', { a: [600, 300] }, { a: [600, 420] }, 0.1, 'better'],
    ['the same', { a: [1_500, 1_050] }, { a: [1_500, 1_050] }, 0.1, 'not worse by more than 10 points'],
    ['few', { a: [20, 14] }, { a: [20, 10] }, 0.1, 'cannot tell yet'],
    ['nothing', { a: [0, 0] }, { a: [20, 10] }, 0.1, 'cannot tell: nothing to compare'],
    ['no kind of both', { a: [20, 10] }, { b: [20, 10] }, 0.1, 'cannot tell: nothing to compare'],
  ])('%s', (_, baseline, candidate, margin, words) => {
    expect(conclude(baseline, candidate, { margin }).facts.conclusion).toBe(words);
  });

  test('a kind of the baseline that the candidate lacks may have been as good as can be', () => {
    // Worse by far in one kind, and half of the baseline unknown: still worse in all.
    const { findings, facts } = conclude({ a: [600, 590], b: [60, 0] }, { a: [600, 10] });
    expect(findings.fired).toHaveLength(1);
    expect(findings.cannot_vouch.map(({ code }) => code)).toEqual(['one_sided_kind']);
    expect(facts.conclusion).toContain('in the kinds of both');
    // Where it could make up for it, nothing fires.
    expect(conclude({ a: [600, 400], b: [600, 100] }, { a: [600, 300] }).findings.fired).toEqual([]);
  });

  test('what is needed is of the side that grows', () => {
    const sides = [
      arm('baseline', { a: [2_000, 1_400] }, false),
      arm('candidate', { a: [100, 70] }),
    ] as const;
    const { needed } = concludeCompare(...sides, ASKED).facts;
    expect(needed).toMatchObject({ baseline: 0, candidate: expect.any(Number), days: expect.any(Number) });
    expect(needed!.days).toBe(Math.ceil(needed!.candidate / 10));
    const closed = concludeCompare(sides[0], arm('candidate', { a: [100, 70] }, false), ASKED);
    expect(closed.facts.needed).toBeNull();
    expect(closed.findings.cannot_vouch[0]!.next).toContain('which gets none');
  });

  test('every number is finite, whatever the counts', () => {
    for (const [b, c] of [
      [
        [0, 0],
        [0, 0],
      ],
      [
        [1, 0],
        [1, 1],
      ],
      [
        [1, 1],
        [1, 0],
      ],
      [
        [1e7, 1e7],
        [1e7, 0],
      ],
      [
        [1e7, 0],
        [1, 1],
      ],
    ] as const) {
      const { facts } = conclude({ a: b }, { a: c });
      expect(JSON.parse(JSON.stringify(facts))).toEqual(facts);
    }
  });

  const STREAMS = nightly ? 1_000 : 10;
  const DAYS = 90;

  /** Streams in which a conclusion was ever reached, at looks on each of 90 days, with two kinds whose mix changes. */
  function everReached(
    p: number,
    q: number,
    reached: (conclusion: ReturnType<typeof conclude>) => boolean,
  ): number {
    let streams = 0;
    for (let stream = 0; stream < STREAMS; stream++) {
      const next = random(stream * 7_919 + 1);
      const sums = { b: { a: [0, 0], b: [0, 0] }, c: { a: [0, 0], b: [0, 0] } };
      const add = (sum: number[], rate: number) => {
        sum[0]!++;
        if (next() < rate) sum[1]!++;
      };
      for (let day = 0; day < DAYS; day++) {
        const easy = day / DAYS;
        for (let i = 0; i < 10; i++) {
          const kind = next() < easy ? 'a' : 'b';
          add(sums.b[kind], kind === 'a' ? p : p / 2);
          const other = next() < easy ? 'a' : 'b';
          add(sums.c[other], other === 'a' ? q : q / 2);
        }
        if (reached(conclude(sums.b as never, sums.c as never))) {
          streams++;
          break;
        }
      }
    }
    return streams / STREAMS;
  }

  test('looked at daily, equal arms are seldom better or worse', () => {
    const rate = everReached(0.7, 0.7, ({ facts }) => /^(better|worse)/.test(facts.conclusion));
    expect(rate).toBeLessThanOrEqual(0.05);
  }, 600_000);

  test('looked at daily, what is worse by the margin seldom passes', () => {
    const passes = everReached(
      0.8,
      0.6,
      ({ findings }) => findings.cannot_vouch.length === 0 && findings.fired.length === 0,
    );
    expect(passes).toBeLessThanOrEqual(0.025);
  }, 600_000);
});

const DRIFT: DriftAsked = {
  ...{ metric: 'first-shot-rate', margin: 0.1, alpha: 0.01, strata: [], change: null, epoch: null },
  days: Array.from({ length: 200 }, (_, day) => new Date(Date.UTC(2026, 0, 1 + day)).toISOString()),
  settle: () => 'lakelog ack',
};

const series = (days: number, n: number, rate: (day: number) => number) =>
  Array.from({ length: days }, (_, day) => ({ n, x: Math.round(n * rate(day)) }));

describe('drift', () => {
  const stratum = (kind: string, days: DriftAsked['strata'][number]['days']) => ({
    kind,
    model: 'm',
    days,
    changedAt: null,
  });

  test('what is asked again of the same counts says the same', () => {
    const asked = {
      ...DRIFT,
      strata: [
        stratum(
          'a',
          series(80, 40, (day) => (day < 60 ? 0.7 : 0.5)),
        ),
      ],
    };
    expect(concludeDrift(asked)).toEqual(concludeDrift(asked));
    expect(concludeDrift(asked).facts).toMatchObject({
      conclusion: 'fallen',
      changed_at: '2026-03-02T00:00:00.000Z',
    });
  });

  test('calls of a stratum that is new count as fallen as far as they can', () => {
    const old = stratum(
      'a',
      series(80, 40, () => 0.7),
    );
    const fresh = (n: number) =>
      stratum(
        'b',
        series(80, n, () => 0.7).map((day, i) => (i < 79 ? { n: 0, x: 0 } : day)),
      );
    const few = concludeDrift({ ...DRIFT, strata: [old, fresh(10)] });
    const many = concludeDrift({ ...DRIFT, strata: [old, fresh(2_000)] });
    expect(few.findings.cannot_vouch).toEqual([]);
    expect(many.facts.excluded_fall!).toBeGreaterThan(few.facts.excluded_fall!);
    expect(many.findings.cannot_vouch).not.toEqual([]);
  });

  const replacing = (from: number, to: number, share = 1, day = 60) => {
    const part = (i: number) => (i < day ? 0 : share);
    return [
      stratum(
        'old',
        Array.from({ length: 90 }, (_, i) => good(Math.round(100 * (1 - part(i))), from)),
      ),
      stratum(
        'new',
        Array.from({ length: 90 }, (_, i) => good(Math.round(100 * part(i)), to)),
      ),
    ];
  };
  const good = (n: number, rate: number) => ({ n, x: Math.round(n * rate) });

  test('a model that is replaced by a worse one cannot be vouched for, on whichever day', () => {
    const { findings, facts } = concludeDrift({ ...DRIFT, strata: replacing(0.9, 0.2) });
    expect(facts.excluded_fall!).toBeLessThan(0.1);
    expect(findings.fired).toEqual([]);
    expect(findings.cannot_vouch.map(({ code }) => code)).toEqual(['replaced']);
    expect(findings.cannot_vouch[0]!.message).toMatch(
      /fell from 90\.0 % to 20\.0 % on 2026-03-02, where new of m came \(3000 calls\)/,
    );
  });

  test('one that is not worse, or little of it, passes', () => {
    for (const strata of [replacing(0.7, 0.7), replacing(0.7, 0.9), replacing(0.9, 0.6, 0.05)]) {
      expect(concludeDrift({ ...DRIFT, strata }).findings).toMatchObject({ fired: [], cannot_vouch: [] });
    }
  });

  test('a mix that changes among kinds that were there is told, and passes', () => {
    const mixed = [
      stratum(
        'hard',
        Array.from({ length: 90 }, (_, i) => good(i < 60 ? 20 : 80, 0.2)),
      ),
      stratum(
        'easy',
        Array.from({ length: 90 }, (_, i) => good(i < 60 ? 80 : 20, 0.9)),
      ),
    ];
    const { fired, cannot_vouch, notices } = concludeDrift({ ...DRIFT, strata: mixed }).findings;
    expect([fired, cannot_vouch]).toEqual([[], []]);
    expect(notices).toEqual([expect.objectContaining({ code: 'mix_of_all' })]);
  });

  test('every number is finite without any calls', () => {
    const { facts, findings } = concludeDrift(DRIFT);
    expect(JSON.parse(JSON.stringify(facts))).toEqual(facts);
    expect(findings.cannot_vouch.map(({ code }) => code)).toEqual(['no_calls']);
  });
});
