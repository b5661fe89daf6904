import { whyUnreadable } from '../../errors.js';

/** Thrown for a file that cannot vouch for itself; the others are read all the same. */
export class Unreadable extends Error {}

export function unreadable(error: unknown): Unreadable {
  return error instanceof Unreadable ? error : new Unreadable(whyUnreadable(error), { cause: error });
}

export const CUT = 'the compressed data stop before their end (truncated copy?)';
export const TRAILING = 'holds other bytes after the end of the compressed data';

export function damaged(how: string): string {
  return `the compressed data are damaged (${how})`;
}
