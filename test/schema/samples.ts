import { REPLAY_SCHEMA, SESSION_SCHEMA } from '../../src/schema/fields.js';
import type { AttemptRecord, ReplayDocument, ReplayRecord, SessionRecord } from '../../src/schema/types.js';

/** Every declared field of the type, so that a key the table lacks (or the other way round) shows. */
export const fullAttempt: Required<AttemptRecord> = {
  verdict: 'accepted',
  attempt_number: 1,
  prompt: 'Fill it.',
  raw: '{}',
  reasons: [],
  span_id: '00f067aa0ba902b7',
  input_tokens: 812,
  output_tokens: 64,
  finish_reason: 'stop',
  duration_ms: 1200.5,
  error: '',
};

export const fullSession: Required<SessionRecord> = {
  schema: SESSION_SCHEMA,
  session_id: '4bf92f3577b34da6a3ce929d0e0e4736',
  timestamp: '2026-09-14T08:00:00.5+02:00',
  kind: 'fill',
  model: 'gpt-4.1-mini',
  iterations: 1,
  final_verdict: 'accepted',
  attempts: [fullAttempt],
  grounded_in_roster: true,
  daemon: 'fill-dispatcher',
  provider: 'openai',
  response_model: 'gpt-4.1-mini-2025-04-14',
  environment: 'production',
  prompt_version: 'fill@12',
  validator_version: '2.4.1',
  roster_hash: 'sha256:5f0c3a1e',
  error: '',
  error_type: '',
  max_iterations: 4,
  prompt: 'Fill it.',
  artifact: { assignments: [{ shift: 1, worker: 'W-0033' }] },
  proposed_worker_ids: ['W-0033'],
  duration_ms: 1200.5,
  call_id: 'c-1',
  writer_id: 'w-1',
  seq: 1,
};

export const fullDocument: Required<ReplayDocument> = {
  id: 'doc-001',
  source: 'rosters',
  score: 0.875,
  rank: 1,
};

export const fullReplay: Required<ReplayRecord> = {
  schema: REPLAY_SCHEMA,
  session_id: '4bf92f3577b34da6a3ce929d0e0e4736',
  timestamp: '2026-09-15T08:00:00Z',
  run_id: 'replay-2026-09-15',
  task_id: 'task-1',
  task: 'Fill it.',
  kind: 'fill',
  model: 'gpt-4.1-mini',
  provider: 'openai',
  retrieval_query: 'fill',
  documents: [fullDocument],
  context_tokens: 180,
  output: 'Done.',
  error: '',
  duration_ms: 900,
  input_tokens: 700,
  output_tokens: 30,
};
