/** Walks whole lines in INPUT: rows for those that load, groups of rejects for the others. */
import { isObject, lineEnd, parseLine } from './json';
import { GROUPS, GROUPS_BYTES, INPUT, MOST_REJECTS, REJECT, REJECTS } from './layout';
import {
  BAD_JSON, DUPLICATE_KEY, endOf, faultOfObject, kind, NOT_OBJECT, startOf, TOO_LONG, TORN_TAIL,
  valueOf,
} from './record';
import { addRow, arenaRoom, calls, runs } from './rows';
import { timestampKey } from './fields';
import { everyReject, maxLineBytes } from './settings';
import { failedAt, findByte, skipSpace } from './text';
import { OK, VALUE } from './values';

export { ARENA, CELLS, COLUMNS, GROUPS, INPUT, KEY, REJECTS, reserve } from './layout';
export { arenaUsed, calls, clearRows as takeRows, runs } from './rows';
export * from './settings';

const MOST_ROWS: u32 = 2048;

/** Counts of the part at hand. */
export let lines: u32 = 0;
/** Bytes of all lines that were looked at, with a line feed each. */
export let walked: f64 = 0;
export let blank: u32 = 0;
export let pending: u32 = 0;
export let loadedCalls: u32 = 0;
export let loadedRuns: u32 = 0;
export let rejected: u32 = 0;
/** Lines that begin with a byte order mark, and the first of them. */
export let marks: u32 = 0;
export let firstMark: u32 = 0;
/** Microseconds since 1970 of the latest record; meant where one loaded. */
export let newest: i64 = 0;
/** The same of the earliest. */
export let oldest: i64 = 0;
/** How far, at most, a record stands behind a newer one of the part, in microseconds. */
export let lag: i64 = 0;
/** Rejects that wait to be taken. */
export let rejects: u32 = 0;

/** A file or a part of one begins: its lines count from 1. */
export function begin(): void {
  lines = 0;
  walked = 0;
  blank = 0;
  pending = 0;
  loadedCalls = 0;
  loadedRuns = 0;
  marks = 0;
  firstMark = 0;
  newest = i64.MIN_VALUE;
  oldest = i64.MAX_VALUE;
  lag = 0;
  if (rejected > 0) memory.fill(GROUPS, 0, GROUPS_BYTES);
  rejected = 0;
}

/** The rejects were taken. */
export function takeRejects(): void {
  rejects = 0;
}

/**
 * @param from offset in INPUT of the first line. @param to offset behind a line feed.
 * @param base what to add to an offset in INPUT for one in the file.
 * @returns offset of the first line that was not looked at: `to`, unless rows or rejects are full.
 */
export function scan(from: u32, to: u32, base: f64): u32 {
  let p = INPUT + from;
  const end = INPUT + to;
  const shift = base - <f64>INPUT;
  while (p < end && calls < MOST_ROWS && runs < MOST_ROWS && rejects < MOST_REJECTS) {
    const start = skipMark(p);
    const stop = judge(start, end);
    if (fault == OK) {
      // Taken out of its escapes and quoted anew, a line may take its own length several times.
      if (calls + runs > 0 && arenaRoom() < 4 * (stop - start) + 256) break;
      addRow(linesBefore + lines + 1, start, stop, shift);
      if (kind == 0) loadedCalls++;
      else loadedRuns++;
      noteTime(valueOf(timestampKey));
    } else if (fault == BAD_JSON && isBlank(start, stop)) blank++;
    else reject(fault, start, stop);
    countLine(start != p);
    walked += <f64>(stop + 1 - p);
    p = stop + 1;
  }
  return <u32>(p - INPUT);
}

/**
 * The last line lacks its line feed; the host put one behind it.
 * @param isLive somebody may still be writing it.
 * @returns as `scan` does.
 */
export function scanTail(length: u32, base: f64, isLive: bool): u32 {
  const start = skipMark(INPUT);
  const to = length + 1;
  if (start == INPUT + length) {
    // Nothing is no line, marked or not.
    walked += to;
    return to;
  }
  const stop = judge(start, INPUT + to);
  if (fault != BAD_JSON || isBlank(start, stop)) return scan(0, to, base);
  // Only the start of a record can be one that is being written; anything else stays what it is.
  if (isLive && load<u8>(skipSpace(start)) == 0x7b && failedAt >= stop) pending++;
  else reject(TORN_TAIL, start, stop);
  countLine(start != INPUT);
  walked += to;
  return to;
}

/** A line that is longer than what INPUT may hold: the host found its end. */
export function noteTooLong(length: u32, isMarked: bool): void {
  recordKind = 2;
  reject(TOO_LONG, INPUT, INPUT + length);
  countLine(isMarked);
}

/** What becomes of the line at hand, and the kind of record that it is: 0 sessions, 1 replay runs, 2 neither. */
let fault: u32 = OK;
let recordKind: u32 = 2;

/** @returns where the line ends. */
function judge(start: usize, end: usize): usize {
  recordKind = 2;
  let stop: usize;
  if (parseLine(start)) {
    stop = lineEnd;
    fault = isObject ? faultOfObject() : NOT_OBJECT;
    if (isObject) recordKind = kind;
  } else {
    stop = findByte(start, end, 0x0a);
    fault = BAD_JSON;
  }
  if (stop - start > maxLineBytes) {
    fault = TOO_LONG;
    recordKind = 2;
  }
  return stop;
}

@inline function skipMark(p: usize): usize {
  return (load<u32>(p) & 0xffffff) == 0xbfbbef ? p + 3 : p;
}

@inline function noteTime(time: i64): void {
  if (time < newest) lag = max(lag, newest - time);
  else newest = time;
  oldest = min(oldest, time);
}

@inline function countLine(marked: bool): void {
  lines++;
  if (marked && marks++ == 0) firstMark = linesBefore + lines;
}

function reject(reason: u32, start: usize, stop: usize): void {
  rejected++;
  const group = GROUPS + 4 * (((reason & 0xff) * 64 + (reason >> 8)) * 3 + recordKind);
  const count = load<u32>(group);
  store<u32>(group, count + 1);
  if (count > 0 && !everyReject) return;
  const at = REJECTS + REJECT * rejects++;
  store<u32>(at, linesBefore + lines + 1);
  store<u32>(at, <u32>start, 4);
  store<u32>(at, <u32>(stop - start), 8);
  store<u32>(at, reason | (recordKind << 16), 12);
  const isField = reason >> 8 != 0 || (reason >= DUPLICATE_KEY && reason <= VALUE);
  store<u32>(at, <u32>((isField ? startOf(reason >> 8) : failedAt) - start), 16);
  store<u32>(at, isField ? <u32>(endOf(reason >> 8) - startOf(reason >> 8)) : 0, 20);
}

function isBlank(p: usize, end: usize): bool {
  for (; p < end; p++) {
    const c = load<u8>(p);
    if (c != 0x20 && <u32>c - 9 > 4) return false;
  }
  return true;
}
