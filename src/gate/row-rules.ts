/** The rows of a gate, how many calls it judged, and who settled what. */
import { shellWord } from '../errors.js';
import type { GateSpec } from '../schema/gate.js';
import { lookUpStep } from './roster-rules.js';
import { gateRule, optionOf, plural, type Rule } from './rule.js';

export const violation = gateRule('violation', 'fired', ({ spec, values }, { commands }) =>
  spec.fires.flatMap(({ value, note }) => {
    const rows = values.get(value);
    if (!rows) return [];
    const next = rows.firstSession ? commands.showTrace(rows.firstSession) : readLine(rows.first);
    return [{ message: `${plural(rows.count, `${value} call`)}: ${note}`, where: rows.first, next }];
  }),
);

/** The line of `file:line` on the screen. */
function readLine(place: string): string {
  const at = place.lastIndexOf(':');
  return `read it: sed -n '${place.slice(at + 1)}p' ${shellWord(place.slice(0, at))}`;
}

/** It comes of a roster that could not be asked: no row has it where there is none. */
const isOfRoster = ({ canaries }: GateSpec, value: string) =>
  canaries.some((canary) => canary.value === value) &&
  canaries.every((canary) => canary.value !== value || canary.against !== undefined);

export const unjudged = gateRule(
  'unjudged',
  'cannot_vouch',
  ({ spec, values, allowed, recomputed }, { commands }) =>
    spec.cannotVouch.flatMap(({ value, note, unless }) => {
      const rows = values.get(value);
      if (!rows || (unless !== undefined && allowed.has(unless))) return [];
      const allow = unless === undefined ? '' : `, or accept them with ${commands.allow(unless)}`;
      return [
        {
          message: `${plural(rows.count, `${value} call`)}: ${note}`,
          where: rows.first,
          next:
            recomputed !== null && isOfRoster(spec, value)
              ? lookUpStep(recomputed)
              : `have the service stamp every accepted call${allow}`,
        },
      ];
    }),
);

export const allowed = gateRule('allowed', 'notice', ({ spec, values, allowed }) =>
  spec.cannotVouch.flatMap(({ value, unless }) => {
    const rows = values.get(value);
    return rows && unless !== undefined && allowed.has(unless)
      ? [
          {
            message: `${plural(rows.count, `${value} call`)} accepted by ${optionOf(unless)}`,
            where: rows.first,
          },
        ]
      : [];
  }),
);

export const unnamedValue = gateRule('unnamed_value', 'cannot_vouch', ({ spec, values }) => {
  const named = new Set([...spec.fires, ...spec.cannotVouch].map(({ value }) => value));
  return [...values]
    .filter(([value]) => !named.has(value))
    .map(([value, rows]) => ({
      message: `${plural(rows.count, 'row')} with ${spec.column} = ${JSON.stringify(value)}, which the header of the query does not name`,
      where: rows.first,
      next: `name the value in a "fires" or "cannot-vouch" line of the query`,
    }));
});

export const tooFewJudged = gateRule('too_few_judged', 'cannot_vouch', ({ judged }, { calls, limits }) =>
  judged >= limits.minJudged
    ? []
    : [
        {
          message:
            judged === 0
              ? 'no call was judged: a check of nothing proves nothing'
              : `${plural(judged, 'call')} judged, and --min-judged asks for ${limits.minJudged}`,
          next:
            calls.kinds.length === 0
              ? 'name a log that holds session records'
              : 'widen --since/--until and the other filters, or check --gated-kind against the kinds in the receipt',
        },
      ],
);

export const acknowledgements: Rule = {
  code: 'acknowledgements',
  weight: 'notice',
  about: 'gate',
  check: ({ acknowledgements }) => acknowledgements.findings,
};

export const acknowledged: Rule = {
  code: 'acknowledged',
  weight: 'notice',
  about: 'gate',
  check: ({ acknowledgements }) => acknowledgements.used.map((message) => ({ message })),
};
