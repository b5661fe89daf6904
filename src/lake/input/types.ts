import type { InputProblem } from '../../schema/result.js';

/** What a file is said to hold; `any` = each line says it itself. */
export type Assertion = 'sessions' | 'replay_runs' | 'any';

export interface InputRequest {
  readonly path: string;
  readonly as: Assertion;
}

export interface SourceFile {
  /** As the user wrote it; what receipts and errors show. */
  readonly name: string;
  /** What is opened. */
  readonly path: string;
  readonly as: Assertion;
  /** `-`, a pipe or a process substitution: can be read once. */
  readonly stream: boolean;
  /** May hold no record beside files that hold some: just rotated. False again where the content is compressed. */
  readonly maybeEmpty: boolean;
}

export interface ResolvedInputs {
  readonly files: readonly SourceFile[];
  readonly problems: readonly InputProblem[];
  readonly notices: readonly string[];
}
