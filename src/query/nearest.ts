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
