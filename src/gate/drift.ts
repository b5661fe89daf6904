/** First answered calls by stratum and time → whether a rate has fallen. A rise never fires, nor does a change of mix. Pure. */

import type { DecidedSide, DecisionFacts, DecisionFindings, Metric } from '../schema/decision.js';
import type { Epoch, Finding } from '../schema/result.js';
import {
  type Day,
  daysWithout,
  logEFallAt,
  logEFallSomewhere,
  smallestExcludedFall,
} from '../stats/drift.js';
import { newcombe, wilson } from '../stats/interval.js';
import { standardised } from '../stats/standardise.js';
import type { Concluded } from './compare.js';
import { mixFindings } from './drift-mix.js';
import { plural } from './rule.js';
import { dayOr, ends, METRIC_WORDS, margin as marginWords, points, rateOf } from './words.js';

/** A kind of one model, period by period. */
export interface Stratum {
  readonly kind: string;
  /** Null: models are what may have changed. */
  readonly model: string | null;
  readonly days: readonly Day[];
  /** RFC 3339 UTC: when the change came; null where none is known. */
  readonly changedAt: string | null;
}

export interface DriftAsked {
  readonly metric: Metric;
  readonly margin: number;
  readonly alpha: number;
  readonly strata: readonly Stratum[];
  /** What there is a before and an after of, and the first period after it; null: whichever day it was. */
  readonly change: { readonly words: string; readonly at: string | null; readonly period: number } | null;
  /** RFC 3339 UTC of the beginning of each day, where the day is unknown. */
  readonly days: readonly string[];
  readonly epoch: Epoch | null;
  /** What takes note of a drift at a moment. */
  readonly settle: (changedAt: string) => string;
}

/** @returns with the first period after the change. */
export function concludeDrift(asked: DriftAsked): Concluded & { readonly period: number } {
  const { change, strata, alpha, metric, epoch, margin } = asked;
  const series = strata.map(({ days }) => days);
  const found =
    change === null
      ? logEFallSomewhere(series)
      : { logE: logEFallAt(series, change.period), day: change.period };
  const sides = sidesAt(asked, found.day);
  const isFallen = sides.difference !== null && found.logE >= -Math.log(alpha);
  const excluded = excludedFall(series, change === null ? null : change.period, alpha);
  const isExcluded = excluded !== null && excluded.overall <= margin;
  const changedAt = change === null ? dayAt(asked, found.day) : change.at;
  const facts: DecisionFacts = {
    what: 'drift',
    metric,
    conclusion: isFallen ? 'fallen' : isExcluded ? notFallen(asked, excluded) : 'cannot tell yet',
    alpha,
    margin,
    ...sides,
    standardised_to: 'the kinds and models since then',
    log_e: { fallen: found.logE },
    needed: null,
    excluded_fall: excluded?.overall ?? null,
    changed_at: changedAt,
    epoch,
  };
  const sentence = sentenceOf(asked, facts);
  const judged = sides.baseline.calls + sides.candidate.calls;
  const period = found.day ?? 0;
  return {
    facts,
    sentence,
    judged,
    period,
    findings: withMix(findingsOf(asked, facts, sentence, isFallen, isExcluded), asked, isFallen),
  };
}

/** Of all calls together, where none fell by itself. */
function withMix(findings: DecisionFindings, asked: DriftAsked, isFallen: boolean): DecisionFindings {
  if (isFallen) return findings;
  const { change, settle } = asked;
  const more = mixFindings({
    ...asked,
    period: change?.period ?? null,
    momentOf: (period) =>
      change === null ? `on ${dayOr(dayAt(asked, period) ?? '')}` : `with ${change.words}`,
    settle: (period) => {
      const at = change === null ? dayAt(asked, period) : change.at;
      return at === null ? undefined : settle(at);
    },
  });
  const isToldAlready = findings.cannot_vouch.some(({ code }) => code === 'nothing_before');
  return {
    ...findings,
    cannot_vouch: [...findings.cannot_vouch, ...(isToldAlready ? [] : more.cannot_vouch)],
    notices: [...findings.notices, ...more.notices],
  };
}

const dayAt = ({ days }: DriftAsked, day: number | null) => (day === null ? null : (days[day] ?? null));

/**
 * A fall of the rate of all calls since then that is excluded: of those without any call before, nothing is known, so
 * they may have fallen as far as a rate can.
 */
function excludedFall(
  series: readonly (readonly Day[])[],
  change: number | null,
  alpha: number,
): Excluded | null {
  const of = (at: number | null): Excluded | null => {
    const found = smallestExcludedFall(series, at, alpha);
    return (
      found && {
        since: found.since,
        overall: found.judged * found.fall + 1 - found.judged,
        judged: found.judged,
      }
    );
  };
  const first = of(change);
  if (first === null || change !== null || first.judged === 1) return first;
  // Another day may speak of more of the calls.
  const days = Math.max(...series.map(({ length }) => length));
  const all = Array.from({ length: days - 1 }, (_, day) => of(day + 1));
  return all.reduce(
    (best: Excluded, one) => (one !== null && one.overall < best.overall ? one : best),
    first,
  );
}

interface Excluded {
  readonly since: number;
  /** A fall of the rate of all calls since then. */
  readonly overall: number;
  /** The share of those calls that had others before. */
  readonly judged: number;
}

