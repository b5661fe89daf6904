/** Counts of two arms → what can be said of them: better, worse, not worse than a margin, or nothing yet. Pure. */

import { stepWith } from '../errors.js';
import type { ArmCounts, Counts, VersionField } from '../schema/counts.js';
import { NOTHING, VERSION_FIELDS } from '../schema/counts.js';
import type { DecidedSide, DecisionFacts, DecisionFindings, Metric, Needed } from '../schema/decision.js';
import type { Finding } from '../schema/result.js';
import { type Arms, callsStillNeeded, logEOfDifference } from '../stats/evalue.js';
import { newcombe, wilson } from '../stats/interval.js';
import { standardised } from '../stats/standardise.js';
import { compareMeasures, type Measure } from './measures.js';
import { plural } from './rule.js';
import { ends, grouped, METRIC_WORDS, margin as marginWords, percent, points, rateOf } from './words.js';

/** One side of a comparison. */
export interface Arm {
  readonly role: 'baseline' | 'candidate';
  /** A selection or a file, as it can be pasted. */
  readonly name: string;
  readonly counts: ArmCounts;
  /** Whether calls may still be added to it. */
  readonly grows: boolean;
}

export interface CompareAsked {
  readonly metric: Metric;
  readonly margin: number;
  readonly alpha: number;
  /** Somebody asks for an exit code: `--not-worse-than`. */
  readonly isGate: boolean;
  /** Fields that one of the selections names. */
  readonly selected: ReadonlySet<string>;
}

export interface Concluded {
  readonly facts: DecisionFacts;
  readonly findings: DecisionFindings;
  readonly sentence: string;
  readonly judged: number;
}

export function concludeCompare(baseline: Arm, candidate: Arm, asked: CompareAsked): Concluded {
  const { metric } = asked;
  const strata = strataOf(baseline.counts, candidate.counts, metric);
  const evidence = evidenceOf(strata, asked);
  const sides = { baseline: sideOf(baseline, metric), candidate: sideOf(candidate, metric) };
  const difference = differenceOf(strata);
  const conclusion = conclusionOf(evidence, asked, oneSided(baseline.counts, candidate.counts).length > 0);
  const isDecided = evidence !== null && (evidence.isNotWorse || evidence.isWorseThanMargin);
  const needed = isDecided ? null : neededFor(baseline, candidate, strata, asked);
  const facts: DecisionFacts = {
    what: 'compare',
    metric,
    conclusion,
    alpha: asked.alpha,
    margin: asked.margin,
    ...sides,
    difference: difference?.value ?? null,
    interval: difference?.interval ?? null,
    standardised_to: 'the kinds of the baseline',
    log_e: evidence?.logE ?? null,
    needed,
    excluded_fall: null,
    changed_at: null,
    epoch: null,
  };
  const sentence = sentenceOf(facts);
  return {
    facts,
    findings: findingsOf({ baseline, candidate, asked, facts, sentence, evidence }),
    sentence,
    judged: sides.baseline.calls + sides.candidate.calls,
  };
}

const successesOf = (metric: Metric, counts: Counts) =>
  metric === 'first-shot-rate' ? counts.firsts_first_shots : counts.firsts_accepted;

/** Every kind of the baseline, by its first answered calls; one that the candidate lacks is unknown, not equal. */
function strataOf(baseline: ArmCounts, candidate: ArmCounts, metric: Metric): Arms[] {
  return baseline.kinds.flatMap((one) => {
    const other = candidate.kinds.find(({ kind }) => kind === one.kind);
    const count = (counts: Counts) => ({ n: counts.firsts, x: successesOf(metric, counts) });
    return one.firsts === 0
      ? []
      : [{ baseline: count(one), candidate: count(other ?? NOTHING), weight: one.firsts }];
  });
}

/** Kinds that one arm alone has first answered calls of. */
function oneSided(
  baseline: ArmCounts,
  candidate: ArmCounts,
): { kind: string; role: Arm['role']; calls: number }[] {
  const missing = (own: ArmCounts, other: ArmCounts, role: Arm['role']) =>
    own.kinds
      .filter(
        ({ kind, firsts }) => firsts > 0 && !other.kinds.some((one) => one.kind === kind && one.firsts > 0),
      )
      .map(({ kind, firsts }) => ({ kind, role, calls: firsts }));
  return [...missing(baseline, candidate, 'baseline'), ...missing(candidate, baseline, 'candidate')];
}

