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
export type {
  AcceptedCall,
  AttemptInput,
  CallFacts,
  CallInput,
  ExhaustedCall,
  FailedCall,
  ReplayInput,
} from './build.js';
export { buildReplayRecord, buildSessionRecord } from './build.js';
export type { Durability } from './line-writer.js';
export type { DropCause, LoggerOptions, LoggerStats } from './logger.js';
export { ReplayLogger, SessionLogger } from './logger.js';
export type { HashWorkerIdsOptions, Redact } from './redact.js';
export { hashWorkerIds } from './redact.js';
