/** Order of RFC 3339 instants, whatever their offsets and digits: below 0 where `a` is earlier. NaN for what is none. */
export function compareInstants(a: string, b: string): number {
  return millis(a) - millis(b) || (fraction(a) < fraction(b) ? -1 : fraction(a) > fraction(b) ? 1 : 0);
}

/** Milliseconds; Date.parse reads no more of a fraction. */
const millis = (instant: string) => Date.parse(instant);

const fraction = (instant: string) => (/\.(\d+)/.exec(instant)?.[1] ?? '').padEnd(6, '0');

/** Microseconds since the epoch of an instant that `rfc3339` wrote. */
export function microsOf(instant: string): bigint {
  const ms = Date.parse(instant.replace(/\.(\d{3})\d+/, '.$1'));
  return BigInt(ms) * 1000n + BigInt(fraction(instant).slice(3, 6));
}

const DAY_MS = 86_400_000;
/** The largest offset that RFC 3339 has. */
const FAR_MS = DAY_MS - 60_000;
const FIRST = Date.parse('0000-01-01T00:00:00Z');
const LAST = Date.parse('9999-12-31T23:59:59.999Z');

/**
 * Microseconds since the epoch → RFC 3339 in UTC, with microseconds only where there are any. RFC 3339 writes four
 * digits of a year, so what an offset carried beyond them keeps the largest one.
 */
export function rfc3339(micros: bigint): string {
  const rest = ((micros % 1000n) + 1000n) % 1000n;
  const ms = Number((micros - rest) / 1000n);
  const [shift, zone] = ms > LAST ? [-FAR_MS, '-23:59'] : ms < FIRST ? [FAR_MS, '+23:59'] : [0, 'Z'];
  const iso = new Date(ms + shift).toISOString().slice(0, -1);
  return `${iso}${rest === 0n ? '' : String(rest).padStart(3, '0')}${zone}`;
}

/** RFC 3339 UTC. */
export const instantOf = (date: Date): string => rfc3339(BigInt(date.getTime()) * 1000n);

/**
 * The same as bytes, for many of one day.
 * @param date such as `2026-09-01T`. @param micros since the day began. @returns how many bytes they are.
 */
export function writeInstant(bytes: Uint8Array, start: number, date: string, micros: number): number {
  let at = start;
  const digits = (value: number, count: number) => {
    for (let i = at + count - 1, rest = value; i >= at; i--, rest = Math.floor(rest / 10))
      bytes[i] = 48 + (rest % 10);
    at += count;
  };
  for (let i = 0; i < date.length; i++) bytes[at++] = date.charCodeAt(i);
  const seconds = Math.floor(micros / 1_000_000);
  digits(Math.floor(seconds / 3_600), 2);
  bytes[at++] = 58;
  digits(Math.floor(seconds / 60) % 60, 2);
  bytes[at++] = 58;
  digits(seconds % 60, 2);
  bytes[at++] = 46;
  const fraction = micros % 1_000_000;
  if (fraction % 1_000 === 0) digits(fraction / 1_000, 3);
  else digits(fraction, 6);
  bytes[at++] = 90;
  return at - start;
}

const AGE = /^(\d{1,6})(s|m|h|d|w)$/;
const UNIT_MS = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 };

/** Every form a duration has. */
export const AGE_FORMS = '90s, 15m, 26h, 7d or 2w';

/** Milliseconds of a duration such as `26h`; null when it is none. */
export function parseAge(text: string): number | null {
  const [, count, unit] = AGE.exec(text) ?? [];
  return unit ? Number(count) * UNIT_MS[unit as keyof typeof UNIT_MS] : null;
}
