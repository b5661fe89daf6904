import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { CsvError, csvRows } from './csv.js';
import type { RosterStamp, Validation } from './iterate.js';

export interface Worker {
  readonly id: string;
  /** An inactive worker is known and must not be proposed. */
  readonly active: boolean;
}

/** Who exists. Ids are compared exactly: neither case nor white space is forgiven. */
export interface WorkerLookup {
  find(id: string): Worker | undefined | Promise<Worker | undefined>;
  /** `rosterHash` of all workers; null where they are not known, as behind a function. */
  readonly hash: string | null;
  /** Number of workers; null where it is not known. */
  readonly size: number | null;
}

export interface RosterColumns {
  /** Column or field that holds the id. Default: `worker_id`. */
  readonly idColumn?: string | undefined;
  /**
   * Column or field that tells who is active: true/false, yes/no, 1/0, active/inactive in any case. Default:
   * `active` where it exists; without it everybody is.
   */
  readonly activeColumn?: string | undefined;
}

/** A roster that cannot be used. */
export class RosterError extends Error {
  override name = 'RosterError';
  /** Physical line, from 1; null where the roster as a whole is meant. */
  readonly line: number | null;

  constructor(message: string, line: number | null = null) {
    super(line === null ? message : `line ${line}: ${message}`);
    this.line = line;
  }
}

const ID_COLUMN = 'worker_id';
const ACTIVE_COLUMN = 'active';

/**
 * A roster from CSV (RFC 4180, UTF-8, a header line; LF or CRLF, with or without BOM).
 *
 * @throws RosterError for broken CSV, a missing or doubled column, an empty or doubled id, a status that is
 * neither yes nor no, and a roster without a worker.
 */
export function workersFromCsv(text: string, columns: RosterColumns = {}): WorkerLookup {
  const entries: Entry[] = [];
  let header: Header | undefined;
  try {
    for (const { cells, line } of csvRows(text)) {
      if (!header) {
        header = headerOf(cells, line, columns);
        continue;
      }
      if (cells.length !== header.width) {
        throw new RosterError(`${cells.length} fields where the header has ${header.width}`, line);
      }
      const status = header.active === undefined ? true : cells[header.active];
      entries.push({ line, id: cells[header.id], status });
    }
  } catch (error) {
    if (error instanceof CsvError) throw new RosterError(error.message, error.line);
    throw error;
  }
  return lookupOf(entries);
}

/**
 * A roster from JSON Lines: one object per line, blank lines skipped.
 *
 * @throws RosterError as `workersFromCsv`.
 */
export function workersFromJsonl(text: string, columns: RosterColumns = {}): WorkerLookup {
  const { idColumn = ID_COLUMN, activeColumn } = columns;
  const entries: Entry[] = [];
  for (const [i, row] of text
    .replace(/^\ufeff/, '')
    .split('\n')
    .entries()) {
    if (row.trim() === '') continue;
    const line = i + 1;
    const worker = jsonObject(row, line);
    const status = worker[activeColumn ?? ACTIVE_COLUMN];
    if (status === undefined && activeColumn !== undefined) {
      throw new RosterError(`no field ${quoted(activeColumn)}`, line);
    }
    entries.push({ line, id: worker[idColumn], status: status === undefined ? true : status });
  }
  return lookupOf(entries);
}

/**
 * A roster behind a function, e.g. a database.
 *
 * @param hash what to record as `roster_hash`, where the source knows one.
 */
export function workersFromFunction(
  find: (id: string) => Worker | undefined | Promise<Worker | undefined>,
  hash: string | null = null,
): WorkerLookup {
  return { find, hash, size: null };
}

/**
 * Reads a roster file: JSON Lines when its name ends in .jsonl or .ndjson, else CSV.
 *
 * @throws RosterError, and what node:fs throws for a file that cannot be read.
 */
export async function loadRoster(path: string, columns: RosterColumns = {}): Promise<WorkerLookup> {
  const bytes = await readFile(path);
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new RosterError('not UTF-8');
  }
  return /\.(jsonl|ndjson)$/i.test(path) ? workersFromJsonl(text, columns) : workersFromCsv(text, columns);
}

/**
 * The hash of a roster, `sha256:` and 64 hex digits, over its canonical form: one line `["id",active]` of compact
 * JSON in UTF-8 per worker, each ended by \n, in the order of the bytes of their ids. It does not depend on the
 * file's format, the order of its lines or its other columns.
 */
