/**
 * Has a rate fallen? Tests over days that may be looked at every day, from the first one on.
 *
 * The hypothesis is "not fallen": in every stratum (kind and model) each call from the change on had at least the chance
 * of success of each call before it. The rates may move about as they like on either side, so a rise never fires, be it
 * sudden or slow; nor does a change of mix, since no stratum is compared with another. For an unknown day the hypothesis
 * is that no rate ever fell from one day to a later one.
 *
 * Per stratum, with b before and a after,
 *
 *     e = KT(b) KT(a) / max over q of likelihood(b and a at one q)   where the share seen has fallen
 *     e = the lowest that KT(b) KT(a) / (highest likelihood of b, of a) can be for so many calls   where it has not
 *
 * that is universal inference (see evalue.ts): the supremum under "not fallen" stands at one common rate where the share
 * fell. Why rates that move do no harm: let q be the lowest rate after the change, which no rate before it exceeds. A
 * stream with the one rate q throughout can be had from the true one by turning some failures before the change into
 * successes, and some successes after it into failures, and e never falls by either (that is why it is set to its lowest
 * where no fall is seen; tested over all small counts). So e is at most that of a stream whose rate is constant, which
 * is at most a martingale that begins with 1.
 *
 * Strata are multiplied, under each set of strata that may have fallen: which ones did is not known, so all sets but the
 * empty one count alike,
 *
 *     e = (Π (1 + e_k) − 1) / (2^K − 1)
 *
 * K being those that had a call within the last 28 days with calls before the change: settled when the change comes, so
 * that no later look counts another set. A stratum that says nothing costs at most ln 2, where a plain product would take
 * its regret of 5 or so, and many dead models would hide what the living one does; with one stratum e is its own.
 *
 * What is taken for granted: verdicts are independent (the first answered call of a trace only), and which strata have
 * calls when does not depend on their earlier verdicts. Sources as in evalue.ts; a mixture over change days: Shin, Ramdas
 * and Rinaldo 2024, E-detectors, The New England Journal of Statistics in Data Science 2(2).
 */
import { type Arms, logEOfDifference } from './evalue.js';
import { divergence, logSum, regret, worstRegret } from './likelihood.js';

/** First answered calls of the traces of a day, of one stratum, and how many of them succeeded. */
export interface Day {
  readonly n: number;
  readonly x: number;
}

/** Days in order, one entry per day; the same index is the same day in every stratum. */
export type Stratum = readonly Day[];

/** How many days with calls a stratum may have been silent before a change, and still be asked about it. */
export const REMEMBERED_DAYS = 28;

/** What was counted up to a day, so that no day is summed up twice. */
interface Ledger {
  readonly days: number;
  readonly strata: readonly Sums[];
  /** How many of the days before this one had calls, of any stratum. */
  readonly busyBefore: Int32Array;
}

interface Sums {
  /** n[d] and x[d] count the days before d. */
  readonly n: Float64Array;
  readonly x: Float64Array;
  /** The last day with calls before d, or −1. */
  readonly last: Int32Array;
}

function sumsOf(stratum: Stratum, days: number): Sums {
  const n = new Float64Array(days + 1);
  const x = new Float64Array(days + 1);
  const last = new Int32Array(days + 1).fill(-1);
  for (let d = 0; d < days; d++) {
    const day = stratum[d];
    n[d + 1] = n[d]! + (day?.n ?? 0);
    x[d + 1] = x[d]! + (day?.x ?? 0);
    last[d + 1] = (day?.n ?? 0) > 0 ? d : last[d]!;
  }
  return { n, x, last };
}

function ledgerOf(strata: readonly Stratum[]): Ledger {
  // Days without calls at the end are days to come: looking on a holiday says what was said the day before.
  const days = strata.reduce((most, days) => Math.max(most, days.findLastIndex(({ n }) => n > 0) + 1), 0);
  const busyBefore = new Int32Array(days + 1);
  for (let d = 0; d < days; d++) {
    busyBefore[d + 1] = busyBefore[d]! + (strata.some((stratum) => (stratum[d]?.n ?? 0) > 0) ? 1 : 0);
  }
  return { days, busyBefore, strata: strata.map((stratum) => sumsOf(stratum, days)) };
}

