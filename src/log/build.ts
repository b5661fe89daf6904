import {
  ATTEMPT_FIELDS,
  FINAL_VERDICTS,
  type Field,
  REPLAY_FIELDS,
  REPLAY_SCHEMA,
  SESSION_FIELDS,
  SESSION_SCHEMA,
} from '../schema/fields.js';
import type {
  AttemptVerdict,
  FinalVerdict,
  ReplayDocument,
  ReplayRecord,
  SessionRecord,
  Unstamped,
} from '../schema/types.js';

/** A message of a chat, e.g. `{role: 'user', content: '…'}`. */
export type ChatMessage = Readonly<Record<string, unknown>>;

/** A task for a model: text, or the messages of a chat. */
export type Prompt = string | readonly ChatMessage[];

/** One attempt as the service knows it. `attempt_number` is its position. */
export interface AttemptInput {
  verdict: AttemptVerdict;
  /** Text, or the messages of a chat. */
  prompt?: unknown;
  /** Raw output of the model. */
  raw?: string | null | undefined;
  /** Why the validator rejected it. */
  reasons?: readonly string[] | null | undefined;
  spanId?: string | null | undefined;
  inputTokens?: number | null | undefined;
  outputTokens?: number | null | undefined;
  finishReason?: string | null | undefined;
  /** Milliseconds. */
  durationMs?: number | null | undefined;
  error?: string | null | undefined;
  /** Further fields, by their names in the record. */
  extra?: Readonly<Record<string, unknown>> | null | undefined;
}

/** What every iterate call has, however it ended. */
export interface CallFacts {
  /** Langfuse / W3C trace id. */
  sessionId: string;
  /** Kind of artifact: `fill`, `email`, `playbook`, … */
  kind: string;
  /** Model asked for. */
  model: string;
  /** Attempts made, in order; their number becomes `iterations`. */
  attempts: readonly AttemptInput[];
  /** When the call ended; the logger's clock fills it in. */
  timestamp?: Date | string | null | undefined;
  daemon?: string | null | undefined;
  provider?: string | null | undefined;
  responseModel?: string | null | undefined;
  environment?: string | null | undefined;
  promptVersion?: string | null | undefined;
  validatorVersion?: string | null | undefined;
  rosterHash?: string | null | undefined;
  maxIterations?: number | null | undefined;
  /** First prompt of the call: text, or the messages of a chat. */
  prompt?: unknown;
  /** Milliseconds. */
  durationMs?: number | null | undefined;
  /** Unique per call; the logger's id source fills it in. */
  callId?: string | null | undefined;
  writerId?: string | null | undefined;
  /** Running number of the writer, from 1. */
  seq?: number | null | undefined;
  /** Further fields, by their names in the record. A declared field wins over one of the same name. */
  extra?: Readonly<Record<string, unknown>> | null | undefined;
}

/** A call whose last attempt passed. */
export interface AcceptedCall extends CallFacts {
  outcome: 'accepted';
  artifact: unknown;
  /** Every worker the artifact names is in the roster; leave it out when nobody checked. */
  groundedInRoster?: boolean | null | undefined;
  /** Worker ids the artifact names. */
  proposedWorkerIds?: readonly string[] | null | undefined;
}

/** A call that ran out of tries. */
export interface ExhaustedCall extends CallFacts {
  outcome: 'max_iter_exhausted';
}

/** A call that something other than the model ended. */
export interface FailedCall extends CallFacts {
  outcome: 'infra_error';
  /** The Error, or what went wrong in words. */
  error: unknown;
  /** Class of the error; the Error's name unless given. */
  errorType?: string | null | undefined;
}

export type CallInput = AcceptedCall | ExhaustedCall | FailedCall;

/** One replayed task. */
export interface ReplayInput {
  /** Trace that was replayed. */
  sessionId: string;
  /** The run; may name a batch. */
  runId: string;
  /** When the run ended; the logger's clock fills it in. */
  timestamp?: Date | string | null | undefined;
  taskId?: string | null | undefined;
  task?: string | null | undefined;
  kind?: string | null | undefined;
  model?: string | null | undefined;
  provider?: string | null | undefined;
  retrievalQuery?: string | null | undefined;
  /** Leave it out when retrieval was not recorded; `[]` = nothing found. */
  documents?: readonly ReplayDocument[] | null | undefined;
  contextTokens?: number | null | undefined;
  output?: string | null | undefined;
  error?: string | null | undefined;
  /** Milliseconds. */
  durationMs?: number | null | undefined;
  inputTokens?: number | null | undefined;
  outputTokens?: number | null | undefined;
  /** Further fields, by their names in the record. A declared field wins over one of the same name. */
  extra?: Readonly<Record<string, unknown>> | null | undefined;
}

