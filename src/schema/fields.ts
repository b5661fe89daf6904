/**
 * The two record formats, field by field: the only place where they are written down.
 * The zod schemas, the published JSON Schemas, the loader's SQL and `lakelog schema` are all derived from it.
 */

/** What a field's value must be; anything else in a declared field makes the line a reject. */
export type FieldType =
  /** exactly the schema name */
  | 'schema'
  | 'string'
  /** a string of at least one character */
  | 'nonempty'
  /** RFC 3339 with offset */
  | 'timestamp'
  /** integer, |value| <= 2^53 - 1 */
  | 'integer'
  /** integer >= 0 */
  | 'count'
  /** integer >= 1 */
  | 'positive'
  /** any finite number */
  | 'number'
  | 'boolean'
  /** array of strings */
  | 'strings'
  | 'verdict'
  | 'any'
  /** what was retrieved: array of {id, source, score, rank} */
  | 'documents'
  /** array of attempts; its shape never rejects a line */
  | 'attempts';

export interface Field {
  readonly name: string;
  readonly type: FieldType;
  /** Absent or null makes the line a reject. Every other field may be absent or null. */
  readonly required?: true;
  /** May hold personal data: loaded only with --show-content. */
  readonly content?: true;
  /** One sentence for the JSON Schema, `lakelog schema` and the docs. */
  readonly note: string;
}

/** Of a content field in a published schema; a keyword of our own would be refused by strict validators. */
export const CONTENT_COMMENT = 'Content: may hold personal data.';

export const SESSION_SCHEMA = 'session.iterate.v1';
export const REPLAY_SCHEMA = 'replay.run.v1';

export const FINAL_VERDICTS = ['accepted', 'max_iter_exhausted', 'infra_error'] as const;
export const ATTEMPT_VERDICTS = ['accepted', 'rejected', 'no_candidate', 'infra_error'] as const;

/**
 * RFC 3339 `date-time`. The pattern only bounds the shape (DuckDB alone takes `infinity`, zone names and no
 * offset); that the day exists is checked by the cast behind it. Written in the subset that JavaScript,
 * RE2 and JSON Schema read alike.
 */
export const TIMESTAMP_PATTERN =
  '^[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt]([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\\.[0-9]+)?([Zz]|[+-]([01][0-9]|2[0-3]):[0-5][0-9])$';

export const SESSION_FIELDS: readonly Field[] = [
  { name: 'schema', type: 'schema', required: true, note: `Always "${SESSION_SCHEMA}".` },
  {
    name: 'session_id',
    type: 'nonempty',
    required: true,
    note: 'Langfuse / W3C trace id; 32 lower-case hex digits recommended, any non-empty string loads.',
  },
  {
    name: 'timestamp',
    type: 'timestamp',
    required: true,
    note: 'When the call ended, RFC 3339 with offset.',
  },
  { name: 'kind', type: 'nonempty', required: true, note: 'Kind of artifact: fill, email, playbook, …' },
  { name: 'model', type: 'nonempty', required: true, note: 'Model asked for.' },
  {
    name: 'iterations',
    type: 'count',
    required: true,
    note: 'Attempts made; an accepted call has at least 1.',
  },
  { name: 'final_verdict', type: 'verdict', required: true, note: 'How the call ended.' },
  {
    name: 'attempts',
    type: 'attempts',
    note: 'Attempts in order; an attempt that is not understood counts as verdict "other" and never rejects the line.',
  },
  {
    name: 'grounded_in_roster',
    type: 'boolean',
    note: 'Every worker the accepted artifact names is in the roster; null or absent = nobody checked.',
  },
  { name: 'daemon', type: 'string', note: 'Service that made the call.' },
  { name: 'provider', type: 'string', note: 'Provider of the model.' },
  { name: 'response_model', type: 'string', note: 'Model that answered, as the provider names it.' },
  { name: 'environment', type: 'string', note: 'Deployment environment.' },
  { name: 'prompt_version', type: 'string', note: 'Version of the prompt.' },
  { name: 'validator_version', type: 'string', note: 'Version of the validator.' },
  { name: 'roster_hash', type: 'string', note: 'Hash of the roster that was checked against.' },
  { name: 'error', type: 'string', note: 'What went wrong, for an infra error.' },
  { name: 'error_type', type: 'string', note: 'Class of the error.' },
  { name: 'max_iterations', type: 'integer', note: 'Attempts allowed.' },
  {
    name: 'prompt',
    type: 'any',
    content: true,
    note: 'First prompt of the call: a text, or any JSON such as an array of messages.',
  },
  { name: 'artifact', type: 'any', content: true, note: 'What was accepted, any JSON.' },
  {
    name: 'proposed_worker_ids',
    type: 'strings',
    note: 'Worker ids the accepted artifact names, so that the stamp can be checked again.',
  },
  { name: 'duration_ms', type: 'number', note: 'Duration of the call in milliseconds.' },
  { name: 'call_id', type: 'string', note: 'Unique per call; empty = absent.' },
  { name: 'writer_id', type: 'string', note: 'The process that wrote the line.' },
  {
    name: 'seq',
    type: 'positive',
    note: "The writer's running number from 1; a hole between its smallest and largest is a lost line.",
  },
];

