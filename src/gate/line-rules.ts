/** Lines that could not be loaded, that contradict one another, that are missing or that nobody asked for. */
import { stepWith } from '../errors.js';
import { type Gap, rangesText } from '../schema/gap.js';
import { LATE_MINUTES } from '../schema/result.js';
import type { Evidence, InputEvidence } from './evidence.js';
import { holeTarget } from './holes.js';
import { type Found, plural, type Rule } from './rule.js';

type Rejects = InputEvidence['rejects'];

/** A failed schema or verdict check could hide an accepted call: no budget covers it. */
const NEVER_EXCUSED = /^(missing|type|value|duplicate_key):(schema|final_verdict)$/;

const excusable = ({ inputs }: Evidence) =>
  inputs.rejects.filter((reject) => reject.blocks && !NEVER_EXCUSED.test(reject.reason));

const countOf = (rejects: Rejects) => rejects.reduce((sum, { count }) => sum + count, 0);

const isOverBudget = (e: Evidence) => countOf(excusable(e)) + e.calls.conflicts > e.limits.maxRejects;

/** One finding for a list of rejects; the receipt lists them by reason. */
function summed(rejects: Rejects, what: string, next: string): Found {
  const [first] = rejects;
  if (!first) return [];
  const reasons = rejects.length === 1 ? '' : ` for ${rejects.length} reasons, the first`;
  return [
    {
      message: `${plural(countOf(rejects), 'line')} ${what}${reasons}: ${first.reason}, ${first.detail}`,
      where: first.first,
      next,
    },
  ];
}

export const rejects: Rule = {
  code: 'rejects',
  weight: 'cannot_vouch',
  about: 'lines',
  check: (e) => {
    const { settleRejects, listRejects } = e.commands;
    return isOverBudget(e) ? summed(excusable(e), 'could not be loaded', settleRejects ?? listRejects) : [];
  },
};

export const unknownRecord: Rule = {
  code: 'unknown_record',
  weight: 'cannot_vouch',
  about: 'lines',
  check: ({ inputs, commands }) =>
    summed(
      inputs.rejects.filter((reject) => reject.blocks && NEVER_EXCUSED.test(reject.reason)),
      'with an unknown schema or final verdict, which nothing excuses',
      commands.listRejects,
    ),
};

export const conflicts: Rule = {
  code: 'conflicts',
  weight: 'cannot_vouch',
  about: 'lines',
  check: (e) =>
    e.calls.conflicts === 0 || !isOverBudget(e)
      ? []
      : [
          {
            message: `${plural(e.calls.conflicts, 'call')} ${e.calls.conflicts === 1 ? 'shares' : 'share'} a call_id with a different record: one of them may have been rewritten`,
            ...(e.calls.firstConflict === null ? {} : { where: e.calls.firstConflict }),
            next: 'compare the lines with that call_id; what is explained is settled by: lakelog ack FILE:LINE --reason "…"',
          },
        ],
};

/** A gate has a rule of its own for this: too few were judged. */
export const nothingSelected: Rule = {
  code: 'nothing_selected',
  weight: 'cannot_vouch',
  about: 'lines',
  check: ({ gate, calls: { selected }, inputs }) => {
    if (gate !== null || selected === null || selected.calls > 0) return [];
    if (selected.of > 0) {
      return [
        {
          message: `none of ${plural(selected.of, 'loaded call')} passes the filters`,
          next: 'widen --since and --until, and check the names in the other filters',
        },
      ];
    }
    return inputs.problems.length > 0
      ? []
      : [{ message: 'no session record was loaded', next: 'name a log that holds session records' }];
  },
};

export const unjudgeable: Rule = {
  code: 'unjudgeable',
  weight: 'cannot_vouch',
  about: 'lines',
  check: ({ calls }) =>
    calls.unjudgeable === null
      ? []
      : [
          {
            message: `${plural(calls.unjudgeable.calls, 'call')} cannot be judged: the attempts are not all recorded, or their verdicts are not understood`,
            where: calls.unjudgeable.first,
            next: 'have the service write as many attempts as iterations, each with a verdict of docs/SESSION_LOG.md',
          },
        ],
};

const absentFilter = ({ filter, value }: { filter: string; value: string }) =>
  `no loaded call has the ${filter === 'gated-kind' ? 'kind' : filter} ${JSON.stringify(value)} that --${filter} names`;

/** What was asked for is not what was meant, and the answer would be about something else. */
export const misspeltFilter: Rule = {
  code: 'misspelt_filter',
  weight: 'cannot_vouch',
  about: 'inputs',
  check: ({ calls }) =>
    calls.absent.flatMap(({ meant, ...absent }) =>
      meant === null ? [] : [{ message: absentFilter(absent), next: naming(absent.filter, meant) }],
    ),
};

