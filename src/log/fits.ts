import { DOCUMENT_FIELDS, FINAL_VERDICTS, type FieldType, TIMESTAMP_PATTERN } from '../schema/fields.js';

const TIMESTAMP = new RegExp(TIMESTAMP_PATTERN);

/** Many records have the time of the one before. */
let lastTimestamp: string | undefined;

function isTimestamp(value: unknown): boolean {
  if (typeof value !== 'string') return false;
  if (value === lastTimestamp) return true;
  if (!TIMESTAMP.test(value)) return false;
  lastTimestamp = value;
  return true;
}

const isString = (value: unknown): boolean => typeof value === 'string';
const VERDICTS: ReadonlySet<unknown> = new Set(FINAL_VERDICTS);

/** Whether a reader takes a value for a field of that type. */
export const FITS: Readonly<Record<FieldType, (value: unknown) => boolean>> = {
  schema: isString,
  string: isString,
  timestamp: isTimestamp,
  verdict: (value) => VERDICTS.has(value),
  nonempty: (value) => typeof value === 'string' && value !== '',
  integer: (value) => Number.isSafeInteger(value),
  count: (value) => Number.isSafeInteger(value) && (value as number) >= 0,
  positive: (value) => Number.isSafeInteger(value) && (value as number) >= 1,
  number: (value) => typeof value === 'number',
  boolean: (value) => typeof value === 'boolean',
  strings: (value) => Array.isArray(value) && value.every(isString),
  documents: (value) => Array.isArray(value),
  any: () => true,
  attempts: () => true,
};

/** The declared fields of one document that do not fit. */
export function unfitInDocument(document: Readonly<Record<string, unknown>>): string[] {
  return DOCUMENT_FIELDS.filter(({ name, type }) => {
    const member = document[name];
    return member !== undefined && member !== null && !FITS[type](member);
  }).map(({ name }) => name);
}
