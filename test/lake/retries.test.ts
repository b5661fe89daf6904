import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { readPrices } from '../../src/query/prices.js';
import { loadLog } from '../oracle/oracle.mjs';
import { GROUPINGS, randomBy, randomFilters, randomLogs } from '../oracle/random-logs.mjs';
import { retries } from '../oracle/retries.mjs';
import fc from '../support/fast-check.js';
import { ask, asObjects, filtersFrom, rounded, tempFolder } from '../support/lake.js';

const NOW = new Date('2026-10-01T00:00:00Z');
const NIGHTLY = process.env.LAKELOG_NIGHTLY === '1';
const RUNS = NIGHTLY ? 200 : 8;

const folder = tempFolder();
const file = path.join(folder, 'sessions.jsonl');
const requests = [{ path: file, as: 'sessions' as const }];

const PRICES = { gemma: [3e-6, 15e-6], 'qwen3:8b': [0, 2e-6], '🦆': [0, 0], 'a|b': [1e-6, 0] } as const;
const priceFile = path.join(folder, 'prices.json');
writeFileSync(
  priceFile,
  JSON.stringify(
    Object.fromEntries(
      Object.entries(PRICES).map(([model, [input, output]]) => [
        model,
        { input_cost_per_token: input, output_cost_per_token: output, mode: 'chat' },
      ]),
    ),
  ),
);

interface Seen {
  rows: number;
  metered: number;
  paid: number;
  pays: Set<unknown>;
  recommended: Set<unknown>;
}

describe('random logs: what retries buy equals an oracle that walks each call', () => {
  test(
    'with and without prices and a worth',
    async () => {
      const seen: Seen = { rows: 0, metered: 0, paid: 0, pays: new Set(), recommended: new Set() };
      const cases = fc.record({
        log: randomLogs({ maxCalls: 120, maxRuns: 0 }),
        filters: randomFilters(),
        by: randomBy(),
        prices: fc.constantFrom(null, PRICES, PRICES, PRICES),
        worth: fc.constantFrom(null, 1e-4, 1e-3, 0.02, 5),
      });
      await fc.assert(
        fc.asyncProperty(cases, async ({ log: { sessions }, filters, by: chosen, worth: asked, prices }) => {
          writeFileSync(file, sessions);
          const by = GROUPINGS.filter(
            (name) => chosen.includes(name) || (prices !== null && name === 'model'),
          );
          const worth = prices === null ? null : asked;
          const log = loadLog([{ file, bytes: sessions, as: 'sessions' }], {
            now: NOW.getTime(),
            pendingGraceS: 0,
          });
          const wanted = retries(log, { by, minN: 5, filters, prices, worth });
          const money = prices && { prices: readPrices(priceFile, folder), worth };
          const options = { filters: filtersFrom(filters), now: NOW, money };
          const answer = asObjects(await ask('retries', requests, { by, min_n: ['5'] }, options));
          expect(rounded(answer)).toEqual(rounded(wanted));
          note(seen, answer);
        }),
        // Shrinking would take longer than reading one log.
        { numRuns: RUNS, endOnFailure: true },
      );
      // Or nothing was compared.
      expect(seen.rows).toBeGreaterThan(2 * RUNS);
      expect(seen.metered).toBeGreaterThan(RUNS / 2);
      expect(seen.paid).toBeGreaterThan(RUNS / 8);
      expect([...seen.pays]).toEqual(expect.arrayContaining(['yes', 'cannot tell', undefined]));
      expect([...seen.recommended]).toEqual(expect.arrayContaining([true, false, undefined]));
    },
    NIGHTLY ? 7_200_000 : 600_000,
  );
});

function note(seen: Seen, answer: readonly Record<string, unknown>[]): void {
  for (const row of answer) {
    seen.rows += 1;
    if (Number(row.metered) > 0) seen.metered += 1;
    if (Number(row.cost) > 0) seen.paid += 1;
    seen.pays.add(row.pays);
    seen.recommended.add(row.recommended);
  }
}

