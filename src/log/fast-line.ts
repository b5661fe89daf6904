import type { Field, FieldType } from '../schema/fields.js';
import { MAX_DEPTH } from './clean.js';
import { fits, unfitInDocument } from './fits.js';
import { isAbsent, type Numbering, type Stamps } from './stamp.js';

/** More is for the careful way, which knows when to stop. */
const MAX_VALUES = 100_000;

const NOT_PLAIN = new Error('not plain');

type Source = Readonly<Record<string, unknown>>;

export type FastLine = (record: object, stamps: Stamps) => string | undefined;

/**
 * The line of a record that is as it should be: plain objects and arrays, every declared field of its type. One
 * look at its values and one JSON.stringify, which takes nearly all of the time: a copy that is clean by
 * construction takes three times as long.
 *
 * @returns undefined for any other record, which says nothing about it.
 */
export function fastLines(fields: readonly Field[], maxBytes: number): FastLine {
  const declared = new Set(fields.map((field) => field.name));
  const columns = fields.map(({ name, type, required }) => ({
    name,
    type,
    required: required === true,
    isStamped: STAMPED.has(name),
  }));
  const numbered = declared.has('seq');
  const template = templateOf(fields);

  function line(record: object, stamps: Stamps): string {
    const source = plain(record) as Source;
    const numbering = numbered ? stamps.numbering(source.writer_id, source.seq) : undefined;
    const budget = { values: MAX_VALUES, chars: maxBytes };
    const ordered: Record<string, unknown> = { ...template };
    let known = 0;
    for (const { name, type, required, isStamped } of columns) {
      const given = source[name];
      if (given !== undefined) known++;
      const value = isStamped ? stamped(name, given, stamps, numbering) : given;
      if (value === undefined || value === null) {
        if (required) throw NOT_PLAIN;
        ordered[name] = value;
        continue;
      }
      const checked = snapshot(value, type);
      if (!fits(checked, type)) throw NOT_PLAIN;
      check(checked, 1, budget);
      ordered[name] = checked;
    }
    const names = Object.keys(source);
    if (names.length > known) addUnknown(ordered, source, names, budget);
    return JSON.stringify(ordered);
  }

  function addUnknown(
    ordered: Record<string, unknown>,
    source: Source,
    names: string[],
    budget: Budget,
  ): void {
    for (const name of names) {
      if (declared.has(name)) continue;
      // Assigned, it would be the prototype.
      if (name === '__proto__') throw NOT_PLAIN;
      const value = source[name];
      checkText(name, budget);
      check(value, 1, budget);
      ordered[name] = value;
    }
  }

  return (record, stamps) => {
    try {
      const text = line(record, stamps);
      const tooLong = text.length * 3 > maxBytes && Buffer.byteLength(text) > maxBytes;
      return tooLong ? undefined : text;
    } catch {
      return undefined;
    }
  };
}

const STAMPED = new Set(['schema', 'timestamp', 'call_id', 'writer_id', 'seq']);

/**
 * All fields in their order, undefined, which JSON.stringify leaves out. An object that gets as many by assignment
 * becomes a hash table in V8, and JSON.stringify takes half as long again; one that JSON.parse made does not.
 */
function templateOf(fields: readonly Field[]): Record<string, unknown> {
  const names = JSON.stringify(Object.fromEntries(fields.map(({ name }) => [name, null])));
  const template = JSON.parse(names) as Record<string, unknown>;
  for (const { name } of fields) template[name] = undefined;
  return template;
}

function stamped(name: string, given: unknown, stamps: Stamps, numbering: Numbering | undefined): unknown {
  switch (name) {
    case 'schema':
      return given ?? stamps.schema;
    case 'timestamp':
      return given ?? stamps.timestamp();
    case 'call_id':
      return isAbsent(given) ? stamps.callId() : given;
    case 'writer_id':
      return numbering ? numbering.writer_id : given;
    case 'seq':
      return numbering ? numbering.seq : given;
    default:
      return given;
  }
}

/** A copy of what a reader is strict about, so that it cannot change between the check and the line. */
function snapshot(value: unknown, type: FieldType): unknown {
  if (!Array.isArray(value)) return value;
  if (type === 'strings') return [...value];
  return type === 'documents' ? value.map(snapshotOfDocument) : value;
}

function snapshotOfDocument(document: unknown): Source {
  const copy = { ...(plain(document) as Source) };
  if (unfitInDocument(copy).length > 0) throw NOT_PLAIN;
  return copy;
}

/** The object itself, when JSON.stringify would write its own fields and nothing else. */
function plain(value: unknown): object {
  if (typeof value !== 'object' || value === null) throw NOT_PLAIN;
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) throw NOT_PLAIN;
  if ((value as Source).toJSON !== undefined) throw NOT_PLAIN;
  return value;
}

interface Budget {
  values: number;
  chars: number;
}

/** Throws where JSON.stringify would throw, never come back or write something that needs a note. */
function check(value: unknown, depth: number, budget: Budget): void {
  switch (typeof value) {
    case 'string':
      checkText(value, budget);
      return;
    case 'object':
      if (value !== null) checkContainer(value, depth, budget);
      return;
    case 'number':
    case 'boolean':
    case 'undefined':
      return;
    default:
      throw NOT_PLAIN;
  }
}

/** A lone surrogate has no UTF-8; JSON.stringify writes an escape, which DuckDB refuses and with it the line. */
function checkText(text: string, budget: Budget): void {
  budget.chars -= text.length;
  if (budget.chars < 0 || !(text as Checkable).isWellFormed()) throw NOT_PLAIN;
}

/** ES2024, in Node 20. */
type Checkable = string & { isWellFormed(): boolean };

function checkContainer(value: object, depth: number, budget: Budget): void {
  if (depth >= MAX_DEPTH || --budget.values < 0) throw NOT_PLAIN;
  if (!Array.isArray(value)) {
    for (const name in plain(value)) {
      budget.values--;
      checkText(name, budget);
      check((value as Source)[name], depth + 1, budget);
    }
    return;
  }
  budget.values -= value.length;
  if (budget.values < 0 || (value as { toJSON?: unknown }).toJSON !== undefined) throw NOT_PLAIN;
  for (let i = 0; i < value.length; i++) check(value[i], depth + 1, budget);
}