/** The options replace what was named before, so all values are spelt out. */
const naming = (filter: string, values: readonly string[]) =>
  stepWith(values, (...words) => `did you mean ${words.map((word) => `--${filter} ${word}`).join(' ')}?`);

export const absentFilterValue: Rule = {
  code: 'absent_filter_value',
  weight: 'notice',
  about: 'inputs',
  check: ({ calls }) =>
    calls.absent.filter(({ meant }) => meant === null).map((absent) => ({ message: absentFilter(absent) })),
};

export const rejectsWithinBudget: Rule = {
  code: 'rejects_within_budget',
  weight: 'notice',
  about: 'gate',
  check: (e) => {
    const count = countOf(excusable(e));
    return isOverBudget(e) || count + e.calls.conflicts === 0
      ? []
      : [
          {
            message: `${plural(count, 'reject')} and ${plural(e.calls.conflicts, 'conflict')} within --max-rejects ${e.limits.maxRejects}`,
            next: e.commands.listRejects,
          },
        ];
  },
};

export const replayRejects: Rule = {
  code: 'replay_rejects',
  weight: 'notice',
  about: 'inputs',
  check: ({ inputs, commands }) =>
    summed(
      inputs.rejects.filter((reject) => !reject.blocks),
      'of replay runs could not be loaded',
      commands.listRejects,
    ),
};

/** Writers that are told of one by one. */
const FEW_WRITERS = 5;

/** What is lost cannot be judged. Whoever names some logs of many leaves holes; a lake has seen them all. */
function gapsFound({ calls: { gaps } }: Evidence, next: (gap: Gap) => string): Found {
  const named = gaps.slice(0, FEW_WRITERS).map((gap) => ({
    message: `${plural(gap.missing, 'record')} of writer ${JSON.stringify(gap.writer_id)} ${gap.missing === 1 ? 'is' : 'are'} missing between its first and last seq: ${rangesText(gap)}`,
    ...(gap.where === null ? {} : { where: gap.where }),
    next: next(gap),
  }));
  const others = gaps.slice(FEW_WRITERS);
  if (others.length === 0) return named;
  const missing = others.reduce((sum, gap) => sum + gap.missing, 0);
  return [
    ...named,
    {
      message: `${plural(missing, 'record')} of ${plural(others.length, 'more writer')} ${missing === 1 ? 'is' : 'are'} missing`,
      next: 'see all of them: --json, receipt.gaps',
    },
  ];
}

export const gaps: Rule = {
  code: 'gaps',
  weight: 'notice',
  about: 'inputs',
  check: (e) =>
    e.inputs.lake !== null
      ? []
      : gapsFound(
          e,
          () =>
            'look for a rotated file that was not named; a writer that drops records says so in its own log',
        ),
};

export const holes: Rule = {
  code: 'holes',
  weight: 'cannot_vouch',
  about: 'lines',
  check: (e) =>
    e.inputs.lake === null
      ? []
      : gapsFound(
          e,
          ({ writer_id, ranges, last }) =>
            `find the log that has them; what is lost for good is settled by: ${e.commands.settle(holeTarget(writer_id, { from: ranges[0]!.from, to: last }))}`,
        ),
};

/** The account of calls is not whole, whatever else of it works out. */
export const unknownTraces: Rule = {
  code: 'unknown_traces',
  weight: 'notice',
  about: 'inputs',
  check: ({ calls: { unknownTraces } }) =>
    unknownTraces === null
      ? []
      : [
          {
            message: `${plural(unknownTraces.traces, 'trace')} ${unknownTraces.traces === 1 ? 'has' : 'have'} replay runs and no call, the first ${JSON.stringify(unknownTraces.first.session_id)}`,
            where: unknownTraces.first.where,
            next: 'look for a log of calls that was not named, or that is lost',
          },
        ],
};

/** Answers about their day were smaller before they came. */
export const late: Rule = {
  code: 'late',
  weight: 'notice',
  about: 'inputs',
  check: ({ inputs: { files }, calls: { firstLate } }) => {
    const count = files.reduce((sum, file) => sum + file.late, 0);
    if (count === 0) return [];
    return [
      {
        message: `${plural(count, 'record')} ${count === 1 ? 'stands' : 'stand'} behind one that is more than ${LATE_MINUTES} minutes newer: held back, sent again, or of several files that were joined`,
        ...(firstLate === null ? {} : { where: firstLate }),
        next: 'ask again for the days that they belong to; a writer that logs each call as it ends has none',
      },
    ];
  },
};
