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
  const named: unknown[] = [];
  gather(artifact, named);
  return named;
}

/**
 * The same of an artifact as JSON text.
 * @throws RangeError besides for a member that stands twice: which of the two its reader took, nobody knows.
 */
export function namedWorkersInJson(json: string): unknown[] {
  const named: unknown[] = [];
  if (gather(JSON.parse(json), named) !== membersOf(json))
    throw new RangeError('an artifact with a member that stands twice');
  return named;
}

/** Members of all objects of a JSON text: a colon outside of a string stands behind a name. */
function membersOf(json: string): number {
  let members = 0;
  for (let at = 0; at < json.length; at++) {
    const code = json.charCodeAt(at);
    if (code === COLON) members++;
    else if (code === QUOTE) at = endOfString(json, at + 1);
  }
  return members;
}

/** Where its closing quote stands: one that an odd number of backslashes stand before is part of it. */
function endOfString(json: string, start: number): number {
  for (let end = json.indexOf('"', start); ; end = json.indexOf('"', end + 1)) {
    let before = end;
    while (json.charCodeAt(before - 1) === BACKSLASH) before--;
    if ((end - before) % 2 === 0) return end;
  }
}

const [QUOTE, COLON, BACKSLASH] = [0x22, 0x3a, 0x5c];

/** @returns how many members there are. */
function gather(artifact: unknown, named: unknown[]): number {
  let members = 0;
  eachPlace(artifact, (value, { name, isWorker, takesNumbers }, isStranger) => {
    if (name !== undefined) members++;
    if (!isWorker) return;
    if (typeof value === 'object' ? isStranger : typeof value === 'number' ? takesNumbers : isNamed(value))
      named.push(value);
  });
  return members;
}

const isNamed = (value: unknown) => value !== undefined && typeof value !== 'boolean';

/** What the place of a value says of it. */
class Place {
  /** Of the member; undefined inside of an array. */
  readonly name: string | undefined;
  /** What stands there is a worker. */
  readonly isWorker: boolean;
  /** A number there is one too, and no headcount. */
  readonly takesNumbers: boolean;
  /** The place of the members of an array that stands there. */
  readonly inList: Place;

  constructor(name: string | undefined, isWorker: boolean, takesNumbers: boolean, inList?: Place) {
    this.name = name;
    this.isWorker = isWorker;
    this.takesNumbers = takesNumbers;
    this.inList = inList ?? this;
  }
}
const NOWHERE = new Place(undefined, false, false);

/**
 * Calls `see` with every value and its place, in the order of its text; `isStranger` is an object in the place of a
 * worker without anything that would say which one. Without recursion, because a model may nest deeper than the stack,
 * and without an object per value: a first load of a lake asks every accepted call.
 */
export function eachPlace(
  artifact: unknown,
  see: (value: unknown, place: Place, isStranger: boolean) => void,
): void {
  const [values, places]: [unknown[], Place[]] = [[artifact], [NOWHERE]];
  for (let visited = 0; values.length > 0; visited++) {
    if (visited >= MOST_VALUES) throw tooMany();
    const [value, place] = [values.pop(), places.pop()!];
    if (typeof value !== 'object' || value === null) see(value, place, false);
    else if (Array.isArray(value)) {
      if (value.length > MOST_VALUES) throw tooMany();
      see(value, place, false);
      for (let i = value.length - 1; i >= 0; i--) {
        values.push(value[i]);
        places.push(place.inList);
      }
    } else see(value, place, pushMembers(value as Readonly<Record<string, unknown>>, place, values, places));
  }
}

/** In the order of the text when they are popped. @returns whether they leave open who it is. */
function pushMembers(
  object: Readonly<Record<string, unknown>>,
  { isWorker }: Place,
  values: unknown[],
  places: Place[],
): boolean {
  const names = Object.keys(object);
  let [isSomebody, isEmpty] = [false, true];
  for (let i = names.length - 1; i >= 0; i--) {
    const value = object[names[i]!];
    const { outside, inside } = placesCalled(names[i]!);
    const place = isWorker ? inside : outside;
    values.push(value);
    places.push(place);
    if (value === null || value === undefined) continue;
    isEmpty = false;
    if (place.isWorker) isSomebody = true;
  }
  return !isSomebody && (!isEmpty || names.length === 0);
}

function tooMany(): RangeError {
  return new RangeError(`an artifact of more than ${MOST_VALUES} values`);
}

/** networkError and its like hold the letters, and no worker. */
const WORKER = /worker(?!ror)/;
const ID = /^[^a-z]*ids?[^a-z]*$/;

/** The places of members of one name: inside of a worker an id is one, whatever it is called out there. */
interface Places {
  readonly outside: Place;
  readonly inside: Place;
}

/** The same few names stand in all artifacts of a log. */
const known = new Map<string, Places>();
const MOST_KNOWN = 1_000;
const LONGEST_KNOWN = 100;

function placesCalled(name: string): Places {
  const before = known.get(name);
  if (before !== undefined) return before;
  const word = foldedName(name);
  const letters = word.replace(/[^a-z]/g, '');
  const takesNumbers = /ids?$|worker$/.test(letters);
  const inList = new Place(undefined, true, takesNumbers || letters.endsWith('workers'));
  const worker = new Place(name, true, takesNumbers, inList);
  const nobody = new Place(name, false, false, NOWHERE);
  const isWorker = WORKER.test(word);
  const places = { outside: isWorker ? worker : nobody, inside: isWorker || ID.test(word) ? worker : nobody };
  if (known.size >= MOST_KNOWN) known.clear();
  if (name.length <= LONGEST_KNOWN) known.set(name, places);
  return places;
}

export function foldedName(name: string): string {
  if (/^[a-z_]*$/.test(name)) return name;
  return name
    .normalize('NFKD')
    .replace(/[\p{M}\p{Cc}\p{Cf}\p{Default_Ignorable_Code_Point}]/gu, '')
    .toLowerCase();
}
