import type { Attempt, Fate } from '../scan/checker.mjs';

export interface LogInput {
  readonly file: string;
  /** The uncompressed content. */
  readonly bytes: Buffer;
  readonly as: 'any' | 'sessions' | 'replay';
  /** Absent: not modified lately. */
  readonly mtimeMs?: number;
  /** The content came out of a compressed file, which never has a pending tail. */
  readonly compressed?: boolean;
}

export interface LoadOptions {
  readonly now: number;
  readonly pendingGraceS?: number;
  readonly maxLineBytes?: number;
}

export interface FileAccount {
  file: string;
  bytes: number;
  lines: number;
  loaded: number;
  rejected: number;
  duplicates: number;
  blank: number;
  pending: number;
  conflicts: number;
  late: number;
}

export interface Reject {
  file: string;
  line: number;
  byte_offset: number;
  reason: string;
}

interface Row {
  /** As given in the input. */
  file: string;
  /** Position of the file among the inputs, from 0. */
  fileIndex: number;
  /** Physical, from 1. */
  line: number;
  /** Microseconds since 1970. */
  instant: bigint;
  extra: Record<string, unknown>;
  schema: string;
  session_id: string;
  timestamp: string;
  provider: string | null;
  error: string | null;
  duration_ms: number | null;
}

export interface SessionRow extends Row {
  kind: string;
  model: string;
  iterations: number;
  final_verdict: 'accepted' | 'max_iter_exhausted' | 'infra_error';
  /** '!' for what is no array. */
  attempts: readonly Attempt[] | '!' | null;
  grounded_in_roster: boolean | null;
  daemon: string | null;
  response_model: string | null;
  environment: string | null;
  prompt_version: string | null;
  validator_version: string | null;
  roster_hash: string | null;
  error_type: string | null;
  max_iterations: number | null;
  /** JSON text as it stands in the line, as are the next two. */
  prompt: string | null;
  artifact: string | null;
  proposed_worker_ids: string | null;
  call_id: string | null;
  writer_id: string | null;
  seq: number | null;
}

export interface ReplayDocument {
  id?: string | null;
  source?: string | null;
  score?: number | null;
  rank?: number | null;
}

export interface ReplayRow extends Row {
  run_id: string;
  task_id: string | null;
  task: string | null;
  kind: string | null;
  model: string | null;
  retrieval_query: string | null;
  documents: ReplayDocument[] | null;
  context_tokens: number | null;
  output: string | null;
  input_tokens: number | null;
  output_tokens: number | null;
}

export interface Log {
  files: FileAccount[];
  rejects: Reject[];
  sessions: SessionRow[];
  replays: ReplayRow[];
}

export interface Filters {
  /** Milliseconds since 1970, inclusive. */
  readonly since?: number;
  /** Milliseconds since 1970, exclusive. */
  readonly until?: number;
  readonly tz?: string;
  readonly model?: readonly string[];
  readonly kind?: readonly string[];
  readonly daemon?: readonly string[];
  readonly environment?: readonly string[];
}

export interface DerivedColumns {
  answered: boolean;
  first_shot: boolean;
  gated: boolean;
  rejections: number | null;
  longest_rejection_run: number | null;
  longest_failure_run: number | null;
  run_reasons: string | null;
  failure_run_reasons: string | null;
  inconsistent: boolean;
  not_judgeable: boolean;
  hour: string;
  day: string;
  week: string;
  month: string;
}

export type ByColumn =
  | 'model'
  | 'response_model'
  | 'provider'
  | 'kind'
  | 'daemon'
  | 'environment'
  | 'prompt_version'
  | 'validator_version'
  | 'month'
  | 'week'
  | 'day'
  | 'hour';

export interface Grouped {
  readonly by?: readonly ByColumn[];
}

export interface FirstShotRateRow extends Partial<Record<ByColumn, string | null>> {
  calls: number;
  answered: number;
  infra_errors: number;
  first_shots: number;
  first_shot_rate: number | null;
  rate_low: number | null;
  rate_high: number | null;
  acceptance_rate: number | null;
  mean_attempts: number | null;
  small_sample: boolean;
}

export interface AlarmRow {
  session_id: string;
  /** RFC 3339 UTC, milliseconds; microseconds where the record has them. */
  timestamp: string;
  daemon: string | null;
  kind: string;
  model: string;
  reason: 'ungrounded' | 'unjudged';
  file: string;
  line: number;
}

export interface FirstShotRow {
  session_id: string;
  calls: number;
  replay_runs: number;
  first_time: string;
  last_time: string;
}

