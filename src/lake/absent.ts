import { distance } from 'fastest-levenshtein';
import type { Connected } from './duckdb/connection.js';
import { type Filters, NAMED } from './filters.js';

/** A value of a filter that no loaded call has. */
export interface AbsentValue {
  readonly filter: (typeof NAMED)[number];
  readonly value: string;
  /** One that occurs and looks as if it was meant. */
  readonly nearest: string | null;
}

/** Whatever the other filters leave: a service that was quiet in the window is no mistake. */
export async function absentValues(db: Connected, filters: Filters): Promise<AbsentValue[]> {
  const absent: AbsentValue[] = [];
  for (const filter of NAMED.filter((name) => filters[name].length > 0)) {
    const { cells } = await db.rows(
      `SELECT DISTINCT ${filter} FROM main.base_calls WHERE ${filter} IS NOT NULL ORDER BY 1`,
    );
    const present = cells.map(([value]) => String(value));
    for (const value of new Set(filters[filter])) {
      if (!present.includes(value)) absent.push({ filter, value, nearest: nearestOf(value, present) });
    }
  }
  return absent;
}

const fold = (text: string) => text.normalize('NFKC').toLowerCase().trim();

/** Edits that a slip of the hand makes; of short names nearly every other one is as near. */
const slips = ({ length }: string) => (length < 3 ? 0 : length < 5 ? 1 : 2);

/** One with a slip of the hand, or one of which the other is only the beginning, as `prod` is of `production`. */
function nearestOf(value: string, present: readonly string[]): string | null {
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
