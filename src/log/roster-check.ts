/** The check that stamps accepted artifacts. It shares no code with any validator. */
import { eachPlace, foldedName, namedWorkers } from '../roster/named.js';
import type { RosterCheckContext, RosterStamp } from './iterate.js';
import { RosterError, type WorkerLookup } from './roster.js';

export { namedWorkers };

export interface RosterCheckOptions {
  /** Kinds whose accepted artifacts must be grounded. Default: `fill`, as for `lakelog alarm`. */
  readonly gatedKinds?: readonly string[] | undefined;
  /**
   * Finds what an artifact names as workers: ids, and anything else that stands in the place of one. Default:
   * `namedWorkers`.
   */
  readonly workersOf?: ((artifact: unknown) => Iterable<unknown>) | undefined;
  /**
   * Besides, take for a worker every text of the artifact, value or member name, that has the form of the roster's
   * ids: the same characters, with digits in the same places. Needs a roster whose workers are known, and ids with
   * digits. Default: false.
   */
  readonly anyId?: boolean | undefined;
}

/**
 * The check that stamps accepted artifacts of a gated kind; undefined for any other kind.
 *
 * It shares no code with `fillValidator` and knows no shape: it takes every worker the artifact names anywhere, so
 * that what got past the validator, or was never validated, shows as `grounded_in_roster: false` in the alarm.
 * True: at least one worker is named, and each is in the roster and active. Null: none is named, so nothing was
 * judged.
 *
 * @param roster a lookup, or a function that is asked for one whenever an artifact is checked.
 */
export function rosterCheckFor(
  kind: string,
  roster: WorkerLookup | ((context?: RosterCheckContext) => WorkerLookup | Promise<WorkerLookup>),
  options: RosterCheckOptions = {},
): ((artifact: unknown, context?: RosterCheckContext) => Promise<RosterStamp>) | undefined {
  const { gatedKinds = ['fill'], workersOf = namedWorkers, anyId = false } = options;
  if (!gatedKinds.includes(kind)) return undefined;
  return async (artifact, context) => {
    const lookup = typeof roster === 'function' ? await roster(context) : roster;
    const named = new Set<string>();
    let strangers = 0;
    const judge = async (one: unknown) => {
      const id = typeof one === 'string' ? one : (JSON.stringify(one) ?? String(one));
      if (named.has(id)) return;
      named.add(id);
      const known = typeof one === 'string' && (await lookup.find(one))?.active === true;
      if (!known) strangers++;
    };
    for (const one of workersOf(artifact)) await judge(one);
    if (anyId) for (const one of textsOfForm(artifact, formsOf(lookup))) await judge(one);
    return {
      groundedInRoster: named.size === 0 ? null : strangers === 0,
      proposedWorkerIds: [...named],
      rosterHash: lookup.hash,
    };
  };
}

/** @throws RosterError where ids have no form that tells them from other texts. */
function formsOf(lookup: WorkerLookup): ReadonlySet<string> {
  if (!lookup.workers) throw new RosterError('anyId: who is in this roster is not known');
  const known = forms.get(lookup);
  if (known) return known;
  const found = new Set<string>();
  for (const { id } of lookup.workers()) {
    if (!/\d/.test(id)) {
      throw new RosterError(
        `anyId: the id ${JSON.stringify(id)} has no digit that would tell it from a word`,
      );
    }
    found.add(formOf(id));
  }
  forms.set(lookup, found);
  return found;
}

const forms = new WeakMap<WorkerLookup, ReadonlySet<string>>();

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** `W-0033` is `w-0`; identifiers of hexadecimal digits are told by their length. */
function formOf(id: string): string {
  const text = foldedName(id);
  if (UUID.test(text)) return 'uuid';
  if (text.length >= 12 && /^[0-9a-f]*$/.test(text) && /[a-f]/.test(text)) return `hex ${text.length}`;
  return text.replace(/\d+/g, '0');
}

function textsOfForm(artifact: unknown, wanted: ReadonlySet<string>): string[] {
  const found: string[] = [];
  eachPlace(artifact, (value, { name }) => {
    for (const text of [name, value]) {
      if (typeof text !== 'string' || text.length > LONGEST_ID) continue;
      const id = text.trim();
      if (wanted.has(formOf(id))) found.push(id);
    }
  });
  return found;
}

const LONGEST_ID = 1000;
