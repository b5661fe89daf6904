/** What `compare` and `drift` decide, and the numbers that it rests on: machine output, an API. */
import type { Epoch, Finding } from './result.js';

/** Rates that a decision may be about; means have no likelihood of two outcomes, so they are shown and never decided. */
export const METRICS = ['first-shot-rate', 'acceptance-rate'] as const;
export type Metric = (typeof METRICS)[number];

/** Two ends; a difference may be below zero. */
export interface Range {
  readonly low: number;
  readonly high: number;
}

/** One side of a decision: the first answered call of each trace. */
export interface DecidedSide {
  /** In words that can be pasted: a selection, a file, `before 2026-09-01T00:00:00Z`. */
  readonly name: string;
  /** Crude, over all kinds; null without a call. */
  readonly rate: number | null;
  readonly calls: number;
  readonly successes: number;
  /** Wilson's, 95 %. */
  readonly interval: Range | null;
}

/** What a decision came to, for JSON, JUnit, step summaries and receipts. */
export interface DecisionFacts {
  readonly what: 'compare' | 'drift';
  readonly metric: Metric;
  /** In one word or two: `worse`, `not worse than the margin`, `cannot tell yet`, `fallen`, `not fallen by more than the margin`. */
  readonly conclusion: string;
  /** One-sided, of this decision alone. */
  readonly alpha: number;
  readonly margin: number;
  /** Compare: baseline and candidate; drift: before and after. */
  readonly baseline: DecidedSide;
  readonly candidate: DecidedSide;
  /** Candidate − baseline, standardised; null where a side has none. */
  readonly difference: number | null;
  /** Newcombe's, 95 %, of one look. */
  readonly interval: Range | null;
  /** Whose mix of strata it is standardised to. */
  readonly standardised_to: string;
  /** Natural logarithms of e-values, which hold at every look, by what they speak for; null where there is nothing to compare. */
  readonly log_e: Readonly<Record<string, number>> | null;
  /** First answered calls that each side still needs, and the days at the present pace, until the margin is decided; null where it is, or no number of calls is enough. */
  readonly needed: Needed | null;
  /** Drift: the smallest fall that is excluded; null where none is. */
  readonly excluded_fall: number | null;
  /** Drift: when it fell, or may have, RFC 3339 UTC; null where nothing was asked or found. */
  readonly changed_at: string | null;
  /** Drift: where the present epoch begins, by whose acknowledgement. */
  readonly epoch: Epoch | null;
}

export interface Needed {
  readonly baseline: number;
  readonly candidate: number;
  /** Null where the pace is not known. */
  readonly days: number | null;
}

/** Findings of a decision by their weight. */
export interface DecisionFindings {
  readonly fired: readonly Finding[];
  readonly cannot_vouch: readonly Finding[];
  readonly notices: readonly Finding[];
}
