/** Rows in the memory layout of DuckDB's vectors: the host copies the cells into a data chunk, and nothing is parsed again. */
import { attemptsListed, codesEnd, projectionEnd } from './attempts';
import {
  deriveCall, derivedIsNull, derivedValue, failureRunFirst, failureRunLast, hasRun,
  rejectionRunFirst, rejectionRunLast,
} from './derived';
import { hashLine } from './hash';
import { escaped, extrasEnd, present, seen } from './json';
import {
  ARENA, ARENA_END, CELLS, CODES, COLUMN, COLUMNS, EXTRAS, MOST_COLUMNS, PROJECTION, REASONS, VALUES,
} from './layout';
import { endOf, has, kind, startOf } from './record';
import { declaredByCalls, declaredByRuns } from './fields';
import { batch, callColumns, derivesCalls, digests, runColumns } from './settings';
import { copyWord, firstBytes, skipSpace, skipString, unescape } from './text';

/** Sources of columns that are no keys; see src/scan/columns.ts. */
const LINE: u32 = 100;
const OFFSET: u32 = 101;
const BATCH: u32 = 102;
const HASH: u32 = 103;
const CODE_LETTERS: u32 = 104;
const EXTRA: u32 = 105;
const RUN_REASONS: u32 = 115;
const FAILURE_RUN_REASONS: u32 = 116;
const ATTEMPTS: u32 = 117;
const DIGEST: u32 = 118;

/** Ways to write a cell; 0 is a text, and 1 one whose empty value is none. */
const TEXT_OR_NULL: u32 = 1;
const JSON_TEXT: u32 = 2;
const EIGHT_BYTES: u32 = 3;
const ONE_BYTE: u32 = 4;

const DIGEST_LENGTH: u32 = 64;

export let calls: u32 = 0;
export let runs: u32 = 0;
export let arenaUsed: u32 = 0;
let top: usize = 0;

export function clearRows(): void {
  calls = 0;
  runs = 0;
  arenaUsed = 0;
  top = ARENA;
  for (let i: usize = 0; i < callColumns; i++) clearValidity(COLUMNS + COLUMN * i);
  for (let i: usize = 0; i < runColumns; i++) clearValidity(COLUMNS + COLUMN * (MOST_COLUMNS + i));
}

function clearValidity(column: usize): void {
  memory.fill(CELLS + load<u32>(column, 12), 0, 256);
}

export function arenaRoom(): usize {
  return ARENA_END - top;
}

/** The line at hand becomes a row. */
export function addRow(line: u32, start: usize, end: usize, base: f64): void {
  const isCall = kind == 0;
  const row = isCall ? calls : runs;
  const count = isCall ? callColumns : runColumns;
  if (end > start && load<u8>(end - 1) == 0x0d) end--;
  if (isCall && derivesCalls) deriveCall();
  let at = COLUMNS + (isCall ? 0 : COLUMN * MOST_COLUMNS);
  for (let i: u32 = 0; i < count; i++, at += COLUMN) {
    const source = load<u32>(at);
    const cells = CELLS + load<u32>(at, 8);
    const isValid =
      source < 64 ? fieldCell(at, source, cells, row) : otherCell(source, cells, row, line, start, end, base);
    if (!isValid) continue;
    const byte = CELLS + load<u32>(at, 12) + (row >> 3);
    store<u8>(byte, load<u8>(byte) | (1 << (<u8>row & 7)));
  }
  if (isCall) calls++;
  else runs++;
  arenaUsed = <u32>(top - ARENA);
}

@inline function fieldCell(column: usize, key: u32, cells: usize, row: u32): bool {
  if (!has(present, key)) return false;
  const way = load<u32>(column, 4);
  const value = VALUES + (<usize>key << 3);
  if (way == EIGHT_BYTES) store<i64>(cells + (<usize>row << 3), load<i64>(value));
  else if (way == ONE_BYTE) store<u8>(cells + row, load<u8>(value));
  else {
    const cell = cells + (<usize>row << 4);
    const from = startOf(key);
    const to = endOf(key);
    if (way == JSON_TEXT) text(cell, from, <u32>(to - from));
    else if (way == TEXT_OR_NULL && to - from == 2) return false;
    else if (has(escaped, key)) {
      const began = top;
      top = unescape(from + 1, to - 1, top);
      point(cell, began, <u32>(top - began));
    } else text(cell, from + 1, <u32>(to - from - 2));
  }
  return true;
}

