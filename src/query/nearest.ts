import { distance } from 'fastest-levenshtein';

const fold = (text: string) => text.normalize('NFKC').toLowerCase().trim();

/** Edits that a slip of the hand makes; of short names nearly every other one is as near. */
const slips = ({ length }: string) => (length < 3 ? 0 : length < 5 ? 1 : 2);

/** The value that was meant: one with a slip of the hand, or one of which the other is only the beginning, as `prod` is of `production`. */
export function nearestOf(value: string, present: readonly string[]): string | null {
  const wanted = fold(value);
  let best: string | null = null;
  let least = slips(wanted) + 1;
  for (const one of present) {
    const edits = distance(wanted, fold(one));
    if (edits < least) [best, least] = [one, edits];
  }
  const begins = (longer: string, shorter: string) => shorter.length >= 3 && longer.startsWith(shorter);
  return best ?? present.find((one) => begins(fold(one), wanted) || begins(wanted, fold(one))) ?? null;
}

interface Values {
  /** All that are asked for together. */
  readonly named: readonly string[];
  readonly present: readonly string[];
  /** Those that a slip of the hand may have meant. */
  readonly others: readonly string[];
}

/**
 * What is asked for where each value that does not occur is read as what was meant by it: another one, or several with
 * commas between them. All of it, because an option replaces what was said before.
 * @returns null where the value looks like nothing that occurs.
 */
export function meantBy(value: string, { named, present, others }: Values): readonly string[] | null {
  const read = (one: string): readonly string[] | null => {
    const parts = one.split(',').map((part) => part.trim());
    if (parts.length > 1 && parts.some((part) => present.includes(part))) return parts.filter(Boolean);
    const nearest = nearestOf(one, others);
    return nearest === null ? null : [nearest];
  };
  if (read(value) === null) return null;
  return [...new Set(named.flatMap((one) => (present.includes(one) ? [one] : (read(one) ?? [one]))))];
}
