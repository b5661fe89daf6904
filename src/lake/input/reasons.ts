import { whyUnreadable } from '../../errors.js';

/** Thrown for a file that cannot vouch for itself; the others are read all the same. */
export class Unreadable extends Error {}

/** A process that may open no more files says nothing of the file: that is thrown as it is. */
export function unreadable(error: unknown): Error {
  if (error instanceof Unreadable) return error;
  const { code } = error as NodeJS.ErrnoException;
  if (code === 'EMFILE' || code === 'ENFILE') return error as Error;
  return new Unreadable(whyUnreadable(error), { cause: error });
}

export const CUT = 'the compressed data stop before their end (truncated copy?)';
export const TRAILING = 'holds other bytes after the end of the compressed data';

export function damaged(how: string): string {
  return `the compressed data are damaged (${how})`;
}