/** ln e of "not fallen" for one stratum. */
function logEOfStratum({ n, x }: Sums, change: number, days: number): number {
  const before = n[change]!;
  const after = n[days]! - before;
  const good = x[change]!;
  const goodAfter = x[days]! - good;
  if (good * after <= goodAfter * before) return -worstRegret(before) - worstRegret(after);
  const rate = x[days]! / n[days]!;
  return (
    divergence(before, good, rate) -
    regret(before, good) +
    divergence(after, goodAfter, rate) -
    regret(after, goodAfter)
  );
}

/** ln (Π (1 + e_k) − 1) / (2^K − 1) of the strata that are asked; null where none of them has calls on both sides. */
function logEAt({ days, strata, busyBefore }: Ledger, change: number): number | null {
  let sum = 0;
  let asked = 0;
  let goesOn = false;
  for (const stratum of strata) {
    const last = stratum.last[change]!;
    if (last < 0 || busyBefore[change]! - busyBefore[last]! > REMEMBERED_DAYS) continue;
    asked++;
    goesOn ||= stratum.last[days]! >= change;
    sum += logSum(0, logEOfStratum(stratum, change, days));
  }
  if (!goesOn) return null;
  return sum + Math.log(-Math.expm1(-sum)) - asked * Math.LN2 - Math.log(-Math.expm1(-asked * Math.LN2));
}

/**
 * ln e against "has not fallen at day `change`" (an index; that day counts as after). It fires where ln e >= ln(1 / alpha),
 * and the chance that it ever does without a fall is at most alpha. 0 where nothing was learnt: none of the strata that
 * had calls before has any since, as when every model was replaced.
 *
 * The day must come from elsewhere (a release, a change of version), not from a look at the rates: who picks the day that
 * looks worst asks {@link logEFallSomewhere}.
 *
 *     60 days of 40 calls with 28 good ones, then 15 days with 24: ln e = 3.18, above ln 20
 */
export function logEFallAt(strata: readonly Stratum[], change: number): number {
  const ledger = ledgerOf(strata);
  return change > 0 && change < ledger.days ? (logEAt(ledger, change) ?? 0) : 0;
}

/** Half of the prior lies on so many days. */
const HALF = 90;
/** The share of the prior that lies on days after the first `days`. */
const priorAfter = (days: number) => HALF / (HALF + days);

/**
 * The chance, before anything is seen, that the rate falls at day `day` >= 1. It sums to 1 over all days for ever, so
 * that nobody has to say when watching ends, and falls so slowly that a late day costs little more than an early one: it
 * is 1 in 160 at day 30, 1 in 2,300 at 365, 1 in 155,000 at 3650.
 *
 *     prior(day) = 90 / (89 + day) − 90 / (90 + day)
 */
export function changePrior(day: number): number {
  return HALF / ((HALF + day - 1) * (HALF + day));
}

/**
 * ln e against "no rate ever fell", at no matter which day: the mean of the e of all days under {@link changePrior}. Each
 * is valid, so their mean is, and it is the same whether one looks daily or once; days must always be counted from the
 * same first one (a sliding window would begin again each time, and fire at last). Days to come count as what they are
 * worth now: next to nothing. `day` is the likeliest one, null where there is none yet.
 */
export function logEFallSomewhere(strata: readonly Stratum[]): {
  readonly logE: number;
  readonly day: number | null;
} {
  const ledger = ledgerOf(strata);
  const { days } = ledger;
  if (days === 0) return { logE: 0, day: null };
  const cost = ledger.strata.reduce((sum, { n }) => sum + worstRegret(n[days]!), 0);
  let logE = Math.log(priorAfter(days - 1)) - cost;
  let best = -Infinity;
  let day: number | null = null;
  for (let change = 1; change < days; change++) {
    const at = logEAt(ledger, change);
    if (at === null) continue;
    const weighed = Math.log(changePrior(change)) + at;
    logE = logSum(logE, weighed);
    if (weighed > best) {
      best = weighed;
      day = change;
    }
  }
  return { logE, day };
}

