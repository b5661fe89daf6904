import { createCipheriv } from 'node:crypto';
import { readFileSync } from 'node:fs';
import {
  ATTEMPT_FIELDS,
  ATTEMPT_VERDICTS,
  DOCUMENT_FIELDS,
  FINAL_VERDICTS,
  type Field,
  type FieldType,
} from '../schema/fields.js';
import { artifact } from './artifact.js';
import { isDerived, type Layout } from './columns.js';
import { FORMATS, KEYS, KINDS, type Kind } from './formats.js';

/** A compiled scanner; threads share it. */
export type ScannerModule = object;

/** As far as it is used: TypeScript knows WebAssembly with the DOM only. */
interface Engine {
  readonly Module: new (code: Uint8Array) => ScannerModule;
  readonly Instance: new (module: ScannerModule, imports: object) => { readonly exports: unknown };
}
const engine = (globalThis as unknown as { readonly WebAssembly: Engine }).WebAssembly;

interface Global<T = number> {
  value: T;
}

/** The host sees the upper half of the memory below 0. */
export const addressOf = ({ value }: Global): number => value >>> 0;

/** Counts of the lines of a part. */
export const COUNTERS = [
  ...(['lines', 'blank', 'pending', 'rejected'] as const),
  ...(['loadedCalls', 'loadedRuns', 'marks', 'firstMark'] as const),
];
export type Counter = (typeof COUNTERS)[number];

type Address =
  | 'INPUT'
  | 'CELLS'
  | 'ARENA'
  | 'WORDS'
  | 'KINDS'
  | 'ATTEMPT_TYPES'
  | 'COLUMNS'
  | 'REJECTS'
  | 'GROUPS'
  | 'KEY';
/** Rows and rejects that wait to be taken. */
type Waiting = 'calls' | 'runs' | 'arenaUsed' | 'rejects';
type Setting = keyof ReturnType<typeof settingsOf> | 'batch' | 'only' | 'digests';

/** What the scanner's WebAssembly exports. See src/scan/wasm. */
export interface Exports extends Readonly<Record<Address | Counter | Waiting, Global>> {
  readonly memory: { readonly buffer: ArrayBuffer };
  readonly newest: Global<bigint>;
  reserve(inputBytes: number, cellBytes: number): number;
  begin(): void;
  scan(from: number, to: number, base: number): number;
  scanTail(length: number, base: number, isLive: boolean): void;
  noteTooLong(length: number, isMarked: boolean): void;
  takeRows(): void;
  takeRejects(): void;
}

/** Tells the scanner what it cannot know by itself. */
export function tell(x: Exports, settings: { readonly [name in Setting]?: number | bigint }): void {
  const globals = x as unknown as Readonly<Record<string, Global<number | bigint>>>;
  for (const [name, value] of Object.entries(settings)) globals[name]!.value = value;
}

export function compileScanner(): ScannerModule {
  return new engine.Module(readFileSync(artifact('scan.wasm')));
}

export interface ScanOptions {
  /** Columns of the rows of calls and of replay runs: declared fields, and those of columns.ts. */
  readonly calls: readonly string[];
  readonly runs: readonly string[];
  /** Fields of an attempt that the column `attempts` keeps. */
  readonly attemptFields: readonly string[];
  readonly maxLineBytes: number;
  /** No input has more bytes, so that no more memory is asked for. */
  readonly mostBytes?: number | undefined;
  /** Every rejected line is handed over; else only the first of each reason is told, with the counts. */
  readonly everyReject: boolean;
  /** 16 random bytes: the key of the line hash, the same for all scanners of a run. */
  readonly runKey: Uint8Array;
}

/** Declared types in the order of their numbers from 1; others need no check of their value and have 0. */
const CHECKED: readonly FieldType[] = [
  ...(['string', 'nonempty', 'timestamp', 'verdict', 'boolean', 'number'] as const),
  ...(['integer', 'count', 'positive', 'strings', 'documents'] as const),
];
const numberOf = ({ type }: Field) => CHECKED.indexOf(type) + 1;

const WORD = 48;
const KIND = 16 + 2 * 64;
const COLUMN = 16;
const MOST_COLUMNS = 64;

/** An instance that knows the fields of src/schema/fields.ts and the wanted columns. */
export function startMachine(
  module: ScannerModule,
  options: ScanOptions,
  layout: Layout,
  inputBytes: number,
): Exports {
  const ascii = new TextDecoder('latin1');
  const number = (start: number, end: number) =>
    Number(ascii.decode(new Uint8Array(x.memory.buffer, start >>> 0, end - start)));
  const instance = new engine.Instance(module, {
    host: { number, key: (bytes: number) => extendKey(x, options.runKey, bytes) },
  });
  const x = instance.exports as Exports;
  // A line that turns out to be too long is walked all the same, so whatever was read has to have room.
  if (!x.reserve(inputBytes, layout.bytes)) {
    throw new Error(`WebAssembly could not allocate memory for lines of ${options.maxLineBytes} bytes`);
  }
  tell(x, settingsOf(options, layout, wordWriter(x)));
  new Uint8Array(x.memory.buffer).set(ATTEMPT_FIELDS.map(numberOf), x.ATTEMPT_TYPES.value);
  writeKinds(x);
  writeColumns(x, layout);
  x.takeRows();
  return x;
}

