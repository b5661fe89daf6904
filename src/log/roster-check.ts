/** The check that stamps accepted artifacts. It shares no code with any validator. */
import { MOST_VALUES } from './answer.js';
import type { RosterCheckContext, RosterStamp } from './iterate.js';
import { RosterError, type WorkerLookup } from './roster.js';

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

/**
 * Everything an artifact names as a worker, at any depth: what stands under a member whose name holds the word
 * `worker`, in any case and style and with anything before or behind it (`backup_worker`, `assignedWorkers`,
 * `Worker ID`, `worker_1`). Of an object there its `id` or what it names as a worker itself, or the object as a whole
 * when it has neither. Null, true and false name nobody; a number is a headcount, unless it stands under an id, under
 * one `worker`, or in a list of `workers`.
 *
 * @throws RangeError for more than 100,000 values.
 */
export function namedWorkers(artifact: unknown): unknown[] {
  const named: unknown[] = [];
  for (const { value, key, listed, children } of placesOf(artifact)) {
    if (key === undefined) continue;
    if (children === undefined) {
      if (names(value, key, listed)) named.push(value);
    } else if (!Array.isArray(value) && isSomebodyElse(children)) {
      named.push(value);
    }
  }
  return named;
}

/** An object in the place of a worker without anything that would say which one. */
function isSomebodyElse(members: readonly Place[]): boolean {
  const present = members.filter(({ value }) => value !== null && value !== undefined);
  return present.every(({ key }) => key === undefined) && (present.length > 0 || members.length === 0);
}

interface Place {
  readonly value: unknown;
  /** Folded name that makes the value a worker; undefined elsewhere. */
  readonly key: string | undefined;
  /** It is a member of an array. */
  readonly listed: boolean;
  /** Its name; undefined inside of an array. */
  readonly name: string | undefined;
  /** What is inside of it; undefined for a plain value. */
  children?: readonly Place[];
}

/** Every value, in the order of its text. Without recursion: a model may nest deeper than the stack. */
function* placesOf(artifact: unknown): Generator<Place> {
  const waiting: Place[] = [{ value: artifact, key: undefined, listed: false, name: undefined }];
  for (let visited = 0; waiting.length > 0; visited++) {
    if (visited >= MOST_VALUES) throw tooMany();
    const place = waiting.pop()!;
    const children = childrenOf(place);
    if (children) {
      place.children = children;
      for (let i = children.length - 1; i >= 0; i--) waiting.push(children[i]!);
    }
    yield place;
  }
}

function tooMany(): RangeError {
  return new RangeError(`an artifact of more than ${MOST_VALUES} values`);
}

function childrenOf({ value, key }: Place): Place[] | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  if (Array.isArray(value)) {
    if (value.length > MOST_VALUES) throw tooMany();
    return Array.from(value, (member) => ({ value: member, key, listed: true, name: undefined }));
  }
  return Object.entries(value).map(([name, member]) => {
    const word = folded(name);
    // The id inside of a worker is one, whatever it is called out there.
    const isWorker = WORKER.test(word) || (key !== undefined && ID.test(word));
    return { value: member, key: isWorker ? word : undefined, listed: false, name };
  });
}

/** networkError and its like hold the letters, and no worker. */
const WORKER = /worker(?!ror)/;
const ID = /^[^a-z]*ids?[^a-z]*$/;

function folded(name: string): string {
  if (/^[a-z_]*$/.test(name)) return name;
  return name
    .normalize('NFKD')
    .replace(/[\p{M}\p{Cc}\p{Cf}\p{Default_Ignorable_Code_Point}]/gu, '')
    .toLowerCase();
}

function names(value: unknown, key: string, listed: boolean): boolean {
  if (value === null || value === undefined || typeof value === 'boolean') return false;
  if (typeof value !== 'number') return true;
  const letters = key.replace(/[^a-z]/g, '');
  return /ids?$|worker$/.test(letters) || (listed && letters.endsWith('workers'));
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
  const text = folded(id);
  if (UUID.test(text)) return 'uuid';
  if (text.length >= 12 && /^[0-9a-f]*$/.test(text) && /[a-f]/.test(text)) return `hex ${text.length}`;
  return text.replace(/\d+/g, '0');
}

function* textsOfForm(artifact: unknown, wanted: ReadonlySet<string>): Generator<string> {
  for (const { value, name } of placesOf(artifact)) {
    for (const text of [name, value]) {
      if (typeof text !== 'string' || text.length > LONGEST_ID) continue;
      const id = text.trim();
      if (wanted.has(formOf(id))) yield id;
    }
  }
}

const LONGEST_ID = 1000;