/**
 * The record of one iterate call, from any of its three ends, without what `SessionLogger.append` stamps. Pure.
 * Of a call that breaks its type, it keeps what can be read.
 *
 * @throws TypeError for an outcome that is a misspelt word, and nothing else: every reader would reject the record, and
 * the host's first test shall tell.
 */
export function buildSessionRecord(input: CallInput): Unstamped<SessionRecord> {
  const attempts = attemptRecords(read(input, 'attempts'));
  const record = fromTable(input, SESSION_FIELDS);
  record.schema = SESSION_SCHEMA;
  record.iterations = attempts?.length ?? 0;
  record.final_verdict = outcomeOf(input);
  if (attempts) record.attempts = attempts;
  const error = errorFields(read(input, 'error'));
  if (error.error !== undefined) record.error = error.error;
  if (error.error_type !== undefined) record.error_type ??= error.error_type;
  return record as Unstamped<SessionRecord>;
}

/** The record of one replay run, without what `ReplayLogger.append` stamps. Pure; throws nothing. */
export function buildReplayRecord(input: ReplayInput): Unstamped<ReplayRecord> {
  const record = fromTable(input, REPLAY_FIELDS);
  record.schema = REPLAY_SCHEMA;
  return record as Unstamped<ReplayRecord>;
}

type Fields = Record<string, unknown>;

function outcomeOf(input: unknown): FinalVerdict {
  const outcome = read(input, 'outcome') as FinalVerdict;
  if (typeof outcome !== 'string' || FINAL_VERDICTS.includes(outcome)) return outcome;
  const given = JSON.stringify((outcome as string).slice(0, 40));
  throw new TypeError(`outcome is ${given}, not one of ${FINAL_VERDICTS.join(', ')}`);
}

function fromTable(input: unknown, fields: readonly Field[]): Fields {
  const record: Fields = {};
  for (const { name } of fields) {
    const value = read(input, camelCase(name));
    if (value !== undefined) record[name] = name === 'timestamp' ? timeText(value) : value;
  }
  for (const [name, value] of entries(read(input, 'extra'))) {
    if (!fields.some((field) => field.name === name) && value !== undefined) define(record, name, value);
  }
  return record;
}

/** More is no retry loop, and a sparse array of 2^32 would keep the host busy for ever. */
const MAX_ATTEMPTS = 10_000;

function attemptRecords(attempts: unknown): unknown[] | undefined {
  try {
    if (!Array.isArray(attempts)) return undefined;
    return attempts.length > MAX_ATTEMPTS ? attempts : Array.from(attempts, attemptRecord);
  } catch {
    return undefined;
  }
}

function attemptRecord(attempt: unknown, index: number): unknown {
  // A strange shape is kept as it is: the reader shows it as `other`.
  if (typeof attempt !== 'object' || attempt === null || isArray(attempt)) return attempt;
  const { verdict, attempt_number: _, ...rest } = fromTable(attempt, ATTEMPT_FIELDS);
  return { ...(verdict === undefined ? {} : { verdict }), attempt_number: index + 1, ...rest };
}

function isArray(value: object): boolean {
  try {
    return Array.isArray(value);
  } catch {
    return false;
  }
}

function errorFields(error: unknown): { error?: unknown; error_type?: unknown } {
  if (error === undefined || error === null || typeof error === 'string') return { error };
  const message = read(error, 'message');
  const name = read(error, 'name');
  return typeof message === 'string'
    ? { error: message, ...(typeof name === 'string' ? { error_type: name } : {}) }
    : { error: asText(error) };
}

function asText(value: unknown): string {
  try {
    return String(value);
  } catch {
    return 'unreadable error';
  }
}

function timeText(value: unknown): unknown {
  try {
    return value instanceof Date ? value.toISOString() : value;
  } catch {
    // An invalid Date has no ISO form; without one the logger's clock decides.
    return undefined;
  }
}

function read(source: unknown, name: string): unknown {
  try {
    return (source as Record<string, unknown> | null | undefined)?.[name];
  } catch {
    return undefined;
  }
}

function entries(source: unknown): [string, unknown][] {
  try {
    return typeof source === 'object' && source !== null ? Object.entries(source) : [];
  } catch {
    return [];
  }
}

function define(record: Fields, name: string, value: unknown): void {
  Object.defineProperty(record, name, { value, enumerable: true, writable: true, configurable: true });
}

function camelCase(name: string): string {
  return name.replaceAll(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
}