interface Evidence {
  readonly logE: Readonly<Record<'better' | 'worse' | 'not_worse_than_margin' | 'worse_than_margin', number>>;
  readonly isBetter: boolean;
  readonly isWorse: boolean;
  readonly isNotWorse: boolean;
  readonly isWorseThanMargin: boolean;
}

/** Each way by an e-value of its own: 1/alpha is reached by mistake in at most alpha of all cases, however often one looks. */
function evidenceOf(strata: readonly Arms[], { margin, alpha }: CompareAsked): Evidence | null {
  if (!strata.some(({ candidate }) => candidate.n > 0)) return null;
  const logE = {
    better: logEOfDifference(strata, { atMost: 0 }),
    worse: logEOfDifference(strata, { atLeast: 0 }),
    not_worse_than_margin: logEOfDifference(strata, { atMost: -margin }),
    worse_than_margin: logEOfDifference(strata, { atLeast: -margin }),
  };
  const shows = (value: number) => value >= -Math.log(alpha);
  return {
    logE,
    isBetter: shows(logE.better),
    isWorse: shows(logE.worse),
    isNotWorse: shows(logE.not_worse_than_margin),
    isWorseThanMargin: shows(logE.worse_than_margin),
  };
}

function conclusionOf(evidence: Evidence | null, { margin }: CompareAsked, isPartial: boolean): string {
  if (evidence === null) return 'cannot tell: nothing to compare';
  const of = isPartial ? ' in the kinds of both' : '';
  const { isBetter, isWorse, isNotWorse, isWorseThanMargin } = evidence;
  if (isWorseThanMargin) return `worse by more than ${marginWords(margin)}${of}`;
  if (isBetter) return `better${of}`;
  if (isWorse)
    return `worse${of}, and ${isNotWorse ? 'by no more' : 'cannot tell yet whether by more'} than ${marginWords(margin)}`;
  if (isNotWorse) return `not worse by more than ${marginWords(margin)}${of}`;
  return 'cannot tell yet';
}

function sideOf({ name, counts }: Arm, metric: Metric): DecidedSide {
  const { firsts } = counts.all;
  const successes = successesOf(metric, counts.all);
  return {
    name,
    rate: firsts === 0 ? null : successes / firsts,
    calls: firsts,
    successes,
    interval: wilson(successes, firsts),
  };
}

/** Over the kinds of both. */
function differenceOf(strata: readonly Arms[]) {
  const shared = strata.filter(({ candidate }) => candidate.n > 0);
  const arm = (which: 'baseline' | 'candidate') =>
    standardised(shared.map(({ weight, [which]: { n, x } }) => ({ weight, share: { rate: x / n, n } })));
  const [a, b] = [arm('candidate'), arm('baseline')];
  return a && b && { value: a.rate - b.rate, interval: newcombe(a, b) };
}

const DAY_MS = 86_400_000;

/** What both arms still need; null where no number of calls decides, or none comes. */
function neededFor(
  baseline: Arm,
  candidate: Arm,
  strata: readonly Arms[],
  { margin, alpha }: CompareAsked,
): Needed | null {
  if (!candidate.grows || strata.length === 0) return null;
  const needed = callsStillNeeded(strata, margin, alpha, baseline.grows ? 'both' : 'candidate');
  if (needed === null) return null;
  const waits = [waitOf(baseline, needed.baseline), waitOf(candidate, needed.candidate)];
  return { ...needed, days: waits.some((wait) => wait === null) ? null : Math.max(...(waits as number[])) };
}

/** Days until so many more have come; null where the pace is not known. */
function waitOf({ counts: { all, oldest, newest } }: Arm, calls: number): number | null {
  if (calls === 0) return 0;
  if (oldest === null || newest === null || all.firsts === 0) return null;
  const days = Math.max(1, (Date.parse(newest) - Date.parse(oldest)) / DAY_MS);
  return Math.ceil((calls * days) / all.firsts);
}

function sentenceOf(facts: DecisionFacts): string {
  const { metric, baseline, candidate, difference, interval, conclusion } = facts;
  const rates = `${rateOf(candidate)} against ${rateOf(baseline)}`;
  const shown =
    difference === null || interval === null
      ? ''
      : `; in the baseline's mix of kinds ${points(difference)}, ${ends(interval)}`;
  return `${METRIC_WORDS[metric]} ${rates}${shown}: ${conclusion}`;
}

