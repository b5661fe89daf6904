import type { Field, FieldType } from '../schema/fields.js';
import { MAX_DEPTH } from './clean.js';
import { FITS, unfitInDocument } from './fits.js';
import { isAbsent, type Stamps } from './stamp.js';

/** More is for the careful way, which knows when to stop. */
const MAX_VALUES = 100_000;

const NOT_PLAIN = new Error('not plain');

type Source = Readonly<Record<string, unknown>>;

export type FastLine = (record: object, stamps: Stamps) => string | undefined;

/**
 * The line of a record that is as it should be: plain objects and arrays, every declared field of its type. One
 * look at its values and one JSON.stringify, which takes nearly all of the time: a copy that is clean by
 * construction takes three times as long, one whose fields are put in the order of the table a third more. What
 * the logger fills in comes first, the rest in the order of the record.
 *
 * @returns undefined for any other record, which says nothing about it.
 */
export function fastLines(fields: readonly Field[], maxBytes: number): FastLine {
  const columns = new Map(fields.map((field) => [field.name, columnOf(field)]));
  const required = fields.filter((field) => field.required).length;
  const numbered = columns.has('seq');

  function line(record: object, stamps: Stamps): string {
    const copy = stamped(plain(record) as Source, stamps, numbered);
    valuesLeft = MAX_VALUES;
    charsLeft = maxBytes;
    let missing = required;
    // Twice as fast as Object.keys, which would not give what somebody adds to Object.prototype.
    for (const _ in NOTHING) throw NOT_PLAIN;
    for (const name in copy) {
      let value = copy[name];
      if (value === undefined || value === null) continue;
      const column = columns.get(name);
      if (column === undefined) {
        checkText(name);
      } else {
        // An assignment costs JSON.stringify time even when it changes nothing.
        if (column.snapshot) copy[name] = value = column.snapshot(value);
        if (!column.fits(value)) throw NOT_PLAIN;
        if (column.required) missing--;
      }
      check(value, 1);
    }
    if (missing > 0 || copy.toJSON !== undefined) throw NOT_PLAIN;
    return JSON.stringify(copy);
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

const NOTHING = {};

type Copy = Record<string, unknown>;

/**
 * A copy of the record, each value read once, so that none can change between the check and the line. What is
 * filled in comes first: an object that gets it later becomes a hash table in V8, and JSON.stringify takes twice
 * as long.
 */
function stamped(record: Source, stamps: Stamps, numbered: boolean): Copy {
  const numbering = numbered ? stamps.numbering(record.writer_id, record.seq) : undefined;
  const copy: Copy = {
    schema: stamps.schema,
    timestamp: stamps.timestamp(),
    call_id: numbered ? stamps.callId() : undefined,
    writer_id: numbering?.writer_id,
    seq: numbering?.seq,
    ...record,
  };
  // The record may name a field and leave it empty.
  if (copy.schema === undefined || copy.schema === null) copy.schema = stamps.schema;
  if (copy.timestamp === undefined || copy.timestamp === null) copy.timestamp = stamps.timestamp();
  if (numbered && isAbsent(copy.call_id)) copy.call_id = stamps.callId();
  if (numbering && (copy.seq !== numbering.seq || copy.writer_id !== numbering.writer_id)) {
    copy.writer_id = numbering.writer_id;
    copy.seq = numbering.seq;
  }
  return copy;
}

interface Column {
  readonly fits: (value: unknown) => boolean;
  /** A copy of what a reader is strict about, so that it cannot change between the check and the line. */
  readonly snapshot: ((value: unknown) => unknown) | undefined;
  readonly required: boolean;
}

function columnOf({ type, required }: Field): Column {
  return { fits: FITS[type], snapshot: SNAPSHOTS[type], required: required === true };
}

const SNAPSHOTS: Partial<Record<FieldType, (value: unknown) => unknown>> = {
  strings: (value) => (Array.isArray(value) ? [...value] : value),
  documents: (value) => (Array.isArray(value) ? value.map(snapshotOfDocument) : value),
};

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

/** What the record being looked at may still have; at module level, where counting costs least. */
let valuesLeft = 0;
let charsLeft = 0;

/** Throws where JSON.stringify would throw, never come back or write something that needs a note. */
function check(value: unknown, depth: number): void {
  if (typeof value === 'string') checkText(value);
  else if (typeof value === 'object') {
    if (value !== null) checkContainer(value, depth);
  } else if (typeof value === 'number') {
    // Neither NaN nor an infinity is between the two.
    if (!(value <= Number.MAX_SAFE_INTEGER && value >= Number.MIN_SAFE_INTEGER)) throw NOT_PLAIN;
  } else if (typeof value === 'function' || typeof value === 'symbol' || typeof value === 'bigint')
    throw NOT_PLAIN;
}

/** A lone surrogate has no UTF-8; JSON.stringify writes an escape, which DuckDB refuses and with it the line. */
function checkText(text: string): void {
  charsLeft -= text.length;
  if (charsLeft < 0 || !(text as Checkable).isWellFormed()) throw NOT_PLAIN;
}

/** ES2024, in Node 20. */
type Checkable = string & { isWellFormed(): boolean };

function checkContainer(value: object, depth: number): void {
  if (depth >= MAX_DEPTH || --valuesLeft < 0) throw NOT_PLAIN;
  if (!Array.isArray(value)) {
    for (const name in plain(value)) {
      valuesLeft--;
      checkText(name);
      check((value as Source)[name], depth + 1);
    }
    return;
  }
  valuesLeft -= value.length;
  if (valuesLeft < 0 || (value as { toJSON?: unknown }).toJSON !== undefined) throw NOT_PLAIN;
  for (let i = 0; i < value.length; i++) check(value[i], depth + 1);
}
