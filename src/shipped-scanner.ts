/** Run by the build: what the scanner knows of the record formats, as AssemblyScript, so that no run has to tell it. */

import {
  ATTEMPT_FIELDS,
  ATTEMPT_VERDICTS,
  DOCUMENT_FIELDS,
  FINAL_VERDICTS,
  type Field,
  type FieldType,
} from './schema/fields.js';
import { FORMATS, KEYS, KINDS } from './schema/formats.js';

/** Declared types in the order of their numbers from 1; others need no check of their value and have 0. */
const CHECKED: readonly FieldType[] = [
  ...(['string', 'nonempty', 'timestamp', 'verdict', 'boolean', 'number'] as const),
  ...(['integer', 'count', 'positive', 'strings', 'documents'] as const),
];

const namesOf = (fields: readonly Field[]) => fields.map(({ name }) => name);
const typeOf = ({ type }: Field) => CHECKED.indexOf(type) + 1;
/** A bit for each of some fields by its key. */
const bits = (fields: readonly Field[]) =>
  fields.reduce((sum, { name }) => sum | (1n << BigInt(KEYS.indexOf(name))), 0n);

/** The module `fields` that the others of src/scan/wasm/ import. */
export function fieldsModule(): string {
  const words: string[] = [];
  const wordBytes: number[] = [];
  /** @returns the number of the first. */
  const add = (texts: readonly string[]) => {
    const first = words.length;
    for (const text of texts) wordBytes.push(...word(text, first));
    words.push(...texts);
    return first;
  };
  const attemptFields = namesOf(ATTEMPT_FIELDS);
  // A key is the number of its word, so they come first.
  add(KEYS);
  const numbers = {
    keyCount: KEYS.length,
    schemaKey: KEYS.indexOf('schema'),
    timestampKey: KEYS.indexOf('timestamp'),
    iterationsKey: KEYS.indexOf('iterations'),
    finalVerdictKey: KEYS.indexOf('final_verdict'),
    attemptsKey: KEYS.indexOf('attempts'),
    documentsKey: KEYS.indexOf('documents'),
    schemaWords: add(KINDS.map((kind) => FORMATS[kind].schema)),
    finalVerdictWords: add(FINAL_VERDICTS),
    finalVerdictCount: FINAL_VERDICTS.length,
    documentWords: add(namesOf(DOCUMENT_FIELDS)),
    fieldWords: add(attemptFields),
    fieldCount: attemptFields.length,
    attemptVerdictWords: add(ATTEMPT_VERDICTS),
    attemptVerdictCount: ATTEMPT_VERDICTS.length,
    reasonsField: attemptFields.indexOf('reasons'),
  };
  const [ofCalls, ofRuns] = KINDS.map((kind) => bits(FORMATS[kind].fields));
  return [
    ...Object.entries(numbers).map(([name, number]) => `export const ${name}: i32 = ${number};`),
    `export const declaredByCalls: u64 = ${ofCalls};`,
    `export const declaredByRuns: u64 = ${ofRuns};`,
    table('WORDS', wordBytes),
    table(
      'KINDS',
      KINDS.flatMap((kind) => kindBytes(FORMATS[kind].fields)),
    ),
    table('ATTEMPT_TYPES', ATTEMPT_FIELDS.map(typeOf)),
  ].join('\n');
}

const table = (name: string, bytes: readonly number[]) =>
  `export const ${name}: usize = memory.data<u8>([${bytes.join(', ')}], 16);`;

/** As src/scan/wasm/layout.ts says. */
function word(text: string, follower: number): number[] {
  const quoted = [...Buffer.from(`${text}"`)];
  if (quoted.length > 32) throw new Error(`the scanner compares words of up to 31 bytes: ${text}`);
  const bytes = Buffer.alloc(48);
  bytes.writeUInt32LE(2 ** quoted.length - 1, 0);
  bytes.writeUInt32LE(follower, 4);
  bytes.set(quoted, 16);
  return [...bytes];
}

function kindBytes(fields: readonly Field[]): number[] {
  const bytes = Buffer.alloc(16 + 2 * 64);
  bytes.writeUInt32LE(fields.length, 0);
  bytes.writeBigUInt64LE(bits(fields.filter(({ required }) => required)), 8);
  bytes.set(
    fields.flatMap((field) => [KEYS.indexOf(field.name), typeOf(field)]),
    16,
  );
  return [...bytes];
}
