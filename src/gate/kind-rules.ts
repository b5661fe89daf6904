/** Kinds outside the gated ones that should perhaps be gated, and whether all parts agree on what is gated. */
import { stepWith } from '../errors.js';
import type { GatedKinds } from './evidence.js';
import { gateRule, plural } from './rule.js';

/** The option replaces the default, so the whole set is spelt out. */
const gating = ({ names }: GatedKinds, kind: string, or = '') =>
  stepWith(
    [...names, kind],
    (...words) => `${or}gate it too: ${words.map((word) => `--gated-kind ${word}`).join(' ')}`,
  );

const MOST_SHOWN = 200;

/** As much of it as a person reads. */
function shown(kind: string): string {
  if (kind.length <= MOST_SHOWN) return JSON.stringify(kind);
  return `${JSON.stringify(kind.slice(0, MOST_SHOWN))} … (${kind.length} characters)`;
}

/** What is hard to see on a screen, by its number. */
function oddCharacters(kind: string): string {
  const odd = [...new Set(kind)].filter((character) => !/[ -~]/.test(character));
  const codes = odd.map(
    (character) => `U+${character.codePointAt(0)!.toString(16).toUpperCase().padStart(4, '0')}`,
  );
  return codes.length === 0 ? '' : ` (with ${codes.slice(0, 4).join(', ')}${codes.length > 4 ? ' …' : ''})`;
}

export const nearMissKind = gateRule('near_miss_kind', 'cannot_vouch', ({ gatedKinds }, { calls }) => {
  if (gatedKinds === null) return [];
  return calls.kinds.flatMap(({ kind, calls, first }) => {
    const gated = gatedKinds.lookAlikes.get(kind);
    if (gated === undefined) return [];
    return [
      {
        message: `${plural(calls, 'call')} of kind ${shown(kind)}${oddCharacters(kind)}, which reads like the gated kind ${JSON.stringify(gated)}`,
        where: first,
        next: gating(gatedKinds, kind, 'correct the writer, or '),
      },
    ];
  });
});

export const ungroundedElsewhere = gateRule(
  'ungrounded_elsewhere',
  'cannot_vouch',
  ({ gatedKinds }, { calls }) =>
    gatedKinds === null
      ? []
      : calls.kinds
          .filter(({ kind, accepted_false }) => !gatedKinds.names.includes(kind) && accepted_false > 0)
          .map(({ kind, accepted_false, first_false }) => ({
            message: `${plural(accepted_false, 'accepted call')} of kind ${shown(kind)} stamped grounded_in_roster = false, outside the gated kinds`,
            ...(first_false === null ? {} : { where: first_false }),
            next: gating(gatedKinds, kind),
          })),
);

/**
 * judged + unjudged + not accepted are the gated calls as the SQL sees them, not gated the others as the rules see
 * them. Where they are not all calls together, the two read different texts, and a kind may be judged by neither.
 */
export const countsDisagree = gateRule('counts_disagree', 'cannot_vouch', ({ gatedKinds }, { calls }) => {
  if (gatedKinds === null) return [];
  const notGated = calls.kinds
    .filter(({ kind }) => !gatedKinds.names.includes(kind))
    .reduce((sum, { selected }) => sum + selected, 0);
  const all = calls.selected?.calls;
  if (gatedKinds.calls + notGated === all) return [];
  return [
    {
      message: `${plural(gatedKinds.calls, 'gated call')} and ${notGated} of other kinds are not the ${all ?? 'unknown number of'} calls that were selected`,
      next: 'this is a defect of lakelog: please report it with the kinds in the receipt',
    },
  ];
});
