export type Holds = 'sessions' | 'replay_runs';

type FieldRow = readonly [name: string, type: string, required?: 'required'];

export interface Format {
  readonly schema: string;
  readonly holds: Holds;
  readonly fields: readonly FieldRow[];
}

/** Sessions, then replay runs. */
export const FORMATS: readonly [Format, Format];
export const ATTEMPT_FIELDS: readonly FieldRow[];
export const DOCUMENT_FIELDS: readonly FieldRow[];

export interface Blank {
  readonly fate: 'blank';
}

export interface Rejected {
  readonly fate: 'reject';
  readonly reason: string;
  /** The kind that the line says it is, where it names a known one. */
  readonly named?: Holds;
}

interface Record_ {
  /** Every declared field, parsed; null where absent. `call_id` '' is null, -0 is 0. */
  readonly values: Readonly<Record<string, unknown>>;
  /** Microseconds since 1970. */
  readonly instant: bigint;
  /** The text in the line of the fields that are kept as JSON, byte for byte, where they are not null. */
  readonly texts: Readonly<Record<string, string>>;
  /** Members that the format does not declare. */
  readonly extra: Readonly<Record<string, unknown>>;
  /** The same as they stand in the line, doubled ones too. */
  readonly extraTexts: readonly (readonly [key: string, text: string])[];
}

export interface Attempt {
  readonly letter: 'a' | 'r' | 'n' | 'i' | 'o';
  readonly verdict: 'accepted' | 'rejected' | 'no_candidate' | 'infra_error' | 'other';
  /** Declared fields; null where absent, doubled, or of a wrong type or value. */
  readonly values: Readonly<Record<string, unknown>>;
  /** The prompt as it stands in the line; null where it has no value. */
  readonly promptText: string | null;
  /** The texts among its reasons. */
  readonly reasons: readonly string[];
}

export interface Call extends Record_ {
  readonly fate: 'call';
  readonly attempts: readonly Attempt[] | '!' | null;
  /** One letter per attempt; '!' for what is no array; null where none are recorded. */
  readonly letters: string | null;
  readonly inconsistent: boolean;
}

export interface Run extends Record_ {
  readonly fate: 'run';
}

export type Fate = Blank | Rejected | Call | Run;

export interface Line {
  /** Physical, from 1. */
  readonly number: number;
  /** Of the first byte behind a byte order mark. */
  readonly byteOffset: number;
  /** Without `\n`; a mark in front is still there. */
  readonly bytes: Buffer;
  readonly terminated: boolean;
}

export function fateOf(
  bytes: Buffer,
  options?: { readonly as?: 'any' | Holds; readonly maxLineBytes?: number },
): Fate;
export function linesOf(bytes: Buffer): Line[];
/** Of an unterminated last line: whole JSON, the beginning of an object, or neither. */
export function endOf(bytes: Buffer): 'whole' | 'begun' | 'neither';
/** Without byte order mark. */
export function withoutMark(bytes: Buffer): Buffer;
export function startsWithMark(bytes: Buffer): boolean;
/** Without byte order mark and the `\r` of a CRLF terminator: what is hashed and compared. */
export function stripped(bytes: Buffer): Buffer;
/** Null for what is not RFC 8259 in well-formed UTF-8 without half surrogate pairs. */
export function parseStrictly(bytes: Buffer): { readonly text: string; readonly value: unknown } | null;
/** Microseconds since 1970, or null where the text is no RFC 3339 instant. */
export function parseInstant(text: string): bigint | null;
/** Valid JSON without the white space between its tokens; digits and escapes as they stand. */
export function squeezed(text: string): string;
/** Members of a JSON object, doubled ones too: key with escapes resolved, value squeezed. */
export function memberTexts(text: string): [key: string, text: string][];
export function isObject(value: unknown): value is Record<string, unknown>;
export function fieldOf(record: object, name: string): unknown;
