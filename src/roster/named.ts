/** What an artifact names as workers: found when a call is stamped, and again when the stamp is checked. */

/** Values of an artifact; more of them is no artifact, or one that leads back into itself. */
export const MOST_VALUES = 100_000;

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
  return namedAmong(placesOf(artifact));
}

/**
 * The same of an artifact as JSON text.
 * @throws RangeError besides for a member that stands twice: which of the two its reader took, nobody knows.
 */
export function namedWorkersInJson(json: string): unknown[] {
  let members = 0;
  const counted = function* () {
    for (const place of placesOf(JSON.parse(json))) {
      if (place.name !== undefined) members++;
      yield place;
    }
  };
  const named = namedAmong(counted());
  if (members !== membersOf(json)) throw new RangeError('an artifact with a member that stands twice');
  return named;
}

/** Members of all objects of a JSON text: a colon outside of a string stands behind a name. */
function membersOf(json: string): number {
  let members = 0;
  for (let at = 0; at < json.length; at++) {
    const code = json.charCodeAt(at);
    if (code === COLON) members++;
    if (code !== QUOTE) continue;
    for (at++; json.charCodeAt(at) !== QUOTE; at++) if (json.charCodeAt(at) === BACKSLASH) at++;
  }
  return members;
}

const [QUOTE, COLON, BACKSLASH] = [0x22, 0x3a, 0x5c];

function namedAmong(places: Iterable<Place>): unknown[] {
  const named: unknown[] = [];
  for (const { value, key, listed, children } of places) {
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
export function* placesOf(artifact: unknown): Generator<Place> {
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
    const word = foldedName(name);
    // The id inside of a worker is one, whatever it is called out there.
    const isWorker = WORKER.test(word) || (key !== undefined && ID.test(word));
    return { value: member, key: isWorker ? word : undefined, listed: false, name };
  });
}

/** networkError and its like hold the letters, and no worker. */
const WORKER = /worker(?!ror)/;
const ID = /^[^a-z]*ids?[^a-z]*$/;

export function foldedName(name: string): string {
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
