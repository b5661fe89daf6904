/** What compare shows of both arms: rates and means with intervals, their difference, crude and standardised. Pure. */

import type { ArmCounts, Counts } from '../schema/counts.js';
import type { Metric } from '../schema/decision.js';
import { type Clustered, clusteredWilson, meanInterval, type Ratio, share } from '../stats/clusters.js';
import { type Interval, newcombe, type Share } from '../stats/interval.js';
import { standardised } from '../stats/standardise.js';

export type Measure = Metric | 'attempts' | 'tokens' | 'seconds';
export const MEASURES: readonly Measure[] = [
  'first-shot-rate',
  'acceptance-rate',
  'attempts',
  'tokens',
  'seconds',
];

/** A number with its interval and what it rests on. */
export interface Estimate {
  readonly value: number;
  readonly interval: Interval | null;
  readonly calls: number;
  readonly traces: number;
}

/** One measure of both arms; null where it is not known. */
export interface Compared {
  readonly measure: Measure;
  readonly baseline: Estimate | null;
  readonly candidate: Estimate | null;
  readonly crude: Difference | null;
  /** Over the kinds that both arms have, in the baseline's mix of answered calls. */
  readonly standardised: Difference | null;
}

export interface Difference {
  readonly value: number;
  readonly interval: Interval | null;
}

export function compareMeasures(baseline: ArmCounts, candidate: ArmCounts): Compared[] {
  return MEASURES.map((measure) => {
    const [ofBaseline, ofCandidate] = [estimate(measure, baseline.all), estimate(measure, candidate.all)];
    return {
      measure,
      baseline: ofBaseline,
      candidate: ofCandidate,
      crude: crude(measure, baseline.all, candidate.all),
      standardised: isRate(measure)
        ? standardisedRates(measure, baseline, candidate)
        : standardisedMeans(measure, baseline, candidate),
    };
  });
}

const isRate = (measure: Measure): measure is Metric =>
  measure === 'first-shot-rate' || measure === 'acceptance-rate';

/** Sums over traces of a rate of answered calls. */
export function clustered(metric: Metric, c: Counts): Clustered {
  const own =
    metric === 'first-shot-rate'
      ? [c.first_shots, c.first_shots_squared, c.answered_first_shots]
      : [c.accepted, c.accepted_squared, c.answered_accepted];
  const [successes = 0, successesSquared = 0, callsTimesSuccesses = 0] = own;
  return {
    traces: c.traces,
    calls: c.answered,
    successes,
    callsSquared: c.answered_squared,
    successesSquared,
    callsTimesSuccesses,
  };
}

/** The same of a mean, and how many calls it rests on. */
function ratio(measure: Exclude<Measure, Metric>, c: Counts): Ratio & { readonly calls: number } {
  switch (measure) {
    case 'attempts':
      return {
        ...{ traces: c.traces, calls: c.answered, amount: c.attempts_made, units: c.answered },
        amountSquared: c.attempts_squared,
        unitsSquared: c.answered_squared,
        amountTimesUnits: c.answered_attempts,
      };
    case 'tokens':
      return {
        ...{ traces: c.token_traces, calls: c.token_calls, amount: c.tokens, units: c.token_accepted },
        amountSquared: c.tokens_squared,
        unitsSquared: c.token_accepted_squared,
        amountTimesUnits: c.token_accepted_tokens,
      };
    case 'seconds':
      return {
        ...{
          traces: c.timed_traces,
          calls: c.timed_calls,
          amount: c.milliseconds / 1e3,
          units: c.timed_accepted,
        },
        amountSquared: c.milliseconds_squared / 1e6,
        unitsSquared: c.timed_accepted_squared,
        amountTimesUnits: c.timed_accepted_milliseconds / 1e3,
      };
  }
}

export function estimate(measure: Measure, c: Counts): Estimate | null {
  if (isRate(measure)) {
    const known = clustered(measure, c);
    if (known.calls === 0) return null;
    const value = known.successes / known.calls;
    return { value, interval: clusteredWilson(known), calls: known.calls, traces: known.traces };
  }
  const known = ratio(measure, c);
  const mean = meanInterval(known);
  return mean && { value: mean.mean, interval: mean.interval, calls: known.calls, traces: known.traces };
}

