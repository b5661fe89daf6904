import type { Column, ColumnType } from '../schema/result.js';

const TYPES: readonly [RegExp, ColumnType][] = [
  [/^(U?(TINY|SMALL|BIG|HUGE)INT|U?INTEGER)$/, 'integer'],
  [/^(FLOAT|DOUBLE|DECIMAL\(.*\))$/, 'number'],
  [/^BOOLEAN$/, 'boolean'],
  [/^TIMESTAMP WITH TIME ZONE$/, 'timestamp'],
  [/^JSON$|\[\d*\]$|^STRUCT\(/, 'json'],
];

/** Columns of a SELECT without a header, from the types that DuckDB gave them. */
export function columnsOf(names: readonly string[], types: readonly string[]): Column[] {
  return names.map((name, i) => ({
    name,
    type: TYPES.find(([pattern]) => pattern.test(types[i] ?? ''))?.[1] ?? 'text',
  }));
}
