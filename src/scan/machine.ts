import { createCipheriv } from 'node:crypto';
import { readFileSync } from 'node:fs';
import {
  ATTEMPT_FIELDS,
  ATTEMPT_VERDICTS,
  DOCUMENT_FIELDS,
  FINAL_VERDICTS,
  type FieldType,
} from '../schema/fields.js';
import { artifact } from './artifact.js';
import { isDerived, type ScanColumn } from './columns.js';
import { FORMATS, KEYS, KINDS } from './formats.js';

interface Value<T = number> {
  readonly value: T;
}

/** A compiled scanner; threads share it. */
export type ScannerModule = object;

/** As far as it is used: TypeScript knows WebAssembly with the DOM only. */
interface Engine {
  readonly Module: new (code: Uint8Array) => ScannerModule;
  readonly Instance: new (module: ScannerModule, imports: object) => { readonly exports: unknown };
}
const engine = (globalThis as unknown as { readonly WebAssembly: Engine }).WebAssembly;

/** The host sees the upper half of the memory below 0. */
export const addressOf = ({ value }: Value): number => value >>> 0;

/** What the scanner's WebAssembly exports; addresses are globals. See src/scan/wasm. */
export interface Exports {
  readonly memory: { readonly buffer: ArrayBuffer };
  readonly INPUT: Value;
  readonly CELLS: Value;
  readonly ARENA: Value;
  readonly WORDS: Value;
  readonly KINDS: Value;
  readonly ATTEMPT_TYPES: Value;
  readonly COLUMNS: Value;
  readonly REJECTS: Value;
  readonly GROUPS: Value;
  readonly KEY: Value;
  readonly lines: Value;
  readonly blank: Value;
  readonly pending: Value;
  readonly loadedCalls: Value;
  readonly loadedRuns: Value;
  readonly rejected: Value;
  readonly marks: Value;
  readonly firstMark: Value;
  readonly newest: Value<bigint>;
  readonly calls: Value;
  readonly runs: Value;
  readonly arenaUsed: Value;
  readonly rejects: Value;
  reserve(inputBytes: number, cellBytes: number): number;
  setGrammar(keys: number, attempts: number): void;
  setAttempts(
    words: number,
    count: number,
    reasons: number,
    verdictWords: number,
    verdictCount: number,
    wanted: number,
  ): void;
  setRecords(schema: number, iterations: number, finalVerdict: number, schemaWords: number): void;
  setValues(verdictWords: number, verdictCount: number, documents: number): void;
  setDerived(attempts: number, documents: number, iterations: number, finalVerdict: number): void;
  setColumns(ofCalls: number, ofRuns: number, derivesCalls: boolean): void;
  setDeclared(ofCalls: bigint, ofRuns: bigint): void;
  setScan(maxLineBytes: number, timestamp: number, handsOverEvery: boolean): void;
  begin(batch: number, only: number, digests: boolean): void;
  scan(from: number, to: number, base: number): number;
  scanTail(length: number, base: number, isLive: boolean): void;
  noteTooLong(length: number, isMarked: boolean): void;
  takeRows(): void;
  takeRejects(): void;
}

export function compileScanner(): ScannerModule {
  return new engine.Module(readFileSync(artifact('scan.wasm')));
}

export interface MachineOptions {
  readonly calls: readonly ScanColumn[];
  readonly runs: readonly ScanColumn[];
  readonly cellBytes: number;
  readonly inputBytes: number;
  readonly maxLineBytes: number;
  /** Fields that the column `attempts` keeps. */
  readonly attemptFields: readonly string[];
  readonly everyReject: boolean;
  /** 16 random bytes: the key of the line hash, the same for all scanners of a run. */
  readonly runKey: Uint8Array;
}

/** Numbers of the declared types in the scanner; `any`, `schema` and `attempts` need no check of their value. */
const TYPES: Partial<Record<FieldType, number>> = {
  string: 1,
  nonempty: 2,
  timestamp: 3,
  verdict: 4,
  boolean: 5,
  number: 6,
  integer: 7,
  count: 8,
  positive: 9,
  strings: 10,
  documents: 11,
};
const WORD = 48;
const KIND = 16 + 2 * 64;
const COLUMN = 16;
const MOST_COLUMNS = 64;

