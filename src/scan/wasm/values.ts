/** Declared types and values: whether the JSON value of a field is one, and what it is worth. */
import { isInstant } from './instant';
import { SCRATCH } from './layout';
import { documentWords, finalVerdictCount, finalVerdictWords } from './fields';
import {
  findByte, findWord, isDigit, NONE, skipNumber, skipSpace, skipString, unescape, wordLength,
} from './text';

/** The host's `Number(text)`: exact for what the short way below is not. */
@external('host', 'number') declare function numberOf(start: usize, end: usize): f64;

export const OK: u32 = 0;
export const TYPE: u32 = 5;
export const VALUE: u32 = 6;

/** Declared types, in the numbers of src/shipped-scanner.ts; 0 is any JSON. */
const enum Type { STRING = 1, NONEMPTY, TIMESTAMP, VERDICT, BOOLEAN, NUMBER, INTEGER, COUNT, POSITIVE, STRINGS, DOCUMENTS }

const MAX_EXACT: f64 = 9007199254740991;

/**
 * @param p where the value starts, valid JSON and not null. @param value where to put what it is worth.
 * @param escaped the string at p holds an escape. @returns OK, TYPE or VALUE.
 */
export function faultOfValue(type: i32, p: usize, end: usize, escaped: bool, value: usize): u32 {
  const first = load<u8>(p);
  switch (type) {
    case Type.STRING:
      return first == 0x22 ? OK : TYPE;
    case Type.NONEMPTY:
      return first != 0x22 ? TYPE : load<u8>(p, 1) == 0x22 ? VALUE : OK;
    case Type.TIMESTAMP:
      return first != 0x22 ? TYPE : timestamp(p + 1, end - 1, escaped, value) ? OK : VALUE;
    case Type.VERDICT: {
      if (first != 0x22) return TYPE;
      const which = choice(p + 1, end - 1, escaped, finalVerdictWords, finalVerdictCount);
      store<i64>(value, which);
      return which < 0 ? VALUE : OK;
    }
    case Type.BOOLEAN:
      if (first != 0x74 && first != 0x66) return TYPE;
      store<i64>(value, first == 0x74 ? 1 : 0);
      return OK;
    case Type.NUMBER:
      return isNumberStart(first) && finite(p, end, value) ? OK : TYPE;
    case Type.INTEGER:
    case Type.COUNT:
    case Type.POSITIVE: {
      if (!isNumberStart(first) || !integer(p, end, value)) return TYPE;
      const v = load<i64>(value);
      return (type == Type.COUNT && v < 0) || (type == Type.POSITIVE && v < 1) ? VALUE : OK;
    }
    case Type.STRINGS:
      return first == 0x5b && allStrings(p) ? OK : TYPE;
    case Type.DOCUMENTS:
      return first == 0x5b && allDocuments(p, value) ? OK : TYPE;
    default:
      return OK;
  }
}

/** Which of some words a text is, or -1. */
export function choice(p: usize, end: usize, escaped: bool, first: u32, count: u32): i32 {
  if (!escaped) return findWord(p, first, count);
  const quote = unescape(p, end, SCRATCH);
  store<u8>(quote, 0x22);
  const which = findWord(SCRATCH, first, count);
  // The length too: an escaped quote inside would end the word.
  return which >= 0 && wordLength(first + <u32>which) == quote - SCRATCH ? which : NONE;
}

function timestamp(p: usize, end: usize, escaped: bool, value: usize): bool {
  return escaped ? isInstant(SCRATCH, unescape(p, end, SCRATCH), value) : isInstant(p, end, value);
}

@inline function isNumberStart(first: u8): bool {
  return first == 0x2d || <u32>first - 48 <= 9;
}

/** Up to 15 digits are exact; the rest is the host's. */
function integer(p: usize, end: usize, value: usize): bool {
  const negative = load<u8>(p) == 0x2d;
  let q = negative ? p + 1 : p;
  if (end - q <= 15) {
    let sum: i64 = 0;
    while (q < end && isDigit(q)) sum = sum * 10 + (load<u8>(q++) - 48);
    if (q == end) {
      store<i64>(value, negative ? -sum : sum);
      return true;
    }
  }
  const exact = numberOf(p, end);
  if (!(Math.floor(exact) == exact && Math.abs(exact) <= MAX_EXACT)) return false;
  store<i64>(value, <i64>exact);
  return true;
}

