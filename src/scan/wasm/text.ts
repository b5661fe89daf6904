/** Strings, numbers and UTF-8: the parts of RFC 8259 that need no nesting. All of them stop at a line feed. */
import { WORDS } from './fields';
import { SCRATCH, WORD } from './layout';

export const NONE: i32 = -1;

/** The string that was skipped last holds an escape. */
export let sawEscape: bool = false;
/** The line at hand holds a byte that is not ASCII. */
export let sawHigh: bool = false;

/** Where the last text that is no JSON stopped being any. */
export let failedAt: usize = 0;

/** @returns 0: no address of anything. */
export function failed(p: usize): usize {
  failedAt = p;
  return 0;
}

export function forgetHigh(): void {
  sawHigh = false;
}

/** @param p behind the opening quote. @returns the address behind the closing one; 0 = no JSON string. UTF-8 is checked later. */
export function skipString(p: usize): usize {
  const quote = i8x16.splat(0x22);
  const backslash = i8x16.splat(0x5c);
  const lastControl = i8x16.splat(0x1f);
  let all = i8x16.splat(0);
  sawEscape = false;
  while (true) {
    const v = v128.load(p);
    all = v128.or(all, v);
    const stops = v128.or(
      v128.or(i8x16.eq(v, quote), i8x16.eq(v, backslash)),
      i8x16.eq(i8x16.min_u(v, lastControl), v),
    );
    const mask = i8x16.bitmask(stops);
    if (mask == 0) {
      p += 16;
      continue;
    }
    p += ctz(mask);
    const c = load<u8>(p);
    if (c == 0x22) {
      if (i8x16.bitmask(all) != 0) sawHigh = true;
      return p + 1;
    }
    if (c != 0x5c) return failed(p);
    sawEscape = true;
    p = skipEscape(p);
    if (p == 0) return 0;
  }
}

function skipEscape(p: usize): usize {
  const e = load<u8>(p, 1);
  if (e == 0x75) {
    const unit = hex4(p + 2);
    if (unit < 0) return 0;
    if ((unit & 0xf800) != 0xd800) return p + 6;
    // Half a surrogate pair is no text that UTF-8 could hold.
    if (unit >= 0xdc00) return failed(p);
    if (load<u8>(p, 6) != 0x5c) return failed(p + 6);
    if (load<u8>(p, 7) != 0x75) return failed(p + 7);
    const low = hex4(p + 8);
    if (low < 0) return 0;
    return (low & 0xfc00) == 0xdc00 ? p + 12 : failed(p);
  }
  // " \ / b f n r t
  if (e == 0x22 || e == 0x5c || e == 0x2f || e == 0x62 || e == 0x66 || e == 0x6e || e == 0x72) return p + 2;
  return e == 0x74 ? p + 2 : failed(p + 1);
}

/** Four hexadecimal digits, or -1. */
function hex4(p: usize): i32 {
  let value: i32 = 0;
  for (let i: usize = 0; i < 4; i++) {
    const c = <u32>load<u8>(p + i);
    let digit = c - 48;
    if (digit > 9) {
      digit = (c | 32) - 97;
      if (digit > 5) {
        failedAt = p + i;
        return -1;
      }
      digit += 10;
    }
    value = (value << 4) | <i32>digit;
  }
  return value;
}

export function skipNumber(p: usize): usize {
  if (load<u8>(p) == 0x2d) p++;
  if (load<u8>(p) == 0x30) p++;
  else if (!isDigit(p)) return failed(p);
  else p = skipDigits(p);
  if (load<u8>(p) == 0x2e) {
    if (!isDigit(++p)) return failed(p);
    p = skipDigits(p);
  }
  if ((load<u8>(p) | 32) == 0x65) {
    const sign = load<u8>(++p);
    if (sign == 0x2b || sign == 0x2d) p++;
    if (!isDigit(p)) return failed(p);
    p = skipDigits(p);
  }
  return p;
}

/** @param letters the four of `null`, `true` or `alse`. @returns the address behind them. */
export function skipLetters(p: usize, letters: u32): usize {
  const differs = load<u32>(p) ^ letters;
  return differs == 0 ? p + 4 : failed(p + (ctz(differs) >> 3));
}

@inline export function isDigit(p: usize): bool {
  return <u32>load<u8>(p) - 48 <= 9;
}

@inline function skipDigits(p: usize): usize {
  do p++;
  while (isDigit(p));
  return p;
}

@inline export function skipSpace(p: usize): usize {
  let c = load<u8>(p);
  while (c == 0x20 || c == 0x09 || c == 0x0d) c = load<u8>(++p);
  return p;
}

/** @param p behind a key, or 0. @returns the address of its value. */
@inline export function colonBehind(p: usize): usize {
  if (p == 0) return 0;
  p = skipSpace(p);
  return load<u8>(p) == 0x3a ? skipSpace(p + 1) : failed(p);
}

export function findByte(p: usize, end: usize, byte: u8): usize {
  const wanted = i8x16.splat(byte);
  for (; p < end; p += 16) {
    const mask = i8x16.bitmask(i8x16.eq(v128.load(p), wanted));
    if (mask != 0) return min(p + ctz(mask), end);
  }
  return end;
}

