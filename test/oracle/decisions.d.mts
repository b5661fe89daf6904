import type { Log } from './oracle.mjs';

export interface OracleSelection {
  readonly values?: Readonly<Record<string, readonly string[]>>;
  /** Milliseconds. */
  readonly since?: number | undefined;
  readonly until?: number | undefined;
}

type Cells = (string | number | null)[][];
interface Arms {
  readonly baseline: OracleSelection;
  readonly candidate: OracleSelection;
}

export function takes(selection: OracleSelection, call: Log['sessions'][number]): boolean;
/** An arm that is null has no calls. */
export function compareCounts(
  log: Log,
  arms: { readonly [arm in keyof Arms]: OracleSelection | null },
): Cells;
export function versionCounts(log: Log, arms: Arms): Cells;
export function overlapRow(log: Log, arms: Arms): Cells;
export function unrecordedRow(log: Log, arms: Arms): Cells;
export function driftDays(log: Log, epoch?: number): Cells;
export function driftMoment(log: Log, change: number, epoch?: number): Cells;
export function driftVersion(log: Log, field: string, epoch?: number): Cells;