export const REPLAY_FIELDS: readonly Field[] = [
  { name: 'schema', type: 'schema', required: true, note: `Always "${REPLAY_SCHEMA}".` },
  { name: 'session_id', type: 'nonempty', required: true, note: 'Trace that was replayed.' },
  { name: 'timestamp', type: 'timestamp', required: true, note: 'When the run ended, RFC 3339 with offset.' },
  {
    name: 'run_id',
    type: 'nonempty',
    required: true,
    note: 'The run; may name a batch, so it is not unique.',
  },
  { name: 'task_id', type: 'string', note: 'Id of the task.' },
  { name: 'task', type: 'string', content: true, note: 'The task as given to the model.' },
  { name: 'kind', type: 'string', note: 'Kind of artifact asked for.' },
  { name: 'model', type: 'string', note: 'Model that was run.' },
  { name: 'provider', type: 'string', note: 'Provider of the model.' },
  { name: 'retrieval_query', type: 'string', content: true, note: 'Query sent to the retriever.' },
  {
    name: 'documents',
    type: 'documents',
    note: 'Retrieved documents; absent (not recorded) is not the same as [] (none found); a higher score is better.',
  },
  { name: 'context_tokens', type: 'integer', note: 'Tokens of retrieved context.' },
  { name: 'output', type: 'string', content: true, note: 'What the model answered.' },
  { name: 'error', type: 'string', note: 'What went wrong.' },
  { name: 'duration_ms', type: 'number', note: 'Duration of the run in milliseconds.' },
  { name: 'input_tokens', type: 'integer', note: 'Tokens read by the model.' },
  { name: 'output_tokens', type: 'integer', note: 'Tokens written by the model.' },
];

/** The fields of one attempt that are understood; other shapes are kept out, never rejected. */
export const ATTEMPT_FIELDS: readonly Field[] = [
  {
    name: 'verdict',
    type: 'string',
    required: true,
    note: 'accepted, rejected, no_candidate or infra_error.',
  },
  { name: 'attempt_number', type: 'positive', note: 'Position in the call, from 1.' },
  { name: 'prompt', type: 'any', content: true, note: 'Prompt of this attempt: a text, or any JSON.' },
  { name: 'raw', type: 'string', content: true, note: 'Raw output of the model.' },
  { name: 'reasons', type: 'strings', note: 'Why the validator rejected it.' },
  { name: 'span_id', type: 'string', note: 'Span of the attempt.' },
  { name: 'input_tokens', type: 'integer', note: 'Tokens read by the model.' },
  { name: 'output_tokens', type: 'integer', note: 'Tokens written by the model.' },
  { name: 'finish_reason', type: 'string', note: 'Why the model stopped.' },
  { name: 'duration_ms', type: 'number', note: 'Duration of the attempt in milliseconds.' },
  { name: 'error', type: 'string', note: 'What went wrong in this attempt.' },
];

export const DOCUMENT_FIELDS: readonly Field[] = [
  { name: 'id', type: 'string', note: 'Id of the document.' },
  { name: 'source', type: 'string', note: 'Where it came from.' },
  { name: 'score', type: 'number', note: 'Retrieval score; higher is better.' },
  { name: 'rank', type: 'integer', note: 'Position in the result, from 1.' },
];
