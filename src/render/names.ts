import type { Column } from '../schema/result.js';

/** Column names as keys: `select 1 as a, 2 as a` gives `a` and `a_1`, as in DuckDB, so that no cell is lost. */
export function uniqueNames(columns: readonly Column[]): string[] {
  const taken = new Set(columns.map((column) => column.name));
  const seen = new Set<string>();
  return columns.map(({ name }) => {
    let key = name;
    for (let n = 1; seen.has(key) || (n > 1 && taken.has(key)); n += 1) key = `${name}_${n}`;
    seen.add(key);
    return key;
  });
}