export function rosterHash(workers: Iterable<Worker>): string {
  const lines = Array.from(workers, ({ id, active }) => ({
    id: Buffer.from(id),
    text: `${JSON.stringify([id, active])}\n`,
  })).sort((a, b) => Buffer.compare(a.id, b.id));
  const hash = createHash('sha256');
  for (const { text } of lines) hash.update(text);
  return `sha256:${hash.digest('hex')}`;
}

interface Entry {
  readonly line: number;
  readonly id: unknown;
  readonly status: unknown;
}

interface Header {
  readonly id: number;
  readonly active: number | undefined;
  readonly width: number;
}

function headerOf(names: readonly string[], line: number, columns: RosterColumns): Header {
  const { idColumn = ID_COLUMN, activeColumn } = columns;
  const place = (name: string): number | undefined => {
    const first = names.indexOf(name);
    if (first !== names.lastIndexOf(name)) throw new RosterError(`two columns ${quoted(name)}`, line);
    return first < 0 ? undefined : first;
  };
  const required = (name: string): number => {
    const found = place(name);
    if (found !== undefined) return found;
    throw new RosterError(`no column ${quoted(name)}; there are ${names.map(quoted).join(', ')}`, line);
  };
  return {
    id: required(idColumn),
    active: activeColumn === undefined ? place(ACTIVE_COLUMN) : required(activeColumn),
    width: names.length,
  };
}

function jsonObject(row: string, line: number): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(row);
  } catch {
    throw new RosterError('not JSON', line);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new RosterError('not a JSON object', line);
  }
  return value as Record<string, unknown>;
}

function lookupOf(entries: readonly Entry[]): WorkerLookup {
  const workers = new Map<string, Worker>();
  const lines = new Map<string, number>();
  for (const { line, id, status } of entries) {
    if (typeof id !== 'string' || id === '') throw new RosterError('no worker id', line);
    if (id.trim() !== id) throw new RosterError(`white space around the id ${quoted(id)}`, line);
    if (workers.has(id)) {
      throw new RosterError(`worker ${quoted(id)} is already on line ${lines.get(id)}`, line);
    }
    workers.set(id, { id, active: isActive(status, line) });
    lines.set(id, line);
  }
  if (workers.size === 0) throw new RosterError('the roster has no worker');
  return { find: (id) => workers.get(id), hash: rosterHash(workers.values()), size: workers.size };
}

function isActive(status: unknown, line: number): boolean {
  if (typeof status === 'boolean') return status;
  const text = typeof status === 'string' || typeof status === 'number' ? String(status).toLowerCase() : '';
  if (['true', 'yes', '1', 'active'].includes(text)) return true;
  if (['false', 'no', '0', 'inactive'].includes(text)) return false;
  throw new RosterError(`neither active nor inactive: ${quoted(status)}`, line);
}

/** Where a fill names its workers. */
export interface FillShape {
  /** Member that holds the array of assignments. Default: `assignments`. */
  readonly assignments?: string | undefined;
  /** Member of an assignment that holds the worker's id. Default: `worker`. */
  readonly worker?: string | undefined;
}

/**
 * A validator for fills, `{"assignments": [{"worker": "W-0033", …}, …], …}`: at least one assignment, each with
 * a worker who is in the roster, is active, and stands in the fill once. Every reason names the place and the id.
 * It rejects with what `find` throws unhandled: a roster that cannot be asked is an infra error.
 */
export function fillValidator(
  lookup: WorkerLookup,
  shape: FillShape = {},
): (candidate: unknown) => Promise<Validation> {
  const { assignments: list = 'assignments', worker: member = 'worker' } = shape;
  return async (candidate) => {
    const assignments = isObject(candidate) ? own(candidate, list) : undefined;
    if (!Array.isArray(assignments)) return rejected(`a fill is an object with an array ${quoted(list)}`);
    if (assignments.length === 0) return rejected(`${list} is empty: a fill names at least one worker`);
    const reasons: string[] = [];
    const places = new Map<string, string>();
    for (const [i, assignment] of assignments.entries()) {
      const place = `${list}[${i}]`;
      const id: unknown = isObject(assignment) ? own(assignment, member) : undefined;
      if (typeof id !== 'string' || id === '') {
        reasons.push(`${place} has no worker id in ${quoted(member)}`);
        continue;
      }
      const before = places.get(id);
      if (before !== undefined) reasons.push(`${place}: worker ${quoted(id)} is already in ${before}`);
      else places.set(id, place);
      const worker = await lookup.find(id);
      if (!worker) reasons.push(`${place}: worker ${quoted(id)} is not in the roster`);
      else if (worker.active !== true) reasons.push(`${place}: worker ${quoted(id)} is not active`);
    }
    return reasons.length === 0 ? { accepted: true } : { accepted: false, reasons };
  };
}