export function crude(measure: Measure, baseline: Counts, candidate: Counts): Difference | null {
  if (isRate(measure)) {
    const [a, b] = [share(clustered(measure, candidate)), share(clustered(measure, baseline))];
    return a && b && rateDifference(a, b);
  }
  return differenceOf(estimate(measure, candidate), estimate(measure, baseline));
}

/** Each end from the ends of both: Zou and Donner 2008, Statistics in Medicine 27, as Newcombe's method 10 does it for rates. */
function differenceOf(
  a: Pick<Estimate, 'value' | 'interval'> | null,
  b: Pick<Estimate, 'value' | 'interval'> | null,
): Difference | null {
  if (a === null || b === null) return null;
  const rest = a.value - b.value;
  // Sums of fractions in another order differ in their last digits, and that is no difference.
  const value = Math.abs(rest) <= 1e-12 * Math.max(Math.abs(a.value), Math.abs(b.value)) ? 0 : rest;
  if (a.interval === null || b.interval === null) return { value, interval: null };
  return {
    value,
    interval: {
      low: value - Math.hypot(a.value - a.interval.low, b.interval.high - b.value),
      high: value + Math.hypot(a.interval.high - a.value, b.value - b.interval.low),
    },
  };
}

interface Shared {
  readonly weight: number;
  readonly baseline: Counts;
  readonly candidate: Counts;
}

/** Kinds of which both arms have answered calls, with those of the baseline as weights. */
export function sharedKinds(baseline: ArmCounts, candidate: ArmCounts): Shared[] {
  return baseline.kinds.flatMap((one) => {
    const other = candidate.kinds.find(({ kind }) => kind === one.kind);
    return one.answered > 0 && other !== undefined && other.answered > 0
      ? [{ weight: one.answered, baseline: one, candidate: other }]
      : [];
  });
}

function standardisedRates(metric: Metric, baseline: ArmCounts, candidate: ArmCounts): Difference | null {
  const shared = sharedKinds(baseline, candidate);
  const arm = (which: 'baseline' | 'candidate'): Share | null =>
    standardised(
      shared.map((one) => ({ weight: one.weight, share: share(clustered(metric, one[which])) ?? NO_SHARE })),
    );
  const [a, b] = [arm('candidate'), arm('baseline')];
  return a && b && rateDifference(a, b);
}

const rateDifference = (a: Share, b: Share): Difference => {
  const value = a.rate - b.rate;
  return { value: Math.abs(value) < 1e-12 ? 0 : value, interval: newcombe(a, b) };
};

const NO_SHARE: Share = { rate: 0, n: 0 };

/** Null where a mean is not known in a kind of both: what it is without that kind is another question. */
function standardisedMeans(
  measure: Exclude<Measure, Metric>,
  baseline: ArmCounts,
  candidate: ArmCounts,
): Difference | null {
  const shared = sharedKinds(baseline, candidate);
  const total = shared.reduce((sum, { weight }) => sum + weight, 0);
  if (total === 0) return null;
  const arm = (which: 'baseline' | 'candidate') =>
    shared.reduce<Pick<Estimate, 'value' | 'interval'> | null>(
      (sum, one) => {
        const own = estimate(measure, one[which]);
        if (sum === null || own === null) return null;
        const w = one.weight / total;
        const value = sum.value + w * own.value;
        const ends =
          sum.interval === null || own.interval === null
            ? null
            : {
                low: value - Math.hypot(sum.value - sum.interval.low, w * (own.value - own.interval.low)),
                high: value + Math.hypot(sum.interval.high - sum.value, w * (own.interval.high - own.value)),
              };
        return { value, interval: ends };
      },
      { value: 0, interval: { low: 0, high: 0 } },
    );
  return differenceOf(arm('candidate'), arm('baseline'));
}
