/**
 * Where things stand in the linear memory. The build makes the words and the fields (`./fields`, from
 * src/shipped-scanner.ts), the host writes the columns, calls `reserve` once, and then fills INPUT again and again.
 * Nothing here is allocated or freed, so no runtime is linked.
 */
/** A word is compared 32 bytes at a time: mask u32 (a bit per byte of text and quote), follower u32, text at 16. */
export const WORD: usize = 48;
/** Per kind of record: count u32, required u64 at 8, then per field: key u8, type u8. */
export const KIND: usize = 16 + 2 * 64;
/** Per key, of the line at hand: start u32 and end u32 of its value. Words and fields end before. */
export const SPANS: usize = 16384;
/** The same per field of the attempt at hand. */
export const ATTEMPT_SPANS: usize = SPANS + 8 * 64;
/** Per key: what a number (i64 or f64), an instant, a boolean or a choice is worth. */
export const VALUES: usize = ATTEMPT_SPANS + 8 * 64;
/** What a value is worth that nobody will read. */
export const NOWHERE: usize = VALUES + 8 * 64;
/** Per kind and column: source u32, way u32, address of its cells u32, address of its validity u32. */
export const COLUMNS: usize = NOWHERE + 16;
export const COLUMN: usize = 16;
export const MOST_COLUMNS: usize = 64;
/** Rejected lines by reason since the part began: count u32 at 4 × ((code × 64 + key) × 3 + kind). */
export const GROUPS: usize = COLUMNS + COLUMN * MOST_COLUMNS * 2;
export const GROUPS_BYTES: usize = 4 * 16 * 64 * 3;
/**
 * Per reject: line u32, place in INPUT u32, length u32, reason u32 (code | key << 8 | kind << 16),
 * then where it failed or where the value at fault starts, and how long that value is (u32 each). */
export const REJECTS: usize = (GROUPS + GROUPS_BYTES + 4095) & ~4095;
export const REJECT: usize = 24;
export const MOST_REJECTS: u32 = 2048;
const FIRST_FREE: usize = (REJECTS + REJECT * MOST_REJECTS + 65535) & ~65535;

/** Bytes that may be read behind any end. */
const SLACK: usize = 64;

/** One bit per level of nesting. */
export let STACK: usize = 0;
/** Letters of the attempts of the line at hand. */
export let CODES: usize = 0;
/** Start and end (u32 each) of the reasons of each attempt. */
export let REASONS: usize = 0;
/** The attempts of the line at hand with the wanted fields only, as JSON. */
export let PROJECTION: usize = 0;
/** Spans of undeclared members of the line at hand: key start, value end (u32 each). */
export let EXTRAS: usize = 0;
/** Texts that are taken out of their escapes to be compared. */
export let SCRATCH: usize = 0;
/** Random key of the line hash, as long as the longest line that was hashed. */
export let KEY: usize = 0;
/** Cells and validity of the rows at hand. */
export let CELLS: usize = 0;
/** Texts of the rows at hand. */
export let ARENA: usize = 0;
export let ARENA_END: usize = 0;
export let INPUT: usize = 0;

/** Pages that are never touched cost nothing, so all is as large as one line of all INPUT may demand. @returns false: no room. */
export function reserve(inputBytes: u32, cellBytes: u32): bool {
  const line = <usize>inputBytes + SLACK;
  STACK = FIRST_FREE;
  CODES = aligned(STACK + line / 8);
  // An attempt takes two bytes at least: `0,`.
  REASONS = aligned(CODES + line / 2);
  PROJECTION = aligned(REASONS + 4 * line);
  // The shortest member takes five: `"":0,`.
  EXTRAS = aligned(PROJECTION + 2 * line);
  SCRATCH = aligned(EXTRAS + 2 * line);
  KEY = aligned(SCRATCH + line);
  CELLS = aligned(KEY + line + 2 * 65536);
  ARENA = aligned(CELLS + cellBytes);
  // Rows wait for more while a next line has room. Of a short log the engine of the host would be told 4 MB that it
  // never sees used, and it collects garbage by what it is told.
  ARENA_END = ARENA + 4 * line + min(4 << 20, (256 << 10) + 4 * line);
  INPUT = aligned(ARENA_END + SLACK) + SLACK;
  const pages = <i32>((INPUT + line + 65535) >> 16);
  return pages <= memory.size() || memory.grow(pages - memory.size()) >= 0;
}

function aligned(address: usize): usize {
  return (address + 4095) & ~4095;
}
