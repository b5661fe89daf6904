import type { Metric } from './decision.js';

/** A line of the file of acknowledgements (JSON Lines, `lakelog.ack.v1`): meant to be read and versioned. */
export type AckLine = CallAck | RejectAck | ConflictAck | HoleAck | ChangedFileAck | DriftAck;

/** An acknowledgement and the line of the file it stands in. */
export interface Entry<T extends AckLine = AckLine> {
  readonly ack: T;
  readonly line: number;
}

/** In which file it was, and who settled it, why, when and for how long. */
export interface Said {
  readonly schema: 'lakelog.ack.v1';
  /** Seen from the folder of this file; `-` for standard input. */
  readonly file: string;
  /** Why it is settled, in words; never empty. */
  readonly reason: string;
  readonly author: string;
  /** RFC 3339 UTC. */
  readonly at: string;
  /** YYYY-MM-DD, the last day it holds (UTC), or the RFC 3339 instant from which on it does not; null = without end. */
  readonly expires: string | null;
}

/** Of something that stood in a line. */
export interface SaidOfLine extends Said {
  readonly line: number;
}

/** What a call is told by. */
export interface CallFacts {
  readonly call_key: string;
  readonly session_id: string;
  /** RFC 3339 UTC. */
  readonly timestamp: string;
  readonly kind: string;
  readonly model: string;
  readonly iterations: number;
  readonly final_verdict: string;
  readonly grounded_in_roster: boolean | null;
}

/** One call in one gate's answer, with the facts that must still be true. */
export interface CallAck extends SaidOfLine, CallFacts {
  readonly what: 'call';
  readonly gate: string;
  /** Of the gate's column: what the call was accused of. */
  readonly values: readonly string[];
  readonly line_sha256: string;
}

/** One line that could not be loaded, by the hash of its bytes. */
export interface RejectAck extends SaidOfLine {
  readonly what: 'reject';
  readonly line_sha256: string;
  readonly reject_reason: string;
}

/** One of several records that share a call_id, by the hash of its bytes: that they do is known. */
export interface ConflictAck extends SaidOfLine {
  readonly what: 'conflict';
  readonly call_id: string;
  readonly line_sha256: string;
}

/** Numbers of a writer that are missing; the line is that of the record behind them. */
export interface HoleAck extends SaidOfLine {
  readonly what: 'hole';
  readonly writer_id: string;
  /** The first and the last number. */
  readonly from_seq: number;
  readonly to_seq: number;
}

/** A file that was changed where it had been read, by what it was changed to. */
export interface ChangedFileAck extends Said {
  readonly what: 'changed_file';
  readonly head_sha256: string;
}

/** A rate that fell, and is to be judged from then on; the line is that of the first call since then. */
export interface DriftAck extends SaidOfLine {
  readonly what: 'drift';
  readonly metric: Metric;
  /** RFC 3339 UTC: where the new epoch begins. */
  readonly changed_at: string;
  /** Of whose calls, as selections are written; `all` without filters. */
  readonly selection: string;
  readonly call_key: string;
  readonly line_sha256: string;
}

/** What `lakelog ack` takes as its target. */
export const driftTarget = ({
  metric,
  changed_at,
  selection,
}: Pick<DriftAck, 'metric' | 'changed_at' | 'selection'>): string =>
  `drift:metric=${metric},change=${changed_at}${selection === 'all' ? '' : `,${selection}`}`;

/** file:line, or of a whole file the file. */
export const placeOfAck = (ack: AckLine) =>
  ack.what === 'changed_file' ? ack.file : `${ack.file}:${ack.line}`;

/** What it is known by beside its place; null for holes. */
export function hashOf(ack: AckLine): string | null {
  if (ack.what === 'hole') return null;
  return ack.what === 'changed_file' ? ack.head_sha256 : ack.line_sha256;
}
