import { LakelogError, whyUnreadable } from '../../errors.js';
import { EXIT, type InputProblem } from '../../schema/result.js';

/** Thrown for a file that cannot vouch for itself; the others are read all the same. */
export class Unreadable extends Error {
  /** What to do about it, where that is not the same for all of them. */
  readonly next: string | undefined;

  constructor(why: string, { next, cause }: { readonly next?: string; readonly cause?: unknown } = {}) {
    super(why, { cause });
    this.next = next;
  }
}

const AGAIN = 'run the same command again';

/** Somebody wrote to the file, or moved it, at the wrong moment: the next look may find it at rest. */
export class Changed extends Unreadable {
  constructor(how: string) {
    super(how, { next: AGAIN });
  }
}

/** Whether it is what `Changed` says. */
export const isPassing = ({ next }: Pick<InputProblem, 'next'>): boolean => next === AGAIN;

/** It was found, and cannot be read again, or is another by then: nothing can be said with what was read of it. */
export function cannotBeRead(where: string, why: string): LakelogError {
  return new LakelogError(`the input cannot be read: ${why}`, {
    where,
    next: AGAIN,
    exitCode: EXIT.cannotVouch,
  });
}

export function problemOf(path: string, { message: detail, next }: Unreadable): InputProblem {
  return { path, problem: 'unreadable', detail, ...(next && { next }) };
}

/** Of a file that was opened. @throws what says nothing of it, as it is. */
export function whileReading(error: unknown): Unreadable {
  if (error instanceof Unreadable) return error;
  if ((error as NodeJS.ErrnoException).syscall !== 'read') throw error;
  return new Unreadable(whyUnreadable(error), { cause: error });
}

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
