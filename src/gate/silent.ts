/** Comparing who must be heard of with who was. Pure. */
import { CALLERS, type Expectation, type Heard } from '../schema/expected.js';

/** Somebody who must be heard of, with the newest call of theirs. */
export interface Awaited extends Expectation {
  /** Null where there is none. */
  readonly last: Pick<Heard, 'time' | 'where'> | null;
  /** What calls carry in the place of a name that none of them carries, where it looks as if it was meant. */
  readonly nearest: Expectation['of'];
}

export function awaited(
  all: readonly Expectation[],
  heard: readonly Heard[],
  nearestOf: (value: string, present: readonly string[]) => string | null,
): Awaited[] {
  return all.map((one) => {
    const theirs = heard.filter(({ of }) =>
      CALLERS.every((caller) => one.of[caller] === undefined || of[caller] === one.of[caller]),
    );
    const near = CALLERS.flatMap((caller) => {
      const value = one.of[caller];
      const present = heard.flatMap(({ of }) => of[caller] ?? []);
      const found = value === undefined || present.includes(value) ? null : nearestOf(value, present);
      return found === null ? [] : [[caller, found] as const];
    });
    return { ...one, last: newestOf(theirs), nearest: Object.fromEntries(near) };
  });
}

function newestOf(heard: readonly Heard[]): Awaited['last'] {
  let newest: Heard | null = null;
  // An instant that cannot be compared is told, not passed over.
  for (const one of heard)
    if (newest === null || !(Date.parse(newest.time) >= Date.parse(one.time))) newest = one;
  return newest && { time: newest.time, where: newest.where };
}

/** @returns whether one was heard of; an instant that cannot be compared is none. */
export const wasHeard = ({ last, withinMs }: Awaited, now: Date) =>
  last !== null && now.getTime() - Date.parse(last.time) <= withinMs;
