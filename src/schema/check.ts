/** What `lakelog check` came to: several verdicts over one loading, and the worst of them. */
import type { EntryKind, Level } from './policy.js';
import { EXIT, type ExitCode } from './result.js';

/** An `entry` is one of lakelog.toml that means nothing that could be judged. */
export type PartKind = 'gate' | Exclude<EntryKind, 'gates'> | 'entry';

export type PartStatus = 'clear' | 'fired' | 'cannot_vouch' | 'error';

/** What is worth what. */
export interface Worth {
  readonly level: Level;
  readonly undecided: Level;
}

export interface PartFacts extends Worth {
  readonly kind: PartKind;
  readonly name: string;
  readonly title: string;
  readonly status: PartStatus;
  /** What its own command would end with. */
  readonly exit_code: ExitCode;
  /** What it adds to the exit code of all: 0 where it is a warning. */
  readonly adds: ExitCode;
}

/** The first of these that is among them. */
const WORST: readonly ExitCode[] = [EXIT.fired, EXIT.error, EXIT.cannotVouch, EXIT.clear];

export const worstOf = (codes: readonly ExitCode[]): ExitCode =>
  WORST.find((code) => codes.includes(code)) ?? EXIT.clear;

/** An error is no verdict, so it is never a warning. */
export function addsOf(code: ExitCode, { level, undecided }: Worth): ExitCode {
  if (code === EXIT.error) return code;
  return level === 'warn' || (undecided === 'warn' && code === EXIT.cannotVouch) ? EXIT.clear : code;
}