interface Told {
  readonly baseline: Arm;
  readonly candidate: Arm;
  readonly asked: CompareAsked;
  readonly facts: DecisionFacts;
  readonly sentence: string;
  readonly evidence: Evidence | null;
}

function findingsOf(told: Told): DecisionFindings {
  const { baseline, candidate, asked, sentence, evidence } = told;
  const empty = emptyArms([baseline, candidate]);
  const partial = empty.length > 0 ? [] : [...oneSidedKinds(told), ...neverFirst(told)];
  const undecided = empty.length > 0 || partial.length > 0 ? [] : undecidedMargin(told);
  const fires = asked.isGate && evidence?.isWorseThanMargin === true && empty.length === 0;
  const doubts = [...partial, ...undecided];
  return {
    fired: fires ? [{ code: 'worse_than_margin', message: sentence }] : [],
    cannot_vouch: [...empty, ...(asked.isGate ? doubts : [])],
    notices: [
      ...(asked.isGate ? [] : [{ code: 'conclusion', message: sentence }]),
      ...(asked.isGate ? [] : doubts),
      ...turnedRound(told),
      ...versionNotices(told),
      ...startedElsewhere([baseline, candidate]),
      ...unrecorded([baseline, candidate]),
    ],
  };
}

const emptyArms = (arms: readonly Arm[]): Finding[] =>
  arms
    .filter(({ counts }) => counts.all.firsts === 0)
    .map(({ role, name, counts }) => ({
      code: 'no_calls',
      message: `the ${role} has no ${counts.all.calls === 0 ? 'call' : 'answered call that is the first of its trace'}: ${name}`,
      next: `correct --${role}, or name the logs that hold its calls`,
    }));

function oneSidedKinds({ baseline, candidate }: Told): Finding[] {
  return oneSided(baseline.counts, candidate.counts).map(({ kind, role, calls }) => ({
    code: 'one_sided_kind',
    message: `the kind ${JSON.stringify(kind)} (${plural(calls, 'call')}) is in the ${role} alone, so nothing can be said of it`,
    next: 'compare kinds that both have: --kind NAME',
  }));
}

/** The verdict is about the call that a trace begins with: of a kind that always follows another one there is none. */
function neverFirst({ baseline, candidate }: Told): Finding[] {
  const all = [...baseline.counts.kinds, ...candidate.counts.kinds];
  const judged = new Set(all.filter(({ firsts }) => firsts > 0).map(({ kind }) => kind));
  return [...new Set(all.map(({ kind }) => kind))].flatMap((kind) => {
    const answered = all.reduce((sum, one) => sum + (one.kind === kind ? one.answered : 0), 0);
    return judged.has(kind) || answered === 0
      ? []
      : [
          {
            code: 'never_first',
            message: `no trace begins with the kind ${JSON.stringify(kind)} (${plural(answered, 'call')}), so nothing is said of it`,
            next: stepWith([kind], (word) => `compare it by itself: --kind ${word}`),
          },
        ];
  });
}

function undecidedMargin({ baseline, candidate, asked, facts, evidence }: Told): Finding[] {
  if (evidence === null || evidence.isNotWorse || evidence.isWorseThanMargin) return [];
  return [
    {
      code: 'undecided',
      message: `cannot tell yet whether the ${METRIC_WORDS[asked.metric]} is worse by more than ${marginWords(asked.margin)}: ${rateOf(facts.candidate)} against ${rateOf(facts.baseline)}`,
      next: neededWords(facts, [baseline, candidate]),
    },
  ];
}

function neededWords({ needed, margin }: DecisionFacts, arms: readonly Arm[]): string {
  const closed = arms.filter(({ grows }) => !grows).map(({ role }) => role);
  const larger =
    margin > 0
      ? 'name a larger margin'
      : 'name a margin: equal arms never show that none is worse by anything';
  if (needed === null) {
    return closed.length === 0
      ? larger
      : `${larger}, or more calls of the ${closed.join(' and the ')}, which gets none`;
  }
  const more = (['baseline', 'candidate'] as const)
    .filter((role) => needed[role] > 0)
    .map((role) => `${grouped(needed[role])} more of the ${role}`);
  const days = needed.days === null ? '' : `, some ${plural(needed.days, 'day')} at the present pace`;
  return more.length === 0
    ? `wait for more calls: the difference is near the margin`
    : `wait for first answered calls, some ${more.join(' and ')}${days}; or ${larger}`;
}

