/**
 * The story of one trace, in time order: what `lakelog show` prints. Content (prompt, raw, artifact, output) is
 * present only with --show-content, and then null where it was not recorded.
 */
export interface Story {
  readonly session_id: string;
  /** The trace in the tracing service, from the --trace-url template; null without one. */
  readonly trace_url: string | null;
  readonly show_content: boolean;
  /** Calls and replay runs by time, calls first on ties. */
  readonly events: readonly (StoryCall | StoryRun)[];
}

export interface StoryCall {
  readonly event: 'call';
  readonly file: string;
  readonly line: number;
  readonly call_key: string;
  readonly call_id: string | null;
  /** RFC 3339 UTC: when the call ended. */
  readonly timestamp: string;
  readonly daemon: string | null;
  readonly kind: string;
  readonly model: string;
  readonly response_model: string | null;
  readonly provider: string | null;
  readonly environment: string | null;
  readonly prompt_version: string | null;
  readonly validator_version: string | null;
  readonly roster_hash: string | null;
  readonly iterations: number;
  readonly max_iterations: number | null;
  readonly final_verdict: string;
  readonly grounded_in_roster: boolean | null;
  /** Kind is one whose accepted calls must be grounded. */
  readonly gated: boolean;
  /** With --roster, of accepted calls of gated kinds: right, wrong, not_at_hand, hashed, unread or nobody. */
  readonly roster_check: string | null;
  readonly proposed_worker_ids: readonly string[] | null;
  readonly duration_ms: number | null;
  readonly error: string | null;
  readonly error_type: string | null;
  /** An attempt is not understood, or their number is not `iterations`. */
  readonly inconsistent: boolean;
  readonly prompt?: string | null;
  /** JSON text. */
  readonly artifact?: string | null;
  readonly attempts: readonly StoryAttempt[];
  /** With --roster: whom it names and its roster lacks. */
  readonly phantoms: readonly StoryPhantom[];
  /** Gates whose rows this call is in, with the value of the gate's column. */
  readonly violations: readonly { readonly gate: string; readonly value: string }[];
  /** Acknowledgements of this call. */
  readonly acknowledged: readonly {
    readonly gate: string;
    readonly author: string;
    readonly at: string;
    readonly expires: string | null;
    readonly reason: string;
  }[];
}

export interface StoryPhantom {
  /** The id, or what stands in the place of one as JSON text. */
  readonly worker: string;
  /** `artifact`: proposed_worker_ids leaves it out. */
  readonly named_in: 'ids' | 'artifact';
  /** Null: the roster does not know it. */
  readonly standing: 'inactive' | null;
}

export interface StoryAttempt {
  /** Position in the call, from 1. */
  readonly attempt_number: number;
  readonly verdict: string;
  readonly reasons: readonly string[];
  readonly span_id: string | null;
  readonly input_tokens: number | null;
  readonly output_tokens: number | null;
  readonly finish_reason: string | null;
  readonly duration_ms: number | null;
  readonly error: string | null;
  readonly prompt?: string | null;
  readonly raw?: string | null;
}

export interface StoryRun {
  readonly event: 'replay_run';
  readonly file: string;
  readonly line: number;
  readonly timestamp: string;
  readonly run_id: string;
  readonly task_id: string | null;
  readonly kind: string | null;
  readonly model: string | null;
  readonly provider: string | null;
  readonly context_tokens: number | null;
  readonly duration_ms: number | null;
  readonly input_tokens: number | null;
  readonly output_tokens: number | null;
  readonly error: string | null;
  /** Null where the line does not record them, which is not the same as none. */
  readonly documents: readonly StoryDocument[] | null;
  readonly best_score: number | null;
  readonly task?: string | null;
  readonly retrieval_query?: string | null;
  readonly output?: string | null;
}

export interface StoryDocument {
  readonly id: string | null;
  readonly source: string | null;
  readonly score: number | null;
  readonly rank: number | null;
}

export type StoryEvent = Story['events'][number];

/** Facts of a call that are columns of `sessions`, in the order in which a story tells them. */
export const STORY_CALL_COLUMNS = [
  'file',
  'line',
  'call_key',
  'call_id',
  'timestamp',
  'daemon',
  'kind',
  'model',
  'response_model',
  'provider',
  'environment',
  'prompt_version',
  'validator_version',
  'roster_hash',
  'iterations',
  'max_iterations',
  'final_verdict',
  'grounded_in_roster',
  'gated',
  'roster_check',
  'proposed_worker_ids',
  'duration_ms',
  'error',
  'error_type',
  'inconsistent',
] as const satisfies readonly (keyof StoryCall)[];
