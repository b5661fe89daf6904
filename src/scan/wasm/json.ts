/** One line of strict JSON, walked once, without recursion; notes what stands at its top level and in its attempts. */
import {
  beginAttempts, endAttempt, endAttempts, endAttemptValue, forgetAttempts, nextAttemptKey,
} from './attempts';
import { EXTRAS, SPANS, STACK } from './layout';
import { attemptsKey, keyCount } from './fields';
import {
  colonBehind, failed, forgetHigh, guessWord, isAnyWord, isUtf8, isWord, NONE, noteFollower, sawEscape,
  sawHigh, skipLetters, skipNumber, skipSpace, skipString, wordLength,
} from './text';

/** Where the line feed of the parsed line stands; only meant after success. */
export let lineEnd: usize = 0;
/** The line is an object. */
export let isObject: bool = false;
/** Keys that stand in the line, and those that stand twice. */
export let seen: u64 = 0;
export let twice: u64 = 0;
/** Keys whose value is not null. */
export let present: u64 = 0;
/** Keys whose string value holds an escape. */
export let escaped: u64 = 0;
export let extrasEnd: usize = 0;

/** The member at hand of the record. */
let key: i32 = NONE;
let keyStart: usize = 0;
/** The key before it, which mostly tells the one that comes now. */
let before: i32 = NONE;
/** The attempts are being walked. */
let inAttempts: bool = false;

/** @returns whether the line at `start` is one JSON value and nothing else; else `failedAt` says where it is not. */
export function parseLine(start: usize): bool {
  let depth: usize = 0;
  let inObject = false;
  let wantsKey = false;
  beginLine();
  let p = skipSpace(start);
  isObject = load<u8>(p) == 0x7b;
  while (true) {
    if (wantsKey) {
      wantsKey = false;
      if (load<u8>(p) != 0x22) return failed(p) != 0;
      if (depth == 1) p = recordKey(p);
      else p = depth == 3 && inAttempts ? nextAttemptKey(p) : colonBehind(skipString(p + 1));
      if (p == 0) return false;
    }
    const c = load<u8>(p);
    if (c == 0x7b || c == 0x5b) {
      if (depth == 1) openMember(c);
      p = skipSpace(p + 1);
      if (load<u8>(p) == c + 2) p++;
      else {
        setBit(depth++, inObject);
        inObject = c == 0x7b;
        wantsKey = inObject;
        continue;
      }
    } else {
      p = skipScalar(p, c);
      if (p == 0) return false;
      if (depth == 1) noteScalar(c);
    }
    // A value ended before p.
    while (true) {
      if (depth == 1) endMember(p, inObject);
      else if (inAttempts) {
        if (depth == 2) endAttempt();
        else if (depth == 3 && inObject) endAttemptValue(p);
      } else if (depth == 0) return endLine(start, p);
      p = skipSpace(p);
      const d = load<u8>(p++);
      if (d == 0x2c) {
        p = skipSpace(p);
        wantsKey = inObject;
        break;
      }
      if (d != (inObject ? 0x7d : 0x5d)) return failed(p - 1) != 0;
      inObject = getBit(--depth);
    }
  }
}

function beginLine(): void {
  seen = 0;
  twice = 0;
  present = 0;
  escaped = 0;
  extrasEnd = EXTRAS;
  key = NONE;
  before = NONE;
  inAttempts = false;
  forgetAttempts();
  forgetHigh();
}

function endLine(start: usize, p: usize): bool {
  lineEnd = skipSpace(p);
  if (load<u8>(lineEnd) != 0x0a) return failed(lineEnd) != 0;
  return !sawHigh || isUtf8(start, lineEnd) || failed(start) != 0;
}

@inline function recordKey(p: usize): usize {
  keyStart = p;
  const guess = guessWord(before, 0);
  if (isWord(p + 1, guess)) {
    key = guess;
    p += 2 + wordLength(guess);
  } else {
    p = skipString(p + 1);
    if (p == 0) return 0;
    key = isAnyWord(keyStart + 1, p - 1, 0, keyCount);
    if (key != NONE && before != NONE) noteFollower(before, key);
  }
  p = colonBehind(p);
  if (key != NONE) {
    const bit = (<u64>1) << key;
    twice |= seen & bit;
    seen |= bit;
    before = key;
    store<u32>(SPANS + ((<usize>key) << 3), <u32>p);
  }
  return p;
}

@inline function skipScalar(p: usize, c: u8): usize {
  if (c == 0x22) return skipString(p + 1);
  if (c == 0x6e) return skipLetters(p, 0x6c6c756e);
  if (c == 0x74) return skipLetters(p, 0x65757274);
  return c == 0x66 ? skipLetters(p + 1, 0x65736c61) : skipNumber(p);
}

/** A member of the record whose value is an object or an array; one of an array that is the whole line has no key. */
function openMember(c: u8): void {
  if (key == NONE) return;
  present |= (<u64>1) << key;
  if (key != attemptsKey) return;
  inAttempts = c == 0x5b;
  beginAttempts();
}

function noteScalar(c: u8): void {
  if (key == NONE || c == 0x6e) return;
  present |= (<u64>1) << key;
  if (c == 0x22 && sawEscape) escaped |= (<u64>1) << key;
}

@inline function endMember(p: usize, inObject: bool): void {
  if (inAttempts) {
    inAttempts = false;
    endAttempts();
  }
  if (key != NONE) store<u32>(SPANS + ((<usize>key) << 3), <u32>p, 4);
  else if (inObject) {
    store<u32>(extrasEnd, <u32>keyStart);
    store<u32>(extrasEnd, <u32>p, 4);
    extrasEnd += 8;
  }
}

@inline function setBit(at: usize, on: bool): void {
  const address = STACK + (at >> 3);
  const bit: u8 = 1 << (<u8>at & 7);
  const byte = load<u8>(address);
  store<u8>(address, on ? byte | bit : byte & ~bit);
}

@inline function getBit(at: usize): bool {
  return ((load<u8>(STACK + (at >> 3)) >> (<u8>at & 7)) & 1) != 0;
}
