import { readFile } from 'node:fs/promises';
import {
  type RosterColumns,
  RosterError,
  rosterHash,
  type Worker,
  type Workers,
  workersInCsv,
  workersInJsonl,
} from '../roster/read.js';
import type { Validation } from './iterate.js';

export { type RosterColumns, RosterError, rosterHash, type Worker };

/** Who exists. Ids are compared exactly: neither case nor white space is forgiven. */
export interface WorkerLookup {
  find(id: string): Worker | undefined | Promise<Worker | undefined>;
  /** `rosterHash` of all workers; null where they are not known, as behind a function. */
  readonly hash: string | null;
  /** Number of workers; null where it is not known. */
  readonly size: number | null;
  /** All of them; absent where they are not known. */
  readonly workers?: (() => Iterable<Worker>) | undefined;
}

/**
 * A roster from CSV (RFC 4180, UTF-8, a header line; LF or CRLF, with or without BOM).
 *
 * @throws RosterError for broken CSV, a missing or doubled column, an empty or doubled id, a status that is
 * neither yes nor no, a column that looks like a status and is not named as one, and a roster without a worker.
 */
export function workersFromCsv(text: string, columns: RosterColumns = {}): WorkerLookup {
  return lookupOf(workersInCsv(text, columns));
}

/**
 * A roster from JSON Lines: one object per line, blank lines skipped.
 *
 * @throws RosterError as `workersFromCsv`, and for a status that only some lines have.
 */
export function workersFromJsonl(text: string, columns: RosterColumns = {}): WorkerLookup {
  return lookupOf(workersInJsonl(text, columns));
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

function lookupOf(workers: Workers): WorkerLookup {
  return {
    find: (id) => workers.get(id),
    hash: rosterHash(workers.values()),
    size: workers.size,
    workers: () => workers.values(),
  };
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
