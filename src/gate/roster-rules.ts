/** What is to be known of the roster that stamps are checked against. */
import type { Recomputed } from '../schema/result.js';
import { gateRule, plural, type Rule } from './rule.js';

/** Stamps that were to be checked are not believed instead. */
export const unusableRoster: Rule = {
  code: 'unusable_roster',
  weight: 'cannot_vouch',
  about: 'inputs',
  check: ({ inputs }) =>
    inputs.problems
      .filter(({ problem }) => problem === 'roster')
      .map(({ path, detail }) => ({
        message: `the roster cannot be used, so no stamp was checked: ${detail}`,
        where: path,
        next: 'mend the roster, name its columns (--roster-column, --roster-active-column), or name another',
      })),
};

export const otherRoster = gateRule('other_roster', 'notice', ({ recomputed }) =>
  recomputed === null || recomputed.other_roster === 0
    ? []
    : [
        {
          message: `${plural(recomputed.other_roster, 'call')} stamped by another roster than this one: who joined or left in between is judged as of this one`,
          where: recomputed.roster,
          next: 'check each call against the roster of its time: --roster DIR, a folder that holds them (validatord keeps one: archive)',
        },
      ],
);

/** What to do about calls that could not be looked up, the most frequent cause first. */
export function lookUpStep({ not_at_hand, hashed, unread }: Recomputed): string {
  const steps: readonly (readonly [number, string])[] = [
    [not_at_hand, 'put the rosters that they were stamped by into the folder, or check against one file'],
    [hashed, 'check the log that was written before worker ids were hashed, or a roster of the same hashes'],
    [unread, 'look at the artifact: it is too large, or has a member twice'],
  ];
  const [first] = steps.toSorted(([a], [b]) => b - a);
  return first![1];
}
