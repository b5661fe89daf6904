import {
  DOCUMENT_FIELDS,
  FINAL_VERDICTS,
  type Field,
  type FieldType,
  TIMESTAMP_PATTERN,
} from '../schema/fields.js';
import { type Cleaner, cleaner, type Json, TooLarge, wellFormed } from './clean.js';

/** Half of what a reader takes by default (16 MiB), so that escapes and a raised prompt limit leave room. */
export const MAX_LINE_BYTES = 8 * 1024 * 1024;

/** Field the logger adds where it could not write a record as it was given. */
export const NOTE_FIELD = 'log_note';

const CONTENT_LEFT_OUT = '[lakelog: left out, record too large]';

export interface Line {
  /** JSON text, one line, without terminator. */
  readonly text: string;
  /** What a reader will reject the line for, if anything. */
  readonly defect: string | null;
}

type Clean = { [key: string]: Json };

/**
 * Any value the host calls a record as one line of JSON. Required fields are written as they are given: a wrong
 * one makes the line a visible reject, which is better than a call that never happened. An optional field that
 * cannot be what it is declared to be is left out and named in `log_note`.
 *
 * @param stamp what to fill in, given the cleaned fields.
 * @throws when there is nothing to write: not an object, unreadable as a whole, or too large without content.
 */
export function toLine(record: unknown, fields: readonly Field[], stamp: (fields: Clean) => void): Line {
  if (typeof record !== 'object' || record === null || Array.isArray(record)) {
    throw new TypeError(`not a record: ${record === null ? 'null' : typeof record}`);
  }
  let reason = '';
  for (const copy of [wholeRecord, withoutContent]) {
    try {
      const line = finish(copy(record, fields), fields, stamp);
      const bytes = Buffer.byteLength(line.text);
      if (bytes <= MAX_LINE_BYTES) return line;
      reason = `${bytes} bytes`;
    } catch (error) {
      if (!(error instanceof TooLarge)) throw error;
      reason = error.message;
    }
  }
  throw new RangeError(`record too large even without its content: ${reason}`);
}

interface Copy {
  readonly values: Clean;
  readonly notes: string[];
}

function wholeRecord(record: object, fields: readonly Field[]): Copy {
  const clean = cleaner(MAX_LINE_BYTES);
  const source = ownForm(record);
  const declared = new Set(fields.map((field) => field.name));
  const extra = Object.keys(source).filter((name) => !declared.has(name));
  return copyMembers(source, [...declared, ...extra], clean);
}

function withoutContent(record: object, fields: readonly Field[]): Copy {
  const clean = cleaner(MAX_LINE_BYTES / 8);
  const source = ownForm(record);
  const kept = fields.filter((field) => !field.content && !isBulky(field.type));
  const { values, notes } = copyMembers(
    source,
    kept.map((field) => field.name),
    clean,
  );
  for (const field of fields) {
    if (field.content && isPresent(source, field.name)) values[field.name] = CONTENT_LEFT_OUT;
    if (field.type === 'attempts') {
      const attempts = verdictsOnly(source[field.name], clean);
      if (attempts) values[field.name] = attempts;
    }
  }
  notes.push('content, documents and unknown fields left out: record too large');
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

function finish(copy: Copy, fields: readonly Field[], stamp: (fields: Clean) => void): Line {
  const { values, notes } = copy;
  stamp(values);
  const defects: string[] = [];
  for (const field of fields) {
    const value = values[field.name];
    if (value === undefined || value === null) {
      if (field.required) defects.push(`${field.name} is missing`);
      continue;
    }
    if (field.type === 'documents') repairDocuments(value, notes);
    if (fits(value, field.type)) continue;
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
    for (const { name, type } of DOCUMENT_FIELDS) {
      const member = document[name];
      if (member === undefined || member === null || fits(member, type)) continue;
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

const TIMESTAMP = new RegExp(TIMESTAMP_PATTERN);

function fits(value: Json, type: FieldType): boolean {
  switch (type) {
    case 'schema':
    case 'string':
      return typeof value === 'string';
    case 'timestamp':
      return typeof value === 'string' && TIMESTAMP.test(value);
    case 'verdict':
      return FINAL_VERDICTS.some((verdict) => verdict === value);
    case 'nonempty':
      return typeof value === 'string' && value !== '';
    case 'integer':
      return Number.isSafeInteger(value);
    case 'count':
      return Number.isSafeInteger(value) && (value as number) >= 0;
    case 'positive':
      return Number.isSafeInteger(value) && (value as number) >= 1;
    case 'number':
      return typeof value === 'number';
    case 'boolean':
      return typeof value === 'boolean';
    case 'strings':
      return Array.isArray(value) && value.every((member) => typeof member === 'string');
    case 'documents':
      return Array.isArray(value);
    case 'any':
    case 'attempts':
      return true;
  }
}

/** The name of a field as data: names of unknown fields may come from anywhere. */
function label(name: string): string {
  return wellFormed(name.length > 40 ? `${name.slice(0, 40)}…` : name);
}
