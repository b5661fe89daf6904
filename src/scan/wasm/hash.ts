/** A 128-bit universal hash of a line under a random key of the run, so that equal hashes are equal lines. */
import { KEY } from './layout';
import { firstBytes } from './text';

/** The host makes the key as long as asked for. @returns how long it is by then, in bytes. */
@external('host', 'key') declare function extendKey(bytes: usize): usize;

let keyed: usize = 0;
/** What is hashed besides the line: its length, because the last words are filled with zeros. */
const HEAD: usize = 16;

/**
 * NH (Black et al., UMAC, 1999), twice with shifted keys: each half of two lines that differ is equal with a
 * probability of 2^-32 per 64 bits, whatever they hold, as long as the key is not known. A line feed of Windows and a
 * byte order mark are no part of the line.
 */
export function hashLine(p: usize, end: usize, to: usize): void {
  const length = end - p;
  if (length + HEAD + 48 > keyed) keyed = extendKey(length + HEAD + 48);
  let key = KEY + HEAD;
  let a = i64x2.splat(0);
  let b = i64x2.splat(0);
  let next = v128.load(key);
  for (; p < end; p += 16) {
    const now = next;
    next = v128.load((key += 16));
    let v = v128.load(p);
    if (end - p < 16) v = firstBytes(v, end - p);
    a = i64x2.add(a, products(i32x4.add(v, now)));
    b = i64x2.add(b, products(i32x4.add(v, next)));
  }
  const low = <u64>(<u32>length + load<u32>(KEY)) * <u64>load<u32>(KEY, 4);
  const high = <u64>(<u32>length + load<u32>(KEY, 8)) * <u64>load<u32>(KEY, 12);
  store<u64>(to, low + i64x2.extract_lane(a, 0) + i64x2.extract_lane(a, 1));
  store<u64>(to, high + i64x2.extract_lane(b, 0) + i64x2.extract_lane(b, 1), 8);
}

/** Of the words 0 and 2, and 1 and 3. */
@inline function products(v: v128): v128 {
  return i64x2.extmul_low_i32x4_u(v, v128.shuffle<i32>(v, v, 2, 3, 0, 1));
}
