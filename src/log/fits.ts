import { DOCUMENT_FIELDS, FINAL_VERDICTS, type FieldType, TIMESTAMP_PATTERN } from '../schema/fields.js';

const TIMESTAMP = new RegExp(TIMESTAMP_PATTERN);

/** Whether a reader takes a value for a field of that type. */
export function fits(value: unknown, type: FieldType): boolean {
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

/** The declared fields of one document that do not fit. */
export function unfitInDocument(document: Readonly<Record<string, unknown>>): string[] {
  return DOCUMENT_FIELDS.filter(({ name, type }) => {
    const member = document[name];
    return member !== undefined && member !== null && !fits(member, type);
  }).map(({ name }) => name);
}
