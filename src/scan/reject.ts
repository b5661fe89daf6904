import type { Kind } from '../schema/formats.js';

/** A line that is no record. */
export interface RejectedLine {
  /** Physical line, from 1; in a part of a file from the part's first. */
  readonly line: number;
  /** Of the line's first byte in the uncompressed file, behind a byte order mark. */
  readonly byteOffset: number;
  readonly reason: string;
  /** The format that the line says itself to be of; null where it says none. */
  readonly kind: Kind | null;
  /** What is wrong, in words that hold no content fields. */
  readonly detail: string;
  /** Hash of the line without its terminator. */
  readonly sha256: string;
}

/** The first of the lines that one reason rejects in one file or part, and how many they are. */
export interface RejectGroup extends RejectedLine {
  readonly count: number;
}

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