/** The text of a valid string, without its escapes. @returns the end of what was written. */
export function unescape(p: usize, end: usize, to: usize): usize {
  while (p < end) {
    const next = findByte(p, end, 0x5c);
    memory.copy(to, p, next - p);
    to += next - p;
    p = next;
    if (p == end) break;
    const e = load<u8>(p, 1);
    p += 2;
    if (e != 0x75) {
      store<u8>(to++, e == 0x62 ? 8 : e == 0x66 ? 12 : e == 0x6e ? 10 : e == 0x72 ? 13 : e == 0x74 ? 9 : e);
      continue;
    }
    let code = <u32>hex4(p);
    p += 4;
    if ((code & 0xfc00) == 0xd800) {
      code = 0x10000 + ((code & 0x3ff) << 10) + (<u32>hex4(p + 2) & 0x3ff);
      p += 6;
    }
    if (code < 0x80) store<u8>(to++, code);
    else {
      if (code < 0x800) store<u8>(to++, 0xc0 | (code >> 6));
      else {
        if (code < 0x10000) store<u8>(to++, 0xe0 | (code >> 12));
        else {
          store<u8>(to++, 0xf0 | (code >> 18));
          store<u8>(to++, 0x80 | ((code >> 12) & 0x3f));
        }
        store<u8>(to++, 0x80 | ((code >> 6) & 0x3f));
      }
      store<u8>(to++, 0x80 | (code & 0x3f));
    }
  }
  return to;
}

/** Whether the text at p, with the quote that ends it, is the word. */
@inline export function isWord(p: usize, word: u32): bool {
  const at = WORDS + WORD * word;
  const mask = load<u32>(at);
  const same =
    <u32>i8x16.bitmask(i8x16.eq(v128.load(p), v128.load(at, 16))) |
    (<u32>i8x16.bitmask(i8x16.eq(v128.load(p, 16), v128.load(at, 32))) << 16);
  return (same & mask) == mask;
}

/** The word and its closing quote. @returns how many bytes. */
export function copyWord(to: usize, word: u32): usize {
  const at = WORDS + WORD * word;
  v128.store(to, v128.load(at, 16));
  v128.store(to, v128.load(at, 32), 16);
  return 32 - clz(load<u32>(at));
}

/** Which of some words the text is, or -1. */
export function findWord(p: usize, first: u32, count: u32): i32 {
  for (let i: u32 = 0; i < count; i++) if (isWord(p, first + i)) return <i32>i;
  return -1;
}

/** Which of some words the string that was just skipped is, escapes or not, or -1. */
export function isAnyWord(p: usize, end: usize, first: u32, count: u32): i32 {
  if (!sawEscape) return findWord(p, first, count);
  const quote = unescape(p, end, SCRATCH);
  store<u8>(quote, 0x22);
  // The length too: an escaped quote inside would end the word.
  const which = findWord(SCRATCH, first, count);
  return which >= 0 && wordLength(first + <u32>which) == quote - SCRATCH ? which : NONE;
}

/** The word that mostly comes behind another one. */
@inline export function guessWord(before: i32, first: u32): i32 {
  return before == NONE ? <i32>first : load<i32>(WORDS + WORD * before, 4);
}

@inline export function noteFollower(before: i32, word: i32): void {
  store<i32>(WORDS + WORD * before, word, 4);
}

@inline export function wordLength(word: u32): usize {
  return 31 - clz(load<u32>(WORDS + WORD * word));
}

/** The rest is zeros. */
@inline export function firstBytes(v: v128, count: usize): v128 {
  return v128.and(v, i8x16.lt_u(i8x16(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15), i8x16.splat(<i8>count)));
}

/** UTF-8 by table lookup, 16 bytes at a time (Keiser and Lemire, 2021). The last byte of the text is ASCII. */
export function isUtf8(p: usize, end: usize): bool {
  // What the high half of a byte allows, its low half, and the high half of the byte behind it.
  const firstHigh = i64x2(0x0202020202020202, 0x4915012180808080);
  const firstLow = i64x2(<i64>0xcbcbcb8b8383a3e7, <i64>0xcbcbdbcbcbcbcbcb);
  const secondHigh = i64x2(0x0101010101010101, 0x01010101babaaee6);
  const nibble = i8x16.splat(0x0f);
  const top = i8x16.splat(<i8>0x80);
  let before = i8x16.splat(0);
  let errors = i8x16.splat(0);
  for (; p < end; p += 16) {
    let v = v128.load(p);
    if (end - p < 16) v = firstBytes(v, end - p);
    if (i8x16.bitmask(v128.or(v, before)) != 0) {
      const back1 = v128.shuffle<u8>(before, v, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30);
      const back2 = v128.shuffle<u8>(before, v, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29);
      const back3 = v128.shuffle<u8>(before, v, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28);
      const special = v128.and(
        v128.and(
          v128.swizzle(firstHigh, i8x16.shr_u(back1, 4)),
          v128.swizzle(firstLow, v128.and(back1, nibble)),
        ),
        v128.swizzle(secondHigh, i8x16.shr_u(v, 4)),
      );
      const continued = v128.and(
        v128.or(i8x16.sub_sat_u(back2, i8x16.splat(0x60)), i8x16.sub_sat_u(back3, i8x16.splat(0x70))),
        top,
      );
      errors = v128.or(errors, v128.xor(continued, special));
    }
    before = v;
  }
  return !v128.any_true(errors);
}
