import duckdb from '@duckdb/node-bindings';
import { rfc3339 } from '../../instant.js';
import type { Cell } from '../../schema/result.js';
import { exact, finite } from './numbers.js';

export interface Rows {
  readonly names: readonly string[];
  readonly cells: readonly (readonly Cell[])[];
}

export interface TypedRows extends Rows {
  /** As DuckDB names them, e.g. `VARCHAR`, `BIGINT`, `TIMESTAMP WITH TIME ZONE`, `JSON`. */
  readonly types: readonly string[];
  readonly more: boolean;
}

/** The name of a type as SQL has it, the bytes of a value, and how it is read. */
type Format = readonly [name: string, bytes: number, read: (data: DataView, at: number) => Cell];

/**
 * The types of nearly every answer, by DuckDB's number of the type, read from the native binding's own memory. The
 * rest is left to @duckdb/node-api: loading that package takes longer than most commands take to answer.
 */
const FORMATS: Readonly<Record<number, Format>> = {
  1: ['BOOLEAN', duckdb.sizeof_bool, (data, at) => data.getUint8(at) !== 0],
  4: ['INTEGER', 4, (data, at) => data.getInt32(at, true)],
  5: ['BIGINT', 8, (data, at) => exact(data.getBigInt64(at, true))],
  11: ['DOUBLE', 8, (data, at) => finite(data.getFloat64(at, true))],
  16: [
    'HUGEINT',
    16,
    (data, at) => exact((data.getBigInt64(at + 8, true) << 64n) + data.getBigUint64(at, true)),
  ],
  17: ['VARCHAR', 16, stringAt],
  31: ['TIMESTAMP WITH TIME ZONE', 8, (data, at) => rfc3339(data.getBigInt64(at, true))],
};

/** The first rows, at most `most` of them; of a streamed result hardly more are ever held. */
export async function readRows(result: duckdb.Result, most = Number.POSITIVE_INFINITY): Promise<TypedRows> {
  const columns = Array.from({ length: duckdb.column_count(result) }, (_, i) => i);
  const names = columns.map((i) => duckdb.column_name(result, i));
  const formats = columns.flatMap((i) => {
    const format = FORMATS[duckdb.column_type(result, i)];
    return format ? [format] : [];
  });
  if (formats.length < columns.length) {
    const { readAnyRows } = await import('./any-result.js');
    const { types, cells } = await readAnyRows(result, most + 1);
    return { names, types, cells: cells.slice(0, most), more: cells.length > most };
  }
  // JSON is a VARCHAR by another name.
  const types = formats.map(
    ([name], i) => duckdb.logical_type_get_alias(duckdb.column_logical_type(result, i)) ?? name,
  );
  const cells: Cell[][] = [];
  while (cells.length <= most && (await readChunk(result, formats, cells)));
  return { names, types, cells: cells.slice(0, most), more: cells.length > most };
}

/** Adds the rows of the next chunk; false = there was none. */
async function readChunk(
  result: duckdb.Result,
  formats: readonly Format[],
  rows: Cell[][],
): Promise<boolean> {
  const chunk = await duckdb.fetch_chunk(result);
  const size = chunk === null ? 0 : duckdb.data_chunk_get_size(chunk);
  if (chunk === null || size === 0) return false;
  const first = rows.length;
  for (let i = 0; i < size; i++) rows.push([]);
  for (const [column, [, bytes, read]] of formats.entries()) {
    const vector = duckdb.data_chunk_get_vector(chunk, column);
    const data = duckdb.vector_get_data(vector, size * bytes);
    const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
    // 64 rows in 8 bytes; null = all rows have a value.
    const validity = duckdb.vector_get_validity(vector, Math.ceil(size / 64) * 8) as Uint8Array | null;
    for (let i = 0; i < size; i++) {
      const valid = validity === null || ((validity[i >> 3]! >> (i & 7)) & 1) === 1;
      rows[first + i]!.push(valid ? read(view, i * bytes) : null);
    }
  }
  return true;
}

/** Byte for byte: a text that begins with U+FEFF keeps it, or SQL and rules would judge different texts. */
const utf8 = new TextDecoder('utf-8', { ignoreBOM: true });

/** 4 bytes of length, then up to 12 bytes of text, or 4 of its beginning and a pointer to all of it. */
function stringAt(data: DataView, at: number): string {
  const length = data.getUint32(at, true);
  return utf8.decode(
    length <= 12
      ? new Uint8Array(data.buffer, data.byteOffset + at + 4, length)
      : duckdb.get_data_from_pointer(data.buffer as ArrayBuffer, data.byteOffset + at + 8, length),
  );
}
