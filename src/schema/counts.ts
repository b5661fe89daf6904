/** What an arm of a comparison came to: the row of `queries/decisions/compare.sql`, and what a baseline file keeps. */

export const COUNTS = [
  'traces',
  'calls',
  'answered',
  'first_shots',
  'accepted',
  'attempts_made',
  'answered_squared',
  'first_shots_squared',
  'answered_first_shots',
  'accepted_squared',
  'answered_accepted',
  'attempts_squared',
  'answered_attempts',
  'token_traces',
  'token_calls',
  'token_accepted',
  'tokens',
  'token_accepted_squared',
  'tokens_squared',
  'token_accepted_tokens',
  'timed_traces',
  'timed_calls',
  'timed_accepted',
  'milliseconds',
  'timed_accepted_squared',
  'milliseconds_squared',
  'timed_accepted_milliseconds',
  'firsts',
  'firsts_first_shots',
  'firsts_accepted',
] as const;

/** Sums over the calls of one kind, over their traces, and over the first answered calls of those. */
export type Counts = Readonly<Record<(typeof COUNTS)[number], number>>;

export interface KindCounts extends Counts {
  readonly kind: string;
}

/** How many answered calls of an arm have one value of one field. */
export interface VersionCount {
  readonly field: VersionField;
  /** Null: not recorded. */
  readonly value: string | null;
  readonly calls: number;
}

export const VERSION_FIELDS = ['model', 'response_model', 'prompt_version', 'validator_version'] as const;
export type VersionField = (typeof VERSION_FIELDS)[number];

export interface ArmCounts {
  readonly kinds: readonly KindCounts[];
  /** Of all kinds together: traces of several kinds are one trace here. */
  readonly all: Counts;
  readonly versions: readonly VersionCount[];
  /** RFC 3339 UTC, of answered calls; null without any. */
  readonly oldest: string | null;
  readonly newest: string | null;
}

export const BASELINE_FORMAT = 'lakelog.baseline.v1';

/** A file of `--save-baseline`. */
export interface BaselineFile extends ArmCounts {
  readonly format: typeof BASELINE_FORMAT;
  readonly lakelog: string;
  /** RFC 3339 UTC. */
  readonly saved_at: string;
  /** In words, its times as instants. */
  readonly selection: string;
  /** Filters that held beside it, as options; empty where there were none. */
  readonly filters: readonly string[];
  /** Hashes of the calls whose keys come first: another arm that shares calls shares some of these. */
  readonly sample: readonly string[];
  /** SHA-256 of all the rest, as it stands. */
  readonly sha256: string;
}

export const NOTHING: Counts = Object.fromEntries(COUNTS.map((name) => [name, 0])) as Counts;