function rejected(reason: string): Validation {
  return { accepted: false, reasons: [reason] };
}

export interface RosterCheckOptions {
  /** Kinds whose accepted artifacts must be grounded. Default: `fill`, as for `lakelog alarm`. */
  readonly gatedKinds?: readonly string[] | undefined;
  /**
   * Finds what an artifact names as workers: ids, and anything else that stands in the place of one. Default:
   * `namedWorkers`.
   */
  readonly workersOf?: ((artifact: unknown) => Iterable<unknown>) | undefined;
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
  roster: WorkerLookup | (() => WorkerLookup | Promise<WorkerLookup>),
  options: RosterCheckOptions = {},
): ((artifact: unknown) => Promise<RosterStamp>) | undefined {
  const { gatedKinds = ['fill'], workersOf = namedWorkers } = options;
  if (!gatedKinds.includes(kind)) return undefined;
  return async (artifact) => {
    const lookup = typeof roster === 'function' ? await roster() : roster;
    const proposed = new Set<string>();
    let strangers = 0;
    for (const named of workersOf(artifact)) {
      const id = typeof named === 'string' ? named : (JSON.stringify(named) ?? String(named));
      if (proposed.has(id)) continue;
      proposed.add(id);
      const known = typeof named === 'string' && (await lookup.find(named))?.active === true;
      if (!known) strangers++;
    }
    return {
      groundedInRoster: proposed.size === 0 ? null : strangers === 0,
      proposedWorkerIds: [...proposed],
      rosterHash: lookup.hash,
    };
  };
}

const WORKER_KEY = /^workers?(?:_?ids?)?$/i;
const ID_KEY = /^(?:workers?_?)?id$/i;
const MOST_VALUES = 100_000;

/**
 * Everything an artifact names as a worker, at any depth: what stands under `worker`, `worker_id`, `workers`,
 * `workerIds` and the like, in any case; of an object there its `id` or `worker_id`, or the object itself when it
 * has none. Null names nobody, and a number under `worker` or `workers` is a headcount.
 *
 * @throws RangeError for more than 100,000 values.
 */
export function namedWorkers(artifact: unknown): unknown[] {
  const named: unknown[] = [];
  // Depth first without recursion: a model may nest deeper than the stack.
  const waiting: Place[] = [{ value: artifact, key: undefined }];
  for (let visited = 0; waiting.length > 0; visited++) {
    if (visited >= MOST_VALUES) throw new RangeError(`an artifact of more than ${MOST_VALUES} values`);
    const { value, key } = waiting.pop()!;
    if (Array.isArray(value)) {
      for (const member of [...value].reverse()) waiting.push({ value: member, key });
    } else if (isObject(value)) {
      const members = Object.entries(value).map(([name, member]) => ({
        value: member,
        // The id inside of a worker is one, whatever it is called out there.
        key: key !== undefined && ID_KEY.test(name) ? 'worker_id' : WORKER_KEY.test(name) ? name : undefined,
      }));
      if (key !== undefined && !members.some((member) => member.key !== undefined)) named.push(value);
      for (const member of members.reverse()) waiting.push(member);
    } else if (key !== undefined && names(value, key)) {
      named.push(value);
    }
  }
  return named;
}

interface Place {
  readonly value: unknown;
  /** The key that makes the value a worker; undefined elsewhere. */
  readonly key: string | undefined;
}

function names(value: unknown, key: string): boolean {
  if (value === null || value === undefined) return false;
  return typeof value !== 'number' || /ids?$/i.test(key);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function own(object: Record<string, unknown>, name: string): unknown {
  return Object.hasOwn(object, name) ? object[name] : undefined;
}

/** Data inside a sentence: one line, bounded, and unmistakably a value. */
function quoted(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 80 ? `${text.slice(0, 80)}…` : text;
}