const MEASURE_WORDS: Readonly<Record<Measure, string>> = {
  ...METRIC_WORDS,
  attempts: 'mean number of attempts',
  tokens: 'tokens per accepted call',
  seconds: 'seconds per accepted call',
};

/** Simpson's paradox: what is better in each kind may be worse in all, because the kinds are mixed otherwise. */
function turnedRound({ baseline, candidate }: Told): Finding[] {
  return compareMeasures(baseline.counts, candidate.counts)
    .filter(
      ({ crude, standardised: fair }) => crude !== null && fair !== null && crude.value * fair.value < 0,
    )
    .map(({ measure, crude, standardised: fair }) => ({
      code: 'mix_turns_it_round',
      message: `the mix of kinds turns the ${MEASURE_WORDS[measure]} round: ${change(measure, crude!.value)} over all calls, ${change(measure, fair!.value)} in the baseline's mix of kinds`,
      next: 'believe the second, and look at the rows by kind',
    }));
}

const change = (measure: Measure, value: number) =>
  measure === 'first-shot-rate' || measure === 'acceptance-rate'
    ? points(value)
    : Number(value.toPrecision(3)).toString().replace('-', '−');

/** A mix of versions that differs by less is the same mix, by chance. */
const LEAST_SHIFT = 0.1;

/** What differs besides what was selected may be the reason of the difference. */
function versionNotices({ baseline, candidate, asked: { selected } }: Told): Finding[] {
  const follows = (field: VersionField) => field === 'response_model' && selected.has('model');
  return VERSION_FIELDS.filter((field) => !selected.has(field) && !follows(field)).flatMap((field) => {
    const [a, b] = [mixOf(baseline.counts, field), mixOf(candidate.counts, field)];
    if (a.size === 0 || b.size === 0) return [];
    const values = [...new Set([...a.keys(), ...b.keys()])];
    const shifted = values.filter(
      (value) => Math.abs((a.get(value) ?? 0) - (b.get(value) ?? 0)) > LEAST_SHIFT,
    );
    if (shifted.length === 0) return [];
    return [
      {
        code: 'versions_differ',
        message: `${field} differs too: ${mixWords(a)} in the baseline, ${mixWords(b)} in the candidate; which of them made the difference cannot be told`,
        next: `hold it fixed in both selections: ${field}=…`,
      },
    ];
  });
}

function mixOf({ versions }: ArmCounts, field: VersionField): ReadonlyMap<string | null, number> {
  const own = versions.filter((one) => one.field === field);
  const total = own.reduce((sum, { calls }) => sum + calls, 0);
  return new Map(own.map(({ value, calls }) => [value, calls / total]));
}

const FEW = 3;

function mixWords(mix: ReadonlyMap<string | null, number>): string {
  const sorted = [...mix].sort(([, a], [, b]) => b - a);
  const named = sorted.slice(0, FEW).map(([value, part]) => {
    const name = value ?? 'not recorded';
    return mix.size === 1 ? name : `${name} ${percent(part)}`;
  });
  return sorted.length > FEW ? `${named.join(', ')} and ${sorted.length - FEW} more` : named.join(', ');
}

/** A retry or a fallback looks at a case again that somebody failed before. */
const startedElsewhere = (arms: readonly Arm[]): Finding[] =>
  arms
    .filter(({ counts: { all } }) => all.firsts > 0 && all.firsts < all.traces)
    .map(({ role, counts: { all } }) => ({
      code: 'begun_in_the_other_arm',
      message: `${plural(all.traces - all.firsts, 'trace')} of the ${role} began in the other arm or in none: the verdict leaves them out, the rates over all calls do not`,
    }));

function unrecorded(arms: readonly Arm[]): Finding[] {
  const least = (role: Arm['role'], of: number, calls: number, what: string): Finding[] =>
    of === 0 || of === calls
      ? []
      : [
          {
            code: 'partly_recorded',
            message: `${what} are recorded of ${of} of ${plural(calls, 'call')} of the ${role}: what they say is of those`,
          },
        ];
  return arms.flatMap(({ role, counts: { all } }) => [
    ...least(role, all.token_calls, all.calls, 'tokens'),
    ...least(role, all.timed_calls, all.calls, 'durations'),
  ]);
}
