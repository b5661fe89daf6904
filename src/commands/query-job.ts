/** What somebody's own SQL is asked with, once or at a prompt. */
import type { RunOptions } from '../query/run.js';
import type { ReadFlags } from './options.js';
import type { QueryOutputFlags } from './query-output.js';

export interface QueryFlags extends ReadFlags, QueryOutputFlags {
  readonly file?: string;
  readonly param?: readonly string[];
  readonly gatedKind?: readonly string[];
  readonly timeout: number;
  readonly strict?: true;
}

/** The environment and the standard input the box has as a process of its own. */
export function jobOf({ env: _, stdin: __, onProgress, ...options }: RunOptions) {
  return { ...options, now: options.now.toISOString(), watchProgress: onProgress !== undefined };
}