/** A fall that is excluded, since which day, and what share of the calls since then it speaks of. */
export interface ExcludedFall {
  /** From 0 to 1: falls as large as this, and larger ones, are excluded. */
  readonly fall: number;
  readonly since: number;
  /** The share of the calls since then whose stratum had calls before, too: of the others nothing can be said. */
  readonly judged: number;
}

function armsAt({ days, strata }: Ledger, change: number): Arms[] {
  return strata
    .map(({ n, x }): Arms => {
      const candidate = { n: n[days]! - n[change]!, x: x[days]! - x[change]! };
      return { baseline: { n: n[change]!, x: x[change]! }, candidate, weight: candidate.n };
    })
    .filter(({ baseline, candidate }) => baseline.n > 0 && candidate.n > 0);
}

const excludes = (arms: readonly Arms[], fall: number, alpha: number) =>
  logEOfDifference(arms, { atMost: -fall }) >= -Math.log(alpha);

const FINE = 1 / 4096;

/** The smallest excluded fall below `below`, which is excluded. */
function smallestBelow(arms: readonly Arms[], below: number, alpha: number): number {
  let low = 0;
  let high = below;
  while (high - low > FINE) {
    const middle = (low + high) / 2;
    if (excludes(arms, middle, alpha)) high = middle;
    else low = middle;
  }
  return high;
}

/**
 * The smallest fall that is excluded at `alpha`: the difference before − after, each stratum with one rate on either
 * side, standardised to the calls after the change; over strata with calls on both sides. For an unknown day
 * (`change` null) the smallest over all days, and since which one: a fall that began later, or that is younger than the
 * data can tell, is not excluded by it ({@link daysWithout} says which days are). No prior is paid for that: the true day
 * is one, and it alone can be excluded wrongly, with a chance of at most alpha. Null where nothing is excluded.
 */
export function smallestExcludedFall(
  strata: readonly Stratum[],
  change: number | null,
  alpha: number,
): ExcludedFall | null {
  const ledger = ledgerOf(strata);
  const first = change ?? 1;
  const end = Math.min(ledger.days, change === null ? ledger.days : change + 1);
  let best: { fall: number; since: number } | null = null;
  for (const since of middleFirst(Math.max(1, first), end)) {
    const arms = armsAt(ledger, since);
    const below: number = best === null ? 1 : best.fall - FINE;
    if (arms.length === 0 || below <= 0 || !excludes(arms, below, alpha)) continue;
    best = { fall: smallestBelow(arms, below, alpha), since };
  }
  if (best === null || best.fall >= 1) return null;
  return { ...best, judged: judgedAt(ledger, best.since) };
}

/** Days from the middle outwards: the best one is found early, and the others are dismissed by one look each. */
function middleFirst(first: number, end: number): number[] {
  const days = Array.from({ length: Math.max(0, end - first) }, (_, i) => first + i);
  const middle = (first + end - 1) / 2;
  return days.sort((a, b) => Math.abs(a - middle) - Math.abs(b - middle));
}

function judgedAt(ledger: Ledger, change: number): number {
  const all = ledger.strata.reduce((sum, { n }) => sum + n[ledger.days]! - n[change]!, 0);
  return armsAt(ledger, change).reduce((sum, { weight }) => sum + weight, 0) / all;
}

/**
 * The latest run of days of which it is excluded, at `alpha`, that a fall of `margin` or more began there and lasts: from
 * the day `from` to the day `to`, both included; null where there is none. What began after `to` is too young to tell.
 */
export function daysWithout(
  strata: readonly Stratum[],
  margin: number,
  alpha: number,
): { readonly from: number; readonly to: number } | null {
  const ledger = ledgerOf(strata);
  const excluded = (day: number) => day > 0 && excludes(armsAt(ledger, day), margin, alpha);
  let to = ledger.days - 1;
  while (to > 0 && !excluded(to)) to--;
  if (to <= 0) return null;
  let from = to;
  while (excluded(from - 1)) from--;
  return { from, to };
}