/** An instance that knows the fields of src/schema/fields.ts and the wanted columns. */
export function startMachine(module: ScannerModule, options: MachineOptions): Exports {
  const ascii = new TextDecoder('latin1');
  const number = (start: number, end: number) =>
    Number(ascii.decode(new Uint8Array(x.memory.buffer, start >>> 0, end - start)));
  const instance = new engine.Instance(module, {
    host: { number, key: (bytes: number) => extendKey(x, options.runKey, bytes) },
  });
  const x = instance.exports as Exports;
  // A line that turns out to be too long is walked all the same, so whatever was read has to have room.
  if (!x.reserve(options.inputBytes, options.cellBytes)) {
    throw new Error(`WebAssembly could not allocate memory for lines of ${options.maxLineBytes} bytes`);
  }
  const words = wordWriter(x);
  const key = (name: string) => KEYS.indexOf(name);
  words(KEYS);
  x.setGrammar(KEYS.length, key('attempts'));
  const schemas = words(KINDS.map((kind) => FORMATS[kind].schema));
  x.setRecords(key('schema'), key('iterations'), key('final_verdict'), schemas);
  const documents = words(DOCUMENT_FIELDS.map(({ name }) => name));
  x.setValues(words(FINAL_VERDICTS), FINAL_VERDICTS.length, documents);
  x.setDerived(key('attempts'), key('documents'), key('iterations'), key('final_verdict'));
  writeAttempts(x, words, options.attemptFields);
  x.setDeclared(...writeKinds(x));
  writeColumns(x, options);
  x.setScan(options.maxLineBytes, key('timestamp'), options.everyReject);
  x.takeRows();
  return x;
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

function writeAttempts(
  x: Exports,
  words: (texts: readonly string[]) => number,
  wanted: readonly string[],
): void {
  const names = ATTEMPT_FIELDS.map(({ name }) => name);
  const first = words(names);
  const verdicts = words(ATTEMPT_VERDICTS);
  const types = new Uint8Array(x.memory.buffer, x.ATTEMPT_TYPES.value);
  for (const [i, { type }] of ATTEMPT_FIELDS.entries()) types[i] = TYPES[type] ?? 0;
  const mask = wanted.reduce((sum, name) => sum | (1 << names.indexOf(name)), 0);
  x.setAttempts(first, names.length, names.indexOf('reasons'), verdicts, ATTEMPT_VERDICTS.length, mask);
}

/** @returns which keys sessions and replay runs declare, a bit each. */
function writeKinds({ memory, KINDS: at }: Exports): [bigint, bigint] {
  const bytes = new Uint8Array(memory.buffer);
  const view = new DataView(memory.buffer);
  const bit = (name: string) => 1n << BigInt(KEYS.indexOf(name));
  const [ofCalls = 0n, ofRuns = 0n] = KINDS.map((kind, i) => {
    const { fields } = FORMATS[kind];
    const start = at.value + KIND * i;
    view.setUint32(start, fields.length, true);
    const required = fields.filter((field) => field.required);
    view.setBigUint64(
      start + 8,
      required.reduce((sum, { name }) => sum | bit(name), 0n),
      true,
    );
    for (const [j, { name, type }] of fields.entries()) {
      bytes[start + 16 + 2 * j] = KEYS.indexOf(name);
      bytes[start + 17 + 2 * j] = TYPES[type] ?? 0;
    }
    return fields.reduce((sum, { name }) => sum | bit(name), 0n);
  });
  return [ofCalls, ofRuns];
}

function writeColumns(x: Exports, { calls, runs }: MachineOptions): void {
  const view = new DataView(x.memory.buffer);
  for (const [kind, columns] of [calls, runs].entries()) {
    for (const [i, { source, way, cells, validity }] of columns.entries()) {
      const at = x.COLUMNS.value + COLUMN * (kind * MOST_COLUMNS + i);
      for (const [j, value] of [source, way, cells, validity].entries())
        view.setUint32(at + 4 * j, value, true);
    }
  }
  x.setColumns(calls.length, runs.length, calls.some(isDerived));
}

const KEY_STEP = 1 << 16;

/** The key stream of AES under the run's key: as random as that, and the same in every thread. */
function extendKey({ memory, KEY }: Exports, runKey: Uint8Array, bytes: number): number {
  const length = Math.ceil(bytes / KEY_STEP) * KEY_STEP;
  const stream = createCipheriv('aes-128-ctr', runKey, new Uint8Array(16));
  new Uint8Array(memory.buffer).set(stream.update(new Uint8Array(length)), addressOf(KEY));
  return length;
}
