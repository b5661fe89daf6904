import type { Field, FieldType } from '../schema/fields.js';
import { type Cleaner, cleaner, type Json, TooLarge, wellFormed } from './clean.js';
import { fastLines } from './fast-line.js';
import { FITS, unfitInDocument } from './fits.js';
import { isAbsent, type Stamps } from './stamp.js';

/** Half of what a reader takes by default (16 MiB), so that escapes and a raised prompt limit leave room. */
export const MAX_RECORD_BYTES = 8 * 1024 * 1024;

/** Field the logger adds where it could not write a record as it was given. */
export const NOTE_FIELD = 'log_note';
/** Field the logger adds to a record that lost its content for its size. */
export const TRUNCATED_FIELD = 'truncated';

const CONTENT_LEFT_OUT = '[lakelog: left out, record too large]';
/** Of an optional field that is kept when content is not: an id, a version, a short error. */
const MAX_KEPT_CHARS = 4096;

export interface Line {
  /** JSON text, one line, without terminator. */
  readonly text: string;
  /** What a reader will reject the line for, if anything. */
  readonly defect: string | null;
  /** Whether content was left out for the size of the record. */
  readonly truncated: boolean;
}

export class RecordTooLarge extends RangeError {
  override name = 'RecordTooLarge';
}

type Clean = { [key: string]: Json };

/**
 * Makes one line of JSON of any value the host calls a record. Required fields are written as they are given: a
 * wrong one makes the line a visible reject, which is better than a call that never happened. An optional field
 * that cannot be what it is declared to be is left out and named in `log_note`.
 *
 * The function it returns throws when there is nothing to write: not an object, unreadable as a whole, or too
 * large even without content (RecordTooLarge).
 *
 * @param maxBytes of a line; above, a record keeps its verdicts and loses its content.
 */
export function lines(fields: readonly Field[], maxBytes: number): (record: unknown, stamps: Stamps) => Line {
  const fast = fastLines(fields, maxBytes);
  return (record, stamps) => {
    if (typeof record !== 'object' || record === null || Array.isArray(record)) {
      throw new TypeError(`not a record: ${record === null ? 'null' : typeof record}`);
    }
    const text = fast(record, stamps);
    if (text !== undefined) return { text, defect: null, truncated: false };
    return carefulLine(record, fields, maxBytes, stamps);
  };
}

function carefulLine(record: object, fields: readonly Field[], maxBytes: number, stamps: Stamps): Line {
  let reason = '';
  for (const copy of [wholeRecord, withoutContent, withoutOptional]) {
    try {
      const line = finish(copy(record, fields, maxBytes), fields, stamps);
      const bytes = Buffer.byteLength(line.text);
      if (bytes <= maxBytes) return { ...line, truncated: copy !== wholeRecord };
      reason = `${bytes} bytes`;
    } catch (error) {
      if (!(error instanceof TooLarge)) throw error;
      reason = error.message;
    }
  }
  throw new RecordTooLarge(`record too large even without its content: ${reason}`);
}

interface Copy {
  readonly values: Clean;
  readonly notes: string[];
}

function wholeRecord(record: object, fields: readonly Field[], maxChars: number): Copy {
  const clean = cleaner(maxChars);
  const source = ownForm(record);
  const declared = new Set(fields.map((field) => field.name));
  const extra = Object.keys(source).filter((name) => !declared.has(name));
  return copyMembers(source, [...declared, ...extra], clean);
}

function withoutContent(record: object, fields: readonly Field[], maxChars: number): Copy {
  const source = ownForm(record);
  const copy = smallMembers(source, fields, maxChars);
  for (const { name, type, content } of fields) {
    if (content && isPresent(source, name)) copy.values[name] = CONTENT_LEFT_OUT;
    if (type !== 'attempts') continue;
    const attempts = verdictsOnly(source[name], cleaner(maxChars));
    if (attempts) copy.values[name] = attempts;
  }
  return truncated(copy, 'content, documents and unknown fields left out');
}

/** For a record whose very attempts are too many. */
function withoutOptional(record: object, fields: readonly Field[], maxChars: number): Copy {
  return truncated(smallMembers(ownForm(record), fields, maxChars), 'all but the short fields left out');
}

function truncated(copy: Copy, what: string): Copy {
  copy.values[TRUNCATED_FIELD] = true;
  copy.notes.push(`${what}: record too large`);
  return copy;
}

/** The fields that say what happened; of the optional ones, those that are short. */
function smallMembers(source: Record<string, unknown>, fields: readonly Field[], maxChars: number): Copy {
  const values: Clean = Object.create(null);
  const notes: string[] = [];
  for (const { name, type, required, content } of fields) {
    if (content || isBulky(type)) continue;
    try {
      const member = copyMembers(source, [name], cleaner(required ? maxChars : MAX_KEPT_CHARS));
      Object.assign(values, member.values);
      notes.push(...member.notes);
    } catch (error) {
      if (required || !(error instanceof TooLarge)) throw error;
      notes.push(`${name}: left out, too long`);
    }
  }
  return { values, notes };
}

