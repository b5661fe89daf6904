/** What follows from one call or run alone: its runs of rejections, what can be judged, the documents it was given. */
import { attemptsListed, codesEnd } from './attempts';
import { present } from './json';
import { CODES } from './layout';
import { has, valueOf } from './record';
import { attemptsKey, documentsKey, finalVerdictKey, iterationsKey } from './fields';
import { bestScore, documentCount, hasScore } from './values';

/** Sources of columns that are derived; see src/scan/columns.ts. */
const REJECTIONS: u32 = 106;
const REJECTION_RUN: u32 = 107;
const FAILURE_RUN: u32 = 108;
const INCONSISTENT: u32 = 109;
const NOT_JUDGEABLE: u32 = 110;
const ANSWERED: u32 = 111;
const FIRST_SHOT: u32 = 112;
const DOCUMENT_COUNT: u32 = 113;

const ACCEPTED: i64 = 0;
const INFRA_ERROR_VERDICT: i64 = 2;
const REJECTED: u8 = 0x72;
const NO_CANDIDATE: u8 = 0x6e;
const INFRA_ERROR: u8 = 0x69;
const OTHER: u8 = 0x6f;

let rejections: i64 = 0;
let hasOther: bool = false;
/** The longest run: how many attempts, and where its first and last letter stand (the earliest of equals). */
let rejectionRun: i64 = 0;
export let rejectionRunFirst: usize = 0;
export let rejectionRunLast: usize = 0;
let failureRun: i64 = 0;
export let failureRunFirst: usize = 0;
export let failureRunLast: usize = 0;

/** An infra error neither counts nor ends a run. */
export function deriveCall(): void {
  rejections = 0;
  hasOther = false;
  rejectionRun = 0;
  failureRun = 0;
  let rejected: i64 = 0;
  let rejectedFrom: usize = 0;
  let failed: i64 = 0;
  let failedFrom: usize = 0;
  for (let at = CODES; at < codesEnd; at++) {
    const letter = load<u8>(at);
    if (letter == INFRA_ERROR) continue;
    if (letter == OTHER) hasOther = true;
    if (letter != REJECTED) rejected = 0;
    else {
      rejections++;
      if (rejected++ == 0) rejectedFrom = at;
      if (rejected > rejectionRun) {
        rejectionRun = rejected;
        rejectionRunFirst = rejectedFrom;
        rejectionRunLast = at;
      }
    }
    if (letter != REJECTED && letter != NO_CANDIDATE) failed = 0;
    else {
      if (failed++ == 0) failedFrom = at;
      if (failed > failureRun) {
        failureRun = failed;
        failureRunFirst = failedFrom;
        failureRunLast = at;
      }
    }
  }
}

/** Attempts are recorded, but not as an array. */
function attemptsAreOdd(): bool {
  return !attemptsListed && has(present, attemptsKey);
}
function isJudgeable(): bool {
  if (attemptsListed && codesEnd > CODES) return true;
  return !attemptsAreOdd() && valueOf(iterationsKey) == 0;
}

export function derivedIsNull(source: u32): bool {
  if (source < INCONSISTENT) return !isJudgeable();
  if (source < DOCUMENT_COUNT) return false;
  return !has(present, documentsKey) || (source != DOCUMENT_COUNT && !hasScore);
}

/** The run whose reasons are wanted has an attempt. */
export function hasRun(ofFailures: bool): bool {
  return isJudgeable() && (ofFailures ? failureRun : rejectionRun) > 0;
}

/** The bits of an i64, a boolean or an f64. */
export function derivedValue(source: u32): i64 {
  switch (source) {
    case REJECTIONS:
      return rejections;
    case REJECTION_RUN:
      return rejectionRun;
    case FAILURE_RUN:
      return failureRun;
    case INCONSISTENT:
      if (attemptsAreOdd() || hasOther) return 1;
      return attemptsListed && <i64>(codesEnd - CODES) != valueOf(iterationsKey) ? 1 : 0;
    case NOT_JUDGEABLE:
      return isJudgeable() ? 0 : 1;
    case ANSWERED:
      return valueOf(finalVerdictKey) == INFRA_ERROR_VERDICT ? 0 : 1;
    case FIRST_SHOT:
      return valueOf(finalVerdictKey) == ACCEPTED && valueOf(iterationsKey) == 1 ? 1 : 0;
    case DOCUMENT_COUNT:
      return documentCount;
    default:
      return reinterpret<i64>(bestScore);
  }
}
