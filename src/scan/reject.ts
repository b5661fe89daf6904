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
}

/** The first of the lines that one reason rejects in one file or part, and how many they are. */
export interface RejectGroup extends RejectedLine {
  readonly count: number;
}
