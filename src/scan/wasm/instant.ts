/** RFC 3339 timestamps. */
import { isDigit } from './text';

/** RFC 3339 with offset, of a day that exists → microseconds since 1970. */
export function isInstant(p: usize, end: usize, value: usize): bool {
  // 2026-09-01T08:00:00Z
  if (end - p < 20) return false;
  const year = two(p) * 100 + two(p + 2);
  const month = two(p + 5);
  const day = two(p + 8);
  const hour = two(p + 11);
  const minute = two(p + 14);
  const second = two(p + 17);
  if (two(p) < 0 || two(p + 2) < 0 || month < 1 || month > 12 || day < 1 || day > daysIn(year, month))
    return false;
  if (load<u8>(p, 4) != 0x2d || load<u8>(p, 7) != 0x2d || (load<u8>(p, 10) | 32) != 0x74) return false;
  if (load<u8>(p, 13) != 0x3a || load<u8>(p, 16) != 0x3a) return false;
  if (hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 59) return false;
  p += 19;
  let micros: i64 = 0;
  if (load<u8>(p) == 0x2e) {
    const from = ++p;
    let unit: i64 = 100000;
    for (; p < end && isDigit(p); p++) {
      micros += unit * (load<u8>(p) - 48);
      unit /= 10;
    }
    if (p == from) return false;
  }
  let offset: i32 = 0;
  if (end - p == 1) {
    if ((load<u8>(p) | 32) != 0x7a) return false;
  } else {
    const sign = load<u8>(p);
    if (end - p != 6 || (sign != 0x2b && sign != 0x2d) || load<u8>(p, 3) != 0x3a) return false;
    const hours = two(p + 1);
    const minutes = two(p + 4);
    if (hours < 0 || hours > 23 || minutes < 0 || minutes > 59) return false;
    offset = (hours * 60 + minutes) * (sign == 0x2d ? -1 : 1);
  }
  const minutes = <i64>daysSince1970(year, month, day) * 1440 + hour * 60 + minute - offset;
  store<i64>(value, (minutes * 60 + second) * 1000000 + micros);
  return true;
}

/** Two digits, or something below 0. */
function two(p: usize): i32 {
  return isDigit(p) && isDigit(p + 1) ? (load<u8>(p) - 48) * 10 + (load<u8>(p, 1) - 48) : -1000;
}

function daysIn(year: i32, month: i32): i32 {
  if (month == 2) return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28;
  return month == 4 || month == 6 || month == 9 || month == 11 ? 30 : 31;
}

function daysSince1970(year: i32, month: i32, day: i32): i32 {
  const y = month <= 2 ? year - 1 : year;
  const era = (y >= 0 ? y : y - 399) / 400;
  const ofEra = y - era * 400;
  const ofYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
  return era * 146097 + ofEra * 365 + ofEra / 4 - ofEra / 100 + ofYear - 719468;
}
