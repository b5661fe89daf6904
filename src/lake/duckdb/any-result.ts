import {
  DuckDBDateValue,
  DuckDBDecimalValue,
  DuckDBListValue,
  DuckDBResult,
  DuckDBStructValue,
  DuckDBTimestampTZValue,
  DuckDBTimestampValue,
  type DuckDBValue,
} from '@duckdb/node-api';
import accessors from '@duckdb/node-api/lib/vectors/dataAccessors.js';
import type { Result } from '@duckdb/node-bindings';
import { rfc3339 } from '../../instant.js';
import { type Block, type Blocks, exact, finite } from '../../schema/block.js';
import type { Cell } from '../../schema/result.js';

// The package's own decoder drops a U+FEFF at the start of a text.
(accessors as { textDecoder: InstanceType<typeof TextDecoder> }).textDecoder = new TextDecoder('utf-8', {
  ignoreBOM: true,
});

/** Rows of whatever types; types as SQL names them. */
export function readAnyBlocks(result: Result): Omit<Blocks, 'names'> {
  const any = new DuckDBResult(result);
  const types = any.columnTypes().map((type) => type.alias ?? String(type));
  return { types, blocks: blocksOf(any) };
}

async function* blocksOf(result: DuckDBResult): AsyncGenerator<Block> {
  for (;;) {
    const chunk = await result.fetchChunk();
    if (chunk === null || chunk.rowCount === 0) return;
    const columns = chunk.getColumns().map((values) => ({ of: 'cells' as const, cells: values.map(plain) }));
    yield { rows: chunk.rowCount, columns };
  }
}

/** A DuckDB value as JSON can hold it: numbers where they are exact, else text. */
function plain(value: DuckDBValue): Cell {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return value;
  if (typeof value === 'number') return finite(value);
  if (typeof value === 'bigint') return exact(value);
  if (value instanceof DuckDBTimestampTZValue) return rfc3339(value.micros);
  // A time of some clock is no instant.
  if (value instanceof DuckDBTimestampValue) return rfc3339(value.micros).replace(/Z$/, '');
  if (value instanceof DuckDBDateValue) return value.toString();
  if (value instanceof DuckDBDecimalValue) return value.toDouble();
  if (value instanceof DuckDBListValue) return value.items.map(plain);
  if (value instanceof DuckDBStructValue) {
    return Object.fromEntries(Object.entries(value.entries).map(([key, entry]) => [key, plain(entry)]));
  }
  return String(value);
}
