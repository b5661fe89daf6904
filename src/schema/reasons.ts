/** Why a line is no record: the names of the reasons, which are part of the interface, and what a field must be. */
import type { Field, FieldType } from './fields.js';

/** In the scanner's order. */
export const REASONS = [
  '',
  'bad_json',
  'not_object',
  'duplicate_key',
  'missing',
  'type',
  'value',
  'too_long',
  'wrong_kind',
  'torn_tail',
];

/** @param code the scanner's number of a reason. @param key the field that it is about. */
export function reasonName(code: number, key: string): string {
  const name = REASONS[code]!;
  return code >= 3 && code <= 6 ? `${name}:${key}` : name;
}

const MUST: Partial<Record<FieldType, string>> = {
  timestamp: 'an RFC 3339 date and time with offset, like 2026-09-01T08:00:00Z',
  integer: 'an integer',
  count: 'an integer of at least 0',
  positive: 'an integer of at least 1',
  number: 'a finite number',
  boolean: 'true, false or null',
  strings: 'an array of strings',
  documents: 'an array of {id, source, score, rank}, each of them once',
  verdict: 'accepted, max_iter_exhausted or infra_error',
  nonempty: 'a string that is not empty',
};

/** What a declared field must be, in words. @param value JSON text of what it is instead. */
export function expectation(field: Field | undefined, value: string): string {
  const type = field?.type ?? 'string';
  if (type === 'timestamp' && /:60(\.\d+)?([Zz]|[+-]\d\d:\d\d)"$/.test(value))
    return 'an RFC 3339 date and time without a leap second (:60)';
  return `${MUST[type] ?? 'a string'}${INTEGERS.includes(type) ? bound(value) : ''}`;
}

const INTEGERS: readonly FieldType[] = ['integer', 'count', 'positive'];
/** Integers are exact up to 2^53 − 1, and no digit is bent. */
const bound = (value: string) =>
  Math.abs(Number(value)) > Number.MAX_SAFE_INTEGER ? ' and at most 9007199254740991 (2^53 − 1)' : '';
