import { createCipheriv } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { artifact } from '../artifact.js';
import { ATTEMPT_FIELDS } from '../schema/fields.js';
import { isDerived, type Layout } from './columns.js';

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

type Address = 'INPUT' | 'CELLS' | 'ARENA' | 'COLUMNS' | 'REJECTS' | 'GROUPS' | 'KEY';
/** Rows and rejects that wait to be taken. */
type Waiting = 'calls' | 'runs' | 'arenaUsed' | 'rejects';
type Setting = keyof ReturnType<typeof settingsOf> | 'batch' | 'only' | 'linesBefore' | 'digests';

/** What the scanner's WebAssembly exports. See src/scan/wasm. */
export interface Exports extends Readonly<Record<Address | Counter | Waiting, Global>> {
  readonly memory: { readonly buffer: ArrayBuffer };
  readonly walked: Global;
  readonly newest: Global<bigint>;
  readonly oldest: Global<bigint>;
  readonly lag: Global<bigint>;
  reserve(inputBytes: number, cellBytes: number): number;
  begin(): void;
  scan(from: number, to: number, base: number): number;
  scanTail(length: number, base: number, isLive: boolean): number;
  noteTooLong(length: number, isMarked: boolean): void;
  takeRows(): void;
  takeRejects(): void;
}

/** Tells the scanner what it cannot know by itself. */
export function tell(x: Exports, settings: { readonly [name in Setting]?: number }): void {
  const globals = x as unknown as Readonly<Record<string, Global>>;
  for (const [name, value] of Object.entries(settings)) globals[name]!.value = value;
}

let compiled: ScannerModule | undefined;

export function compileScanner(): ScannerModule {
  compiled ??= new engine.Module(readFileSync(artifact('scan.wasm')));
  return compiled;
}

export interface ScanOptions {
  /** Columns of the rows of calls and of replay runs: declared fields, and those of columns.ts. */
  readonly calls: readonly string[];
  readonly runs: readonly string[];
  /** Columns among those of calls that are looked at while they stand in memory, and go into no table. */
  readonly passing?: readonly string[] | undefined;
  /** Accepted calls of these kinds are asked whom they name; `NAMING_COLUMNS` are among those of calls then. */
  readonly naming?: readonly string[] | null | undefined;
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

const COLUMN = 16;
const MOST_COLUMNS = 64;

/** An instance that knows the wanted columns; the fields of src/schema/fields.ts it has from the build. */
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
  tell(x, settingsOf(options, layout));
  writeColumns(x, layout);
  x.takeRows();
  return x;
}

function settingsOf(options: ScanOptions, { columns: [calls, runs] }: Layout) {
  const wanted = ATTEMPT_FIELDS.map(({ name }, i) => (options.attemptFields.includes(name) ? 1 << i : 0));
  return {
    callColumns: calls.length,
    runColumns: runs.length,
    derivesCalls: Number(calls.some(isDerived)),
    wantedFields: wanted.reduce((sum, bit) => sum | bit, 0),
    maxLineBytes: options.maxLineBytes,
    everyReject: Number(options.everyReject),
  };
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
