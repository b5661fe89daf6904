/**
 * The ingest side of lakelog: one record per iterate call or replay run, one line each, and never a throw into
 * the service that uses it.
 */

export type {
  AttemptRecord,
  AttemptVerdict,
  FinalVerdict,
  ReplayDocument,
  ReplayRecord,
  SessionRecord,
  Unstamped,
} from '../schema/types.js';
export type { AnswerBounds } from './answer.js';
export { parseJsonAnswer } from './answer.js';
export type {
  AcceptedCall,
  AttemptInput,
  CallFacts,
  CallInput,
  ChatMessage,
  ExhaustedCall,
  FailedCall,
  Prompt,
  ReplayInput,
} from './build.js';
export { buildReplayRecord, buildSessionRecord } from './build.js';
export type {
  AttemptContext,
  FailedAttempt,
  Generation,
  IterateAccepted,
  IterateExhausted,
  IterateFailed,
  IterateOptions,
  IterateResult,
  RosterCheckContext,
  RosterStamp,
  Validation,
} from './iterate.js';
export { feedbackPrompt, iterate } from './iterate.js';
export type { Durability } from './line-writer.js';
export type { DropCause, LoggerOptions, LoggerStats } from './logger.js';
export { ReplayLogger, SessionLogger } from './logger.js';
export type { HashWorkerIdsOptions, Redact } from './redact.js';
export { hashWorkerIds } from './redact.js';
export type { FillShape, RosterColumns, Worker, WorkerLookup } from './roster.js';
export {
  fillValidator,
  loadRoster,
  RosterError,
  rosterHash,
  workersFromCsv,
  workersFromFunction,
  workersFromJsonl,
} from './roster.js';
export type { RosterCheckOptions } from './roster-check.js';
export { namedWorkers, rosterCheckFor } from './roster-check.js';
export type { HeaderSource, OtelApi, OtelSpan, OtelSpanContext, TraceOptions } from './trace.js';
export { TRACE_HEADER, traceIdOf } from './trace.js';