describe('calls that are written by hand', () => {
  const call = (at: number, fields: object) => ({
    schema: 'session.iterate.v1',
    session_id: `trace-${at}`,
    timestamp: '2026-09-01T08:00:00Z',
    kind: 'fill',
    model: 'gemma',
    iterations: 1,
    final_verdict: 'accepted',
    ...fields,
  });
  const attempt = (verdict: string, input_tokens?: number, output_tokens?: number) => ({
    ...{ verdict, duration_ms: 500 },
    ...(input_tokens === undefined ? {} : { input_tokens }),
    ...(output_tokens === undefined ? {} : { output_tokens }),
  });
  async function rows(calls: readonly object[], worth: number | null = null) {
    writeFileSync(file, calls.map((one, at) => `${JSON.stringify(call(at, one))}\n`).join(''));
    return asObjects(
      await ask(
        'retries',
        requests,
        {},
        { now: NOW, money: { prices: readPrices(priceFile, folder), worth } },
      ),
    );
  }

  test('the work of calls that were never accepted counts, and an absent number is not zero', async () => {
    const exhausted = { final_verdict: 'max_iter_exhausted', iterations: 2 };
    const [first, second] = await rows([
      { attempts: [attempt('accepted', 100, 10)] },
      { iterations: 2, attempts: [attempt('rejected', 200, 20), attempt('accepted', 300, 30)] },
      { ...exhausted, attempts: [attempt('rejected', 1000, 0), attempt('rejected', 1000, 0)] },
      // No tokens of its second attempt: none of its tokens are told.
      { ...exhausted, attempts: [attempt('rejected', 7, 7), attempt('rejected', 7)] },
      { final_verdict: 'infra_error', attempts: [attempt('infra_error')] },
      { final_verdict: 'infra_error', iterations: 0, attempts: [] },
    ]);
    expect(first).toMatchObject({
      ...{ attempt: 1, calls: 5, rescued: 1, went_on: 3, exhausted: 0, infra_errors: 1, rescue_rate: 0.25 },
      ...{ metered: 3, input_tokens: 1300, output_tokens: 30, tokens_per_extra: 1330 },
      ...{ tokens_per_accepted: 1330, timed: 5, seconds_per_extra: 2.5 },
    });
    expect(first!.cost).toBeCloseTo(1300 * 3e-6 + 30 * 15e-6, 12);
    expect(second).toMatchObject({
      ...{ attempt: 2, calls: 3, rescued: 1, went_on: 0, exhausted: 2, infra_errors: 0 },
      ...{ metered: 2, tokens_per_extra: 1330, tokens_per_accepted: 2660 / 2, seconds_per_accepted: 2 },
    });
    expect(first).not.toHaveProperty('recommended');
  });

  test('a limit is what earns most of those that were tried, and certainty is another matter', async () => {
    const many = (count: number, one: object) => Array.from({ length: count }, () => one);
    const tried = (verdicts: readonly string[], tokens: number) => ({
      iterations: verdicts.length,
      final_verdict: verdicts.at(-1) === 'accepted' ? 'accepted' : 'max_iter_exhausted',
      attempts: verdicts.map((verdict) => attempt(verdict, tokens, 0)),
    });
    // At 3e-6 a token an attempt costs .003: worth .01 it must rescue three of ten.
    const calls = [
      ...many(60, tried(['accepted'], 1000)),
      ...many(30, tried(['rejected', 'accepted'], 1000)),
      ...many(1, tried(['rejected', 'rejected', 'accepted'], 1000)),
      ...many(29, tried(['rejected', 'rejected', 'rejected'], 1000)),
    ];
    const told = (await rows(calls, 0.01)).map(({ pays, recommended }) => [pays, recommended]);
    expect(told).toEqual([
      ['yes', false],
      ['yes', true],
      ['no', false],
    ]);
    const poor = await rows(calls, 1e-6);
    expect(poor.map(({ recommended }) => recommended)).toEqual([false, false, false]);
    const unknown = await rows(
      calls.map((one) => ({ ...one, model: 'gpt "x"' })),
      0.01,
    );
    expect(unknown.map(({ cost, pays, recommended }) => [cost, pays, recommended])).toEqual(
      many(3, [null, 'cannot tell', null]),
    );
  });

  test('nobody is told of attempts beyond the hundredth, and the last one says that there are', async () => {
    const told = await rows([{ iterations: 9007199254740991, final_verdict: 'max_iter_exhausted' }]);
    expect(told.length).toBe(100);
    expect(told.at(-1)).toMatchObject({ attempt: 100, calls: 1, went_on: 1, exhausted: 0, metered: 0 });
  });
});
