import { EXIT, type ExitCode } from './schema/result.js';

export interface ErrorParts {
  /** file:line or path. */
  readonly where?: string | undefined;
  /** The next command to run or thing to do. */
  readonly next?: string | undefined;
  /** More, on lines of its own. */
  readonly detail?: string | undefined;
  readonly exitCode?: ExitCode;
  readonly cause?: unknown;
}

/** Every failure a user can meet: what, where and the next step (promise 7). */
export class LakelogError extends Error {
  readonly where: string | undefined;
  readonly next: string | undefined;
  readonly detail: string | undefined;
  readonly exitCode: ExitCode;

  constructor(message: string, parts: ErrorParts = {}) {
    super(message, parts.cause === undefined ? undefined : { cause: parts.cause });
    this.name = 'LakelogError';
    this.where = parts.where;
    this.next = parts.next;
    this.detail = parts.detail;
    this.exitCode = parts.exitCode ?? EXIT.error;
  }
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** A word of a command line that a next step tells the user to paste. */
export function shellWord(text: string): string {
  return /^[\w./:@%+=,-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
