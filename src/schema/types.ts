import type { ATTEMPT_VERDICTS, FINAL_VERDICTS, REPLAY_SCHEMA, SESSION_SCHEMA } from './fields.js';

/** How a call ended. */
export type FinalVerdict = (typeof FINAL_VERDICTS)[number];

/** How an attempt ended; a reader shows anything else as `other`. */
export type AttemptVerdict = (typeof ATTEMPT_VERDICTS)[number];

/** One generation and its verdict inside a call. The recommended shape: a reader rejects no other. */
export interface AttemptRecord {
  verdict: AttemptVerdict;
  /** Position in the call, from 1. */
  attempt_number?: number | null;
  /** A text, or any JSON such as the messages of a chat. Content: may hold personal data. */
  prompt?: unknown;
  /** Raw output of the model. Content: may hold personal data. */
  raw?: string | null;
  /** Why the validator rejected the proposal. */
  reasons?: string[] | null;
  /** W3C span id of `iterate.attempt[N]`. */
  span_id?: string | null;
  input_tokens?: number | null;
  output_tokens?: number | null;
  finish_reason?: string | null;
  /** Milliseconds. */
  duration_ms?: number | null;
  error?: string | null;
  [field: string]: unknown;
}

/** One iterate call, one line of `sessions.jsonl`: schema `session.iterate.v1`. Unknown fields are kept. */
export interface SessionRecord {
  schema: typeof SESSION_SCHEMA;
  /** Langfuse / W3C trace id: 32 lower-case hex digits recommended, any non-empty string loads. */
  session_id: string;
  /** When the call ended: RFC 3339 with offset. */
  timestamp: string;
  /** Kind of artifact: `fill`, `email`, `playbook`, … */
  kind: string;
  /** Model asked for. */
  model: string;
  /** Attempts made: integer >= 0, and >= 1 for an accepted call. */
  iterations: number;
  final_verdict: FinalVerdict;
  /** In order; AttemptRecord is the recommended shape of an element, and no shape is refused. */
  attempts?: unknown;
  /** Every worker the accepted artifact names is in the roster; null or absent = nobody checked. */
  grounded_in_roster?: boolean | null;
  /** Service that made the call. */
  daemon?: string | null;
  provider?: string | null;
  /** Model that answered, as the provider names it. */
  response_model?: string | null;
  environment?: string | null;
  prompt_version?: string | null;
  validator_version?: string | null;
  roster_hash?: string | null;
  error?: string | null;
  error_type?: string | null;
  /** Attempts allowed. */
  max_iterations?: number | null;
  /** First prompt of the call: a text, or any JSON such as the messages of a chat. Content: may hold personal data. */
  prompt?: unknown;
  /** What was accepted, any JSON. Content: may hold personal data. */
  artifact?: unknown;
  /** Worker ids the accepted artifact names. */
  proposed_worker_ids?: string[] | null;
  /** Milliseconds. */
  duration_ms?: number | null;
  /** Unique per call; empty = absent. */
  call_id?: string | null;
  /** The process that wrote the line. */
  writer_id?: string | null;
  /** The writer's running number, from 1. */
  seq?: number | null;
  [field: string]: unknown;
}

/** One retrieved document of a replay run. */
export interface ReplayDocument {
  id?: string | null;
  source?: string | null;
  /** Higher is better. */
  score?: number | null;
  /** Position in the result, from 1. */
  rank?: number | null;
  [field: string]: unknown;
}

/** One replayed task, one line of `replay_runs.jsonl`: schema `replay.run.v1`. Unknown fields are kept. */
export interface ReplayRecord {
  schema: typeof REPLAY_SCHEMA;
  /** Trace that was replayed. */
  session_id: string;
  /** When the run ended: RFC 3339 with offset. */
  timestamp: string;
  /** The run; may name a batch, so it is not unique. */
  run_id: string;
  task_id?: string | null;
  /** Content: may hold personal data. */
  task?: string | null;
  kind?: string | null;
  model?: string | null;
  provider?: string | null;
  /** Content: may hold personal data. */
  retrieval_query?: string | null;
  /** Absent or null = not recorded; `[]` = none found. */
  documents?: ReplayDocument[] | null;
  /** Tokens of retrieved context. */
  context_tokens?: number | null;
  /** What the model answered. Content: may hold personal data. */
  output?: string | null;
  error?: string | null;
  /** Milliseconds. */
  duration_ms?: number | null;
  input_tokens?: number | null;
  output_tokens?: number | null;
  [field: string]: unknown;
}

/** A record as the host hands it to a logger: what the logger stamps may be left out. */
export type Unstamped<R extends { schema: string; timestamp: string }> = {
  [K in keyof R as K extends 'schema' | 'timestamp' ? never : K]: R[K];
} & { schema?: R['schema']; timestamp?: string };