function finite(p: usize, end: usize, value: usize): bool {
  const negative = load<u8>(p) == 0x2d;
  let q = negative ? p + 1 : p;
  if (end - q <= 16) {
    let sum: i64 = 0;
    let scale: f64 = 1;
    let digits = 0;
    for (; q < end && isDigit(q); digits++) sum = sum * 10 + (load<u8>(q++) - 48);
    if (q < end && load<u8>(q) == 0x2e) {
      for (q++; q < end && isDigit(q); digits++) {
        sum = sum * 10 + (load<u8>(q++) - 48);
        scale *= 10;
      }
    }
    if (q == end && digits <= 15) {
      // Both are exact, so the quotient is rounded once.
      const quotient = <f64>sum / scale;
      store<f64>(value, negative && sum != 0 ? -quotient : quotient);
      return true;
    }
  }
  const exact = numberOf(p, end);
  // No column has a -0.
  store<f64>(value, exact == 0 ? 0 : exact);
  return Math.abs(exact) <= f64.MAX_VALUE;
}

/** @param p an array that is valid JSON. */
function allStrings(p: usize): bool {
  p = skipSpace(p + 1);
  if (load<u8>(p) == 0x5d) return true;
  while (true) {
    if (load<u8>(p) != 0x22) return false;
    p = skipSpace(skipString(p + 1));
    if (load<u8>(p) == 0x5d) return true;
    p = skipSpace(p + 1);
  }
}

/** Documents in the array, and the highest score among them, where one has any. */
export let documentCount: i64 = 0;
export let hasScore: bool = false;
export let bestScore: f64 = 0;

/** Objects whose id and source are strings, score a number and rank an integer, where they are there at all. */
function allDocuments(p: usize, value: usize): bool {
  documentCount = 0;
  hasScore = false;
  p = skipSpace(p + 1);
  if (load<u8>(p) == 0x5d) return true;
  while (true) {
    if (load<u8>(p) != 0x7b) return false;
    p = documentEnd(skipSpace(p + 1), value);
    if (p == 0) return false;
    documentCount++;
    p = skipSpace(p);
    if (load<u8>(p) == 0x5d) return true;
    p = skipSpace(p + 1);
  }
}

/** @param p behind the brace of a document. @returns the address behind it; 0 = it is none, or has a field twice. */
function documentEnd(p: usize, value: usize): usize {
  let seen: u32 = 0;
  while (load<u8>(p) != 0x7d) {
    const key = p + 1;
    p = skipString(key);
    const which = documentField(key, p - 1);
    const from = skipSpace(skipSpace(p) + 1);
    p = skipValue(from);
    if (which >= 0) {
      const bit: u32 = 1 << which;
      if ((seen & bit) != 0 || !isDocumentValue(<u32>which, from, p, value)) return 0;
      seen |= bit;
    }
    p = skipSpace(p);
    if (load<u8>(p) == 0x2c) p = skipSpace(p + 1);
  }
  return p + 1;
}

function documentField(p: usize, end: usize): i32 {
  return choice(p, end, findByte(p, end, 0x5c) != end, documentWords, 4);
}

function isDocumentValue(which: u32, p: usize, end: usize, value: usize): bool {
  const first = load<u8>(p);
  if (first == 0x6e) return true;
  if (which < 2) return first == 0x22;
  if (!isNumberStart(first)) return false;
  if (which == 3) return integer(p, end, value);
  if (!finite(p, end, value)) return false;
  const score = load<f64>(value);
  if (!hasScore || score > bestScore) bestScore = score;
  hasScore = true;
  return true;
}

/** @param p a value that is valid JSON. */
export function skipValue(p: usize): usize {
  let depth = 0;
  while (true) {
    const c = load<u8>(p);
    if (c == 0x22) p = skipString(p + 1);
    else if (c == 0x7b || c == 0x5b) {
      depth++;
      p++;
    } else if (c == 0x7d || c == 0x5d) {
      depth--;
      p++;
    } else if (isNumberStart(c)) p = skipNumber(p);
    else if (c == 0x66) p += 5;
    else if (c == 0x74 || c == 0x6e) p += 4;
    else {
      p++;
      continue;
    }
    if (depth == 0) return p;
  }
}
