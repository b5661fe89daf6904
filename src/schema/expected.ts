/** Who must be heard of, and who was. */
import type { Newest } from './account.js';

/** What calls carry of who made them, as expectations name it. */
export const CALLERS = ['daemon', 'writer', 'environment', 'host'] as const;
export type Caller = (typeof CALLERS)[number];

/** Columns of calls that hold it; of a host only receipts of a folder lake know. */
export const CALLER_COLUMNS: Readonly<Record<Exclude<Caller, 'host'>, string>> = {
  daemon: 'daemon',
  writer: 'writer_id',
  environment: 'environment',
};

/** Somebody of whom a call must be as young as that. */
export interface Expectation {
  /** All that are named must stand in the same call. */
  readonly of: Readonly<Partial<Record<Caller, string>>>;
  readonly withinMs: number;
  /** file:line of the entry. */
  readonly where: string;
}

export interface Expected {
  /** As it was named. */
  readonly file: string;
  readonly all: readonly Expectation[];
}

/** Loaded calls of one caller, whatever the filters: the newest of them. */
export interface Heard extends Newest {
  readonly of: Readonly<Partial<Record<Caller, string | null>>>;
}

/** By what they tell callers apart. */
export const callersOf = ({ all }: Expected): Caller[] =>
  CALLERS.filter((caller) => all.some(({ of }) => of[caller] !== undefined));

export const callerColumnsOf = (expected: Expected): string[] =>
  callersOf(expected).flatMap((caller) => (caller === 'host' ? [] : [CALLER_COLUMNS[caller]]));
