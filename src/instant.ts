/** Order of RFC 3339 instants, whatever their offsets and digits: below 0 where `a` is earlier. NaN for what is none. */
export function compareInstants(a: string, b: string): number {
  return millis(a) - millis(b) || (fraction(a) < fraction(b) ? -1 : fraction(a) > fraction(b) ? 1 : 0);
}

/** Milliseconds; Date.parse reads no more of a fraction. */
const millis = (instant: string) => Date.parse(instant);

const fraction = (instant: string) => (/\.(\d+)/.exec(instant)?.[1] ?? '').padEnd(6, '0');
