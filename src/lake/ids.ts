import { quote } from './duckdb/sql.js';

/** Hexadecimal ids mean the same in whatever case, with dashes or without. */
export function foldId(id: string): string {
  return /^[0-9a-f-]+$/i.test(id) ? id.replaceAll('-', '').toLowerCase() : id;
}

/** SQL condition: the text begins with the id. */
export function beginsWith(column: string, id: string): string {
  const folded = foldId(id);
  const asWritten = `starts_with(${column}, ${quote(id)})`;
  return folded === id && !/^[0-9a-f]+$/.test(id)
    ? asWritten
    : `(${asWritten} OR starts_with(replace(lower(${column}), '-', ''), ${quote(folded)}))`;
}
