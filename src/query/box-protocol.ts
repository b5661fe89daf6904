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
  /** Rows that are sent as cells; null = none. */
  readonly maxRows: number | null;
  /** Where all rows go without passing as cells. */
  readonly exports: readonly Export[];
  readonly watchProgress: boolean;
  /** Loads all tables, answers without rows, and waits for statements. */
  readonly stays?: true;
}

/** One of many over what was loaded once. */
export type BoxStatement = Pick<BoxJob, 'sql' | 'where' | 'maxRows'>;

export type BoxMessage =
  /** Loading takes as long as it takes; the two others are on the clock. */
  | { readonly say: 'phase'; readonly phase: 'checking' | 'loading' | 'running' }
  | { readonly say: 'progress'; readonly done: number; readonly total: number }
  | { readonly say: 'rows'; readonly rows: Result['rows'] }
  /** Before the first row. */
  | { readonly say: 'answer'; readonly about: BoxAbout }
  | { readonly say: 'done'; readonly truncated: boolean }
  | { readonly say: 'failed'; readonly failure: BoxFailure };

/** What is known of an answer before its rows. */
export interface BoxAbout {
  readonly account: Account;
  readonly columns: Result['columns'];
  /** About the SQL. */
  readonly notices: readonly Finding[];
}

/** Rows as text or Parquet, written by the box itself: half the work of many rows is to hand them over. */
export interface Export<F extends StreamFormat = StreamFormat> {
  readonly format: F;
  /** An absolute path of a file that is there; null = the pipe to who asked. */
  readonly file: string | null;
  /** More rows than these are left out; null = none are. */
  readonly most: number | null;
}

export type StreamFormat = 'json' | 'jsonl' | 'csv' | 'tsv' | 'md' | 'parquet';

/** Of the box's end of that pipe. */
export const BYTES_FD = 4;

export interface BoxFailure {
  readonly message: string;
  readonly where?: string | undefined;
  readonly next?: string | undefined;
  readonly detail?: string | undefined;
  readonly exitCode: ExitCode;
}
