import type { Connected } from './duckdb/connection.js';
import { type Filters, NAMED } from './filters.js';

/** A value of a filter that no loaded call has. */
export interface AbsentValue {
  readonly filter: (typeof NAMED)[number];
  readonly value: string;
  /** All values that calls have. */
  readonly present: readonly string[];
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
      if (!present.includes(value)) absent.push({ filter, value, present });
    }
  }
  return absent;
}