const namesOf = (fields: readonly Field[]) => fields.map(({ name }) => name);
/** A bit for each of some names by its place among all. */
const bits = (names: readonly string[], all: readonly string[]) =>
  names.reduce((sum, name) => sum | (1n << BigInt(all.indexOf(name))), 0n);

function settingsOf(
  { attemptFields, maxLineBytes, everyReject }: ScanOptions,
  { columns: [calls, runs] }: Layout,
  words: ReturnType<typeof wordWriter>,
) {
  const key = (name: string) => KEYS.indexOf(name);
  const fields = namesOf(ATTEMPT_FIELDS);
  const declared = (kind: Kind) => bits(namesOf(FORMATS[kind].fields), KEYS);
  // A key is the number of its word, so they come first.
  words(KEYS);
  return {
    keyCount: KEYS.length,
    schemaKey: key('schema'),
    timestampKey: key('timestamp'),
    iterationsKey: key('iterations'),
    finalVerdictKey: key('final_verdict'),
    attemptsKey: key('attempts'),
    documentsKey: key('documents'),
    schemaWords: words(KINDS.map((kind) => FORMATS[kind].schema)),
    finalVerdictWords: words(FINAL_VERDICTS),
    finalVerdictCount: FINAL_VERDICTS.length,
    documentWords: words(namesOf(DOCUMENT_FIELDS)),
    fieldWords: words(fields),
    fieldCount: fields.length,
    attemptVerdictWords: words(ATTEMPT_VERDICTS),
    attemptVerdictCount: ATTEMPT_VERDICTS.length,
    reasonsField: fields.indexOf('reasons'),
    wantedFields: Number(bits(attemptFields, fields)),
    declaredByCalls: declared('sessions'),
    declaredByRuns: declared('replay_runs'),
    callColumns: calls.length,
    runColumns: runs.length,
    derivesCalls: Number(calls.some(isDerived)),
    maxLineBytes,
    everyReject: Number(everyReject),
  };
}

/** Writes words one behind the other; each call returns the number of its first. */
function wordWriter({ memory, WORDS }: Exports): (texts: readonly string[]) => number {
  const bytes = new Uint8Array(memory.buffer);
  const view = new DataView(memory.buffer);
  let count = 0;
  return (texts) => {
    const first = count;
    for (const text of texts) {
      const at = WORDS.value + WORD * count++;
      const quoted = new TextEncoder().encode(`${text}"`);
      if (quoted.length > 32) throw new Error(`the scanner compares words of up to 31 bytes: ${text}`);
      view.setUint32(at, 2 ** quoted.length - 1, true);
      view.setUint32(at + 4, first, true);
      bytes.set(quoted, at + 16);
    }
    return first;
  };
}

function writeKinds({ memory, KINDS: at }: Exports): void {
  const view = new DataView(memory.buffer);
  for (const [i, kind] of KINDS.entries()) {
    const { fields } = FORMATS[kind];
    const start = at.value + KIND * i;
    view.setUint32(start, fields.length, true);
    view.setBigUint64(start + 8, bits(namesOf(fields.filter(({ required }) => required)), KEYS), true);
    const pairs = fields.flatMap((field) => [KEYS.indexOf(field.name), numberOf(field)]);
    new Uint8Array(memory.buffer).set(pairs, start + 16);
  }
}

function writeColumns({ memory, COLUMNS }: Exports, { columns }: Layout): void {
  for (const [kind, ofKind] of columns.entries()) {
    for (const [i, { source, way, cells, validity }] of ofKind.entries()) {
      const at = COLUMNS.value + COLUMN * (kind * MOST_COLUMNS + i);
      new Uint32Array(memory.buffer, at, 4).set([source, way, cells, validity]);
    }
  }
}

const KEY_STEP = 1 << 16;

/** The key stream of AES under the run's key: as random as that, and the same in every thread. */
function extendKey({ memory, KEY }: Exports, runKey: Uint8Array, bytes: number): number {
  const length = Math.ceil(bytes / KEY_STEP) * KEY_STEP;
  const stream = createCipheriv('aes-128-ctr', runKey, new Uint8Array(16));
  new Uint8Array(memory.buffer).set(stream.update(new Uint8Array(length)), addressOf(KEY));
  return length;
}