/** Of an unknown day, since when, and what is too young to tell. */
function notFallen(asked: DriftAsked, { overall, since }: Excluded): string {
  const by = `not fallen by more than ${marginWords(overall)}`;
  if (asked.change !== null) return by;
  const known = daysWithout(
    asked.strata.map(({ days }) => days),
    asked.margin,
    asked.alpha,
  );
  const last = known === null ? null : dayAt(asked, known.to);
  const young = last === null ? '' : `; a fall that began after ${dayOr(last)} is too young to tell`;
  return `${by} since ${dayOr(dayAt(asked, since) ?? '')}${young}`;
}

/** All strata before a period, and from it on. */
function sidesAt(asked: DriftAsked, period: number | null) {
  const { strata, change } = asked;
  const at = period ?? 0;
  const day = dayAt(asked, period);
  const moment = change !== null ? change.words : day === null ? 'the first day' : dayOr(day);
  const both = strata.map(({ days: series }) => ({
    before: total(series.slice(0, at)),
    after: total(series.slice(at)),
  }));
  const shared = both.filter(({ before, after }) => before.n > 0 && after.n > 0);
  const arm = (which: 'before' | 'after') =>
    standardised(
      shared.map(({ after, [which]: { n, x } }) => ({ weight: after.n, share: { rate: x / n, n } })),
    );
  const [a, b] = [arm('after'), arm('before')];
  return {
    baseline: side(`before ${moment}`, total(both.map(({ before }) => before))),
    candidate: side(`since ${moment}`, total(both.map(({ after }) => after))),
    difference: a && b && a.rate - b.rate,
    interval: a && b && newcombe(a, b),
  };
}

const total = (days: readonly Day[]): Day =>
  days.reduce((sum, { n, x }) => ({ n: sum.n + n, x: sum.x + x }), { n: 0, x: 0 });

const side = (name: string, { n, x }: Day): DecidedSide => ({
  name,
  rate: n === 0 ? null : x / n,
  calls: n,
  successes: x,
  interval: wilson(x, n),
});

function sentenceOf(
  { change }: DriftAsked,
  { metric, baseline, candidate, difference, interval, changed_at, conclusion }: DecisionFacts,
): string {
  const rate = METRIC_WORDS[metric];
  // Where nothing fell, the likeliest day is nobody's concern.
  if (change === null && conclusion !== 'fallen')
    return `${rate} ${rateOf(together(baseline, candidate))}: ${conclusion}`;
  const when = change === null ? `${dayOr(changed_at ?? '')}, the likeliest day` : change.words;
  const shown =
    difference === null || interval === null
      ? ''
      : `; in the mix of kinds and models since then ${points(difference)}, ${ends(interval)}`;
  return `${rate} ${rateOf(candidate)} since ${when}, ${rateOf(baseline)} before${shown}: ${conclusion}`;
}

const together = (a: DecidedSide, b: DecidedSide): DecidedSide =>
  side('', { n: a.calls + b.calls, x: a.successes + b.successes });

function findingsOf(
  asked: DriftAsked,
  facts: DecisionFacts,
  sentence: string,
  isFallen: boolean,
  isExcluded: boolean,
): DecisionFindings {
  const { changed_at, baseline, candidate } = facts;
  const hasNone = baseline.calls + candidate.calls === 0;
  const unjudged = hasNone ? [] : oneSided(asked);
  const settle = changed_at === null ? undefined : asked.settle(changed_at);
  const empty: Finding[] = hasNone
    ? [
        {
          code: 'no_calls',
          message: 'there is no answered call to look at',
          next: 'name a log that holds some, or correct the filters',
        },
      ]
    : [];
  return {
    fired: isFallen
      ? [
          {
            code: 'fallen',
            message: sentence,
            ...(settle === undefined ? {} : { next: settle }),
          },
        ]
      : [],
    cannot_vouch: [
      ...empty,
      ...unjudged,
      ...(isFallen || isExcluded || hasNone || unjudged.length > 0 ? [] : [undecided(facts, asked)]),
    ],
    notices: [],
  };
}

function undecided({ excluded_fall }: DecisionFacts, { metric, margin }: DriftAsked): Finding {
  const shown =
    excluded_fall === null
      ? 'no fall is excluded yet'
      : `no smaller fall than one of ${marginWords(excluded_fall)} is excluded`;
  return {
    code: 'undecided',
    message: `cannot tell yet whether the ${METRIC_WORDS[metric]} has fallen: ${shown}, and --margin is ${marginWords(margin)}`,
    next: 'wait for more calls, or name a larger --margin',
  };
}

/** What a change brought with it has nothing to be compared with. */
function oneSided({ strata, change }: DriftAsked): Finding[] {
  if (change === null) return [];
  const { period, words } = change;
  const halves = strata.map((stratum) => ({
    ...stratum,
    before: total(stratum.days.slice(0, period)).n,
    after: total(stratum.days.slice(period)).n,
  }));
  const living = halves.filter(({ after }) => after > 0);
  if (living.length === 0) {
    return [
      {
        code: 'nothing_since',
        message: `there is no call since ${words}`,
        next: 'wait for some, or name an earlier moment',
      },
    ];
  }
  const unknown = living.filter(({ before }) => before === 0);
  const [first] = unknown;
  if (first === undefined) return [];
  const which = `${first.kind}${first.model === null ? '' : ` of ${first.model}`}`;
  const more = unknown.length === 1 ? '' : ` and ${unknown.length - 1} more`;
  const calls = unknown.reduce((sum, { after }) => sum + after, 0);
  return [
    {
      code: 'nothing_before',
      message: `${which}${more} (${plural(calls, 'call')}) has no call before ${words}: whether it fell cannot be told`,
      next: 'name more of the log, an earlier --since, or what has both: --kind NAME, --model NAME',
    },
  ];
}