export interface TripleRejectionsRow {
  session_id: string;
  timestamp: string;
  daemon: string | null;
  kind: string;
  model: string;
  iterations: number;
  final_verdict: SessionRow['final_verdict'];
  run_length: number;
  /** Null where the run gives no reason, or only one without a character. */
  reasons: string | null;
  file: string;
  line: number;
}

export type DocumentBucket = '0' | '1–2' | '3–5' | '6–10' | '11+' | 'not recorded' | 'no replay run';

export interface CorpusRow extends Partial<Record<ByColumn, string | null>> {
  documents: DocumentBucket;
  calls: number;
  answered: number;
  first_shots: number;
  first_shot_rate: number | null;
  rate_low: number | null;
  rate_high: number | null;
  mean_best_score: number | null;
  scored: number;
  small_sample: boolean;
}

export interface RejectionsRow extends Partial<Record<ByColumn, string | null>> {
  rank: number;
  /** Null: rejected without a reason. */
  reason_shape: string | null;
  rejections: number;
  share: number;
  calls: number;
  example_session: string;
}

export interface AttemptRow {
  call: SessionRow;
  /** Position in the call, from 1. */
  attempt_number: number;
  verdict: 'accepted' | 'rejected' | 'no_candidate' | 'infra_error' | 'other';
  /** Those that are strings. */
  reasons: string[];
}

export interface TraceRow {
  session_id: string;
  first_time: string | null;
  last_time: string | null;
  calls: number;
  replay_runs: number;
  all_first_shot: boolean;
  has_real_candidate: boolean;
  any_ungrounded: boolean;
  in_window: boolean;
}

export interface SessionReplayRow {
  session_id: string;
  /** Place of the call. */
  file: string;
  line: number;
  has_replay: boolean;
  is_latest: boolean;
  run_id: string | null;
  run_timestamp: string | null;
  run_file: string | null;
  run_line: number | null;
  document_count: number | null;
  best_score: number | null;
}

export interface Gated {
  readonly gatedKinds?: readonly string[];
}

export interface Filtered {
  readonly filters?: Filters;
}

interface Format {
  readonly schema: string;
  readonly holds: 'sessions' | 'replay';
  readonly required: readonly string[];
  readonly fields: readonly (readonly [name: string, type: string])[];
}

export const FORMATS: { readonly sessions: Format; readonly replay: Format };

/** Microseconds since 1970, or null where the text is no RFC 3339 instant. */
export function parseInstant(text: string): bigint | null;
export function formatInstant(instant: bigint): string;

export function loadLog(inputs: readonly LogInput[], options: LoadOptions): Log;
export function derive(session: SessionRow, options?: Gated & { readonly tz?: string }): DerivedColumns;
export function deriveReplay(replay: ReplayRow): {
  document_count: number | null;
  best_score: number | null;
};
export function isSelected(session: SessionRow, filters?: Filters): boolean;

export function firstShotRate(
  log: Log,
  options?: Filtered & Grouped & { readonly minN?: number },
): FirstShotRateRow[];
export function alarm(log: Log, options?: Gated & Filtered): AlarmRow[];
/** Selected accepted calls of gated kinds whose stamp is true or false. */
export function judged(log: Log, options?: Gated & Filtered): number;
export function attemptHealth(log: Log, options?: Filtered): { inconsistent: number; not_judgeable: number };
/** By time of the last call, then session_id. */
export function firstShot(log: Log, options?: Gated & Filtered): FirstShotRow[];
/** Longest run first, then by time and place. */
export function tripleRejections(
  log: Log,
  options?: Filtered & { readonly streak?: number; readonly countNoCandidate?: boolean },
): TripleRejectionsRow[];
/** By group, then by documents in the order of DocumentBucket; only groups that hold calls. */
export function corpus(log: Log, options?: Filtered & Grouped & { readonly minN?: number }): CorpusRow[];
/** By group and rank, no rank above `top`. */
export function rejections(
  log: Log,
  options?: Filtered & Grouped & { readonly top?: number },
): RejectionsRow[];
export function reasonShape(reason: string): string;
/** Of selected calls in the order of loading. */
export function attempts(log: Log, options?: Filtered): AttemptRow[];
/** Sorted by session_id. */
export function traces(log: Log, options?: Gated & Filtered): TraceRow[];
/** Sorted by call in the order of loading, then by run time and position. */
export function sessionReplays(log: Log, options?: Filtered): SessionReplayRow[];

export function readLine(
  line: { readonly bytes: Buffer; readonly terminated: boolean },
  input: Pick<LogInput, 'as' | 'compressed' | 'mtimeMs'>,
  options: Required<LoadOptions>,
): Fate;