function isBulky(type: FieldType): boolean {
  return type === 'attempts' || type === 'documents';
}

/** The object whose members count: JSON.stringify asks toJSON first. */
function ownForm(record: object): Record<string, unknown> {
  const { toJSON } = record as { toJSON?: unknown };
  const form: unknown = typeof toJSON === 'function' ? toJSON.call(record, '') : record;
  if (typeof form !== 'object' || form === null || Array.isArray(form)) {
    throw new TypeError('toJSON of the record gave no object');
  }
  return form as Record<string, unknown>;
}

function has(source: object, name: string): boolean {
  return Object.hasOwn(source, name);
}

function isPresent(source: Record<string, unknown>, name: string): boolean {
  try {
    return source[name] !== undefined && source[name] !== null;
  } catch {
    return true;
  }
}

function copyMembers(source: Record<string, unknown>, names: readonly string[], clean: Cleaner): Copy {
  const values: Clean = Object.create(null);
  const notes: string[] = [];
  for (const name of names) {
    if (!has(source, name)) continue;
    let value: Json | undefined;
    try {
      value = clean.clean(source[name], 1);
    } catch (error) {
      if (error instanceof TooLarge) throw error;
      notes.push(`${label(name)}: unreadable`);
      continue;
    }
    const note = clean.takeNote();
    if (note !== undefined) notes.push(`${label(name)}: ${note}`);
    const key = clean.clean(name, 1) as string;
    if (value !== undefined) values[key] = value;
  }
  return { values, notes };
}

function verdictsOnly(attempts: unknown, clean: Cleaner): Json[] | undefined {
  try {
    if (!Array.isArray(attempts) || attempts.length > 10_000) return undefined;
    return attempts.map((attempt, i) => ({
      attempt_number: i + 1,
      verdict: clean.clean((attempt as { verdict?: unknown } | null)?.verdict, 3) ?? null,
    }));
  } catch {
    return undefined;
  }
}

function fill(values: Clean, fields: readonly Field[], stamps: Stamps): void {
  values.schema ??= stamps.schema;
  values.timestamp ??= stamps.timestamp();
  if (!fields.some(({ name }) => name === 'seq')) return;
  if (isAbsent(values.call_id)) values.call_id = stamps.callId();
  Object.assign(values, stamps.numbering(values.writer_id, values.seq));
}

function finish(copy: Copy, fields: readonly Field[], stamps: Stamps): Omit<Line, 'truncated'> {
  const { values, notes } = copy;
  fill(values, fields, stamps);
  const defects: string[] = [];
  for (const field of fields) {
    const value = values[field.name];
    if (value === undefined || value === null) {
      if (field.required) defects.push(`${field.name} is missing`);
      continue;
    }
    if (field.type === 'documents') repairDocuments(value, notes);
    if (field.name === 'error' && sayError(value, values)) continue;
    if (FITS[field.type](value)) continue;
    if (field.required) {
      defects.push(`${field.name} is not valid`);
    } else {
      delete values[field.name];
      notes.push(`${field.name}: left out, not ${EXPECTED[field.type] ?? field.type}`);
    }
  }
  if (notes.length > 0) values[NOTE_FIELD] = notes.slice(0, 20).join('; ');
  return {
    text: JSON.stringify(inTableOrder(values, fields)),
    defect: defects.length > 0 ? defects.join(', ') : null,
  };
}

function inTableOrder(values: Clean, fields: readonly Field[]): Clean {
  const ordered: Clean = Object.create(null);
  for (const { name } of fields) {
    const value = values[name];
    if (value !== undefined) ordered[name] = value;
  }
  return Object.assign(ordered, values);
}

/** An Error where its text belongs. */
function sayError(value: Json, values: Clean): boolean {
  if (!isObject(value) || typeof value.message !== 'string') return false;
  values.error = value.message;
  if (typeof value.name === 'string' && isAbsent(values.error_type)) values.error_type = value.name;
  return true;
}

/** One bad field costs that field, not the retrieval: how many documents there were stays true. */
function repairDocuments(value: Json, notes: string[]): void {
  if (!Array.isArray(value)) return;
  let repaired = false;
  for (const [i, document] of value.entries()) {
    if (!isObject(document)) {
      value[i] = {};
      repaired = true;
      continue;
    }
    for (const name of unfitInDocument(document)) {
      delete document[name];
      repaired = true;
    }
  }
  if (repaired) notes.push('documents: parts that do not fit left out');
}

function isObject(value: Json): value is { [key: string]: Json } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

const EXPECTED: Partial<Record<FieldType, string>> = {
  string: 'a string',
  strings: 'an array of strings',
  boolean: 'a boolean',
  integer: 'an integer',
  positive: 'an integer of at least 1',
  number: 'a number',
  documents: 'an array',
};

/** The name of a field as data: names of unknown fields may come from anywhere. */
function label(name: string): string {
  return wellFormed(name.length > 40 ? `${name.slice(0, 40)}…` : name);
}
