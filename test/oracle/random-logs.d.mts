import type fc from 'fast-check';
import type { ByColumn, Filters } from './oracle.mjs';

export interface RandomLog {
  readonly sessions: Buffer;
  readonly replays: Buffer;
}

export interface BadLine {
  readonly bytes: Buffer;
  /** What the line must be rejected for when its file is asserted; null where several defects were mixed. */
  readonly reason: string | null;
}

type FormatName = 'sessions' | 'replay';

/** The half-open window (milliseconds) that many timestamps sit on the edges of. */
export const WINDOW: { readonly since: number; readonly until: number };

/** One line that loads, without terminator. */
export function goodLine(format: FormatName): fc.Arbitrary<Buffer>;
/** One line that is rejected, without terminator. */
export function badLine(format: FormatName): fc.Arbitrary<BadLine>;

/** Clean logs have duplicates, conflicts and blank lines but no rejects. */
export function randomLogs(options?: {
  readonly dirty?: boolean;
  readonly maxCalls?: number;
  readonly maxRuns?: number;
}): fc.Arbitrary<RandomLog>;

/** Filters that random logs have something to say about. */
export function randomFilters(): fc.Arbitrary<Filters>;
export function randomGatedKinds(): fc.Arbitrary<string[]>;
/** What questions group by, in the order of their columns. */
export const GROUPINGS: readonly ByColumn[];
export function randomBy(): fc.Arbitrary<ByColumn[]>;
