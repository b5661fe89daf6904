/** What a fall of the rate of all calls together is to be taken for, where no kind of any model has fallen by itself. Pure. */
import type { Metric } from '../schema/decision.js';
import type { Finding } from '../schema/result.js';
import { type Day, type Stratum as Days, logEFallAt, logEFallSomewhere } from '../stats/drift.js';
import { plural } from './rule.js';
import { METRIC_WORDS, margin as marginWords, percent } from './words.js';

export interface MixAsked {
  readonly metric: Metric;
  readonly margin: number;
  readonly alpha: number;
  readonly strata: readonly { readonly kind: string; readonly model: string | null; readonly days: Days }[];
  /** The first period after a change that is known. */
  readonly period: number | null;
  /** What the beginning of a period is called. */
  readonly momentOf: (period: number) => string;
  readonly settle: (period: number) => string | undefined;
}

const NOTHING_ODD = { cannot_vouch: [], notices: [] };

/**
 * Each kind of each model is judged by itself, so a new model that is worse than the one it replaces has not fallen. Where
 * that makes all calls together fall, somebody must hear of it: where what is new makes out more than the margin, nothing
 * is known of whether it is the cause (3); else it is the mix, which is told.
 */
export function mixFindings(asked: MixAsked): {
  readonly cannot_vouch: readonly Finding[];
  readonly notices: readonly Finding[];
} {
  const { strata, period, margin, alpha, momentOf } = asked;
  const pooled = together(strata.map(({ days }) => days));
  const { logE, day } =
    period === null ? logEFallSomewhere([pooled]) : { logE: logEFallAt([pooled], period), day: period };
  if (day === null || logE < -Math.log(alpha)) return NOTHING_ODD;
  const [before, after] = [total(pooled.slice(0, day)), total(pooled.slice(day))];
  const fresh = strata.filter(({ days }) => total(days.slice(0, day)).n === 0);
  const calls = fresh.reduce((sum, { days }) => sum + total(days).n, 0);
  const fell = `the ${METRIC_WORDS[asked.metric]} of all calls together fell from ${percent(before.x / before.n)} to ${percent(after.x / after.n)} ${momentOf(day)}`;
  if (calls / after.n <= margin) {
    return {
      cannot_vouch: [],
      notices: [
        {
          code: 'mix_of_all',
          message: `${fell}, and no kind of any model by itself: they are mixed otherwise`,
          next: 'look at the rows, and compare what there is more of with what there was: lakelog compare',
        },
      ],
    };
  }
  const next = asked.settle(day);
  return {
    cannot_vouch: [
      {
        code: 'replaced',
        message: `${fell}, where ${named(fresh)} came (${plural(calls, 'call')}), with nothing before to be compared with; more than ${marginWords(margin)} of what is judged is new`,
        ...(next === undefined ? {} : { next }),
      },
    ],
    notices: [],
  };
}

function named(fresh: MixAsked['strata']): string {
  const [first] = fresh;
  const name = `${first!.kind}${first!.model === null ? '' : ` of ${first!.model}`}`;
  return fresh.length === 1 ? name : `${name} and ${fresh.length - 1} more`;
}

const total = (days: Days): Day =>
  days.reduce((sum, { n, x }) => ({ n: sum.n + n, x: sum.x + x }), { n: 0, x: 0 });

const together = (strata: readonly Days[]): Day[] =>
  Array.from({ length: Math.max(0, ...strata.map(({ length }) => length)) }, (_, day) =>
    total(strata.flatMap((days) => days[day] ?? [])),
  );
