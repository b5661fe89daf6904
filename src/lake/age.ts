const AGE = /^(\d{1,6})(s|m|h|d|w)$/;
const UNIT_MS = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 };

/** Milliseconds of an age such as `90m`; null when it is none. */
export function parseAge(text: string): number | null {
  const [, count, unit] = AGE.exec(text) ?? [];
  return unit ? Number(count) * UNIT_MS[unit as keyof typeof UNIT_MS] : null;
}