function otherCell(source: u32, cells: usize, row: u32, line: u32, start: usize, end: usize, base: f64): bool {
  const eight = cells + (<usize>row << 3);
  const sixteen = cells + (<usize>row << 4);
  switch (source) {
    case LINE:
      store<i64>(eight, line);
      return true;
    case OFFSET:
      store<i64>(eight, <i64>(base + <f64>start));
      return true;
    case BATCH:
      store<i64>(eight, batch);
      return true;
    case HASH:
      hashLine(start, end, sixteen);
      return true;
    case CODE_LETTERS:
      if (!attemptsListed) return false;
      text(sixteen, CODES, <u32>(codesEnd - CODES));
      return true;
    case EXTRA:
      return extra(sixteen);
    case RUN_REASONS:
      return runReasons(sixteen, hasRun(false), rejectionRunFirst, rejectionRunLast);
    case FAILURE_RUN_REASONS:
      return runReasons(sixteen, hasRun(true), failureRunFirst, failureRunLast);
    case ATTEMPTS:
      if (!attemptsListed) return false;
      text(sixteen, PROJECTION, <u32>(projectionEnd - PROJECTION));
      return true;
    case DIGEST:
      if (!digests) return false;
      // Where the line stands, until the host puts its hash there.
      store<u32>(top, <u32>start);
      store<u32>(top, <u32>(end - start), 4);
      point(sixteen, top, DIGEST_LENGTH);
      top += DIGEST_LENGTH;
      return true;
    default:
      if (derivedIsNull(source)) return false;
      // Booleans are one byte wide.
      if (source >= 109 && source <= 112) store<u8>(cells + row, <u8>derivedValue(source));
      else store<i64>(eight, derivedValue(source));
      return true;
  }
}

/** duckdb_string_t: length, then up to 12 bytes, or 4 of them and a pointer: to be, the place among the texts. */
function text(cell: usize, from: usize, length: u32): void {
  if (length > 12) {
    memory.copy(top, from, length);
    point(cell, top, length);
    top += length;
  } else point(cell, from, length);
}

function point(cell: usize, at: usize, length: u32): void {
  if (length > 12) {
    store<u32>(cell, length);
    store<u32>(cell, load<u32>(at), 4);
    store<u64>(cell, at - ARENA, 8);
    return;
  }
  const kept = firstBytes(v128.load(at), length);
  const size = i32x4.splat(length);
  v128.store(cell, v128.shuffle<u8>(size, kept, 0, 1, 2, 3, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27));
}

/** The members that no field declares, as one JSON object. */
function extra(cell: usize): bool {
  const undeclared = seen & ~(kind == 0 ? declaredByCalls : declaredByRuns);
  if (extrasEnd == EXTRAS && undeclared == 0) return false;
  const began = top;
  store<u8>(top++, 0x7b);
  for (let at = EXTRAS; at < extrasEnd; at += 8) {
    copy(load<u32>(at), load<u32>(at, 4));
    store<u8>(top++, 0x2c);
  }
  // Those of the other kind.
  for (let keys = undeclared; keys != 0; keys &= keys - 1) {
    const key = <u32>ctz(keys);
    store<u8>(top++, 0x22);
    top += copyWord(top, key);
    store<u8>(top++, 0x3a);
    copy(startOf(key), endOf(key));
    store<u8>(top++, 0x2c);
  }
  store<u8>(top - 1, 0x7d);
  point(cell, began, <u32>(top - began));
  return true;
}

function copy(from: usize, to: usize): void {
  memory.copy(top, from, to - from);
  top += to - from;
}

/** The reasons of the attempts of a run, joined by ` | `. */
function runReasons(cell: usize, exists: bool, first: usize, last: usize): bool {
  if (!exists) return false;
  const began = top;
  let isFirst = true;
  for (let at = first; at <= last; at++) {
    let p = <usize>load<u32>(REASONS + ((at - CODES) << 3));
    // An infra error is no part of the run, whatever it says.
    if (p == 0 || load<u8>(at) == 0x69) continue;
    p = skipSpace(p + 1);
    while (load<u8>(p) == 0x22) {
      const end = skipString(p + 1);
      if (!isFirst) {
        store<u32>(top, 0x207c20);
        top += 3;
      }
      isFirst = false;
      top = unescape(p + 1, end - 1, top);
      p = skipSpace(end);
      if (load<u8>(p) == 0x2c) p = skipSpace(p + 1);
    }
  }
  point(cell, began, <u32>(top - began));
  return true;
}
