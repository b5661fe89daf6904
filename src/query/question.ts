import type { GateSpec } from '../schema/gate.js';
import type { Column } from '../schema/result.js';
import type { IntervalFunctionName } from './header-keys.js';

/** A question: one portable SELECT whose header says all that lakelog knows about it. */
export interface Query {
  /** File name without `.sql`: the subcommand. */
  readonly name: string;
  readonly file: string;
  readonly title: string;
  readonly question: string;
  readonly params: readonly Param[];
  readonly columns: readonly QueryColumn[];
  readonly intervals: readonly IntervalSpec[];
  readonly money: readonly MoneySpec[];
  readonly worth: readonly WorthSpec[];
  /** Null for a question that is no gate. */
  readonly gate: GateSpec | null;
  readonly needs: Need | null;
  readonly sql: string;
  readonly sha256: string;
}

/**
 * What a question rests on besides calls: without a single replay run there is no answer, and a call whose attempts
 * are not all recorded or not understood is not in it.
 */
export const NEEDS = ['replay_runs', 'attempts'] as const;
export type Need = (typeof NEEDS)[number];

export type ParamType =
  | { readonly type: 'set'; readonly values: readonly string[] }
  | { readonly type: 'choice'; readonly values: readonly string[] }
  /** Kinds whose accepted calls are gated; reaches the tables, not only the SQL. */
  | { readonly type: 'kinds' }
  | { readonly type: 'flag' }
  | { readonly type: 'integer'; readonly min: number | null }
  | { readonly type: 'number' }
  | { readonly type: 'text' };

export interface Param {
  /** snake_case; the option is the same with hyphens. */
  readonly name: string;
  readonly of: ParamType;
  readonly default: string;
  readonly note: string;
}

/** What `when` says of a column that only a roster fills. */
export const WITH_ROSTER = 'roster';

export interface QueryColumn extends Column {
  /** Shown only when this column of `params` is true; of WITH_ROSTER, when stamps are checked. */
  readonly when?: string;
  /** Never shown: only an interval or money reads it. */
  readonly hidden?: true;
}

/** A column that lakelog fills with money, with --prices. */
export interface MoneySpec {
  readonly column: string;
  /** Columns of the SELECT. */
  readonly model: string;
  readonly input: string;
  readonly output: string;
  /** Money per one of these; null for the whole of it. */
  readonly units: string | null;
  /** Of the header's file, from 1. */
  readonly line: number;
}

/** Two columns that lakelog fills with whether an attempt pays and which limit is worth most, with --worth. */
export interface WorthSpec {
  readonly pays: string;
  readonly recommended: string;
  readonly attempt: string;
  readonly calls: string;
  readonly accepted: string;
  readonly cost: string;
  readonly low: string;
  readonly high: string;
  /** Of the header's file, from 1. */
  readonly line: number;
}

/** Two columns that lakelog fills from counts of the same row. */
export interface IntervalSpec {
  readonly low: string;
  readonly high: string;
  readonly name: IntervalFunctionName;
  /** Columns of the SELECT, in the order of the function. */
  readonly counts: readonly string[];
  /** Of the header's file, from 1. */
  readonly line: number;
}
