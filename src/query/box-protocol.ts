import type { InputRequest } from '../lake/input/index.js';
import type { Filters, ParamValue } from '../lake/lake.js';
import type { Account } from '../schema/account.js';
import type { ExitCode, Finding, Result } from '../schema/result.js';

/** What the process that runs somebody's own SQL is told, and what it says. Everything here is plain JSON. */
export interface BoxJob {
  readonly sql: string;
  /** For messages: `query`, or the file that the SQL came from. */
  readonly where: string;
  readonly requests: readonly InputRequest[];
  readonly filters: Filters;
  readonly gatedKinds: readonly string[];
  readonly params: Readonly<Record<string, ParamValue>>;
  readonly showContent: boolean;
  readonly maxLineBytes: number;
  readonly pendingGraceS: number;
  readonly rotationGraceS: number;
  readonly cwd: string;
  /** RFC 3339. */
  readonly now: string;
  readonly maxRows: number;
  readonly watchProgress: boolean;
}

export type BoxMessage =
  /** Loading takes as long as it takes; the two others are on the clock. */
  | { readonly say: 'phase'; readonly phase: 'checking' | 'loading' | 'running' }
  | { readonly say: 'progress'; readonly done: number; readonly total: number }
  | { readonly say: 'rows'; readonly rows: Result['rows'] }
  | {
      readonly say: 'done';
      readonly account: Account;
      readonly columns: Result['columns'];
      readonly truncated: boolean;
      /** About the SQL. */
      readonly notices: readonly Finding[];
    }
  | { readonly say: 'failed'; readonly failure: BoxFailure };

export interface BoxFailure {
  readonly message: string;
  readonly where?: string | undefined;
  readonly next?: string | undefined;
  readonly detail?: string | undefined;
  readonly exitCode: ExitCode;
}
