import duckdb from '@duckdb/node-bindings';
import type { Cell } from '../schema/result.js';

type Read = (data: DataView, index: number) => Cell;

interface Format {
  /** As SQL names it. */
  readonly name: string;
  readonly bytes: number;
  readonly read: Read;
}

/**
 * The types of nearly every answer, by DuckDB's number of the type, read from the native binding's own memory. The
 * rest is left to @duckdb/node-api: loading that package takes longer than most commands take to answer.
 */
const FORMATS: Readonly<Record<number, Format>> = {
  1: {
    name: 'BOOLEAN',
    bytes: duckdb.sizeof_bool,
    read: (data, i) => data.getUint8(i * duckdb.sizeof_bool) !== 0,
  },
  4: { name: 'INTEGER', bytes: 4, read: (data, i) => data.getInt32(i * 4, true) },
  5: { name: 'BIGINT', bytes: 8, read: (data, i) => exact(data.getBigInt64(i * 8, true)) },
  11: { name: 'DOUBLE', bytes: 8, read: (data, i) => finite(data.getFloat64(i * 8, true)) },
  16: {
    name: 'HUGEINT',
    bytes: 16,
    read: (data, i) => exact((data.getBigInt64(i * 16 + 8, true) << 64n) + data.getBigUint64(i * 16, true)),
  },
  17: { name: 'VARCHAR', bytes: 16, read: (data, i) => stringAt(data, i * 16) },
  31: {
    name: 'TIMESTAMP WITH TIME ZONE',
    bytes: 8,
    read: (data, i) => rfc3339(data.getBigInt64(i * 8, true)),
  },
};

/** How to read the columns of a result, or null when one of them is of another type. */
export function formatsOf(result: duckdb.Result): readonly Format[] | null {
  const formats: Format[] = [];
  for (let column = 0; column < duckdb.column_count(result); column++) {
    const format = FORMATS[duckdb.column_type(result, column)];
    if (format === undefined) return null;
    formats.push(format);
  }
  return formats;
}

/** Adds the rows of the next chunk; false = there was none. */
export async function readChunk(
  result: duckdb.Result,
  formats: readonly Format[],
  rows: Cell[][],
): Promise<boolean> {
  const chunk = await duckdb.fetch_chunk(result);
  const size = chunk === null ? 0 : duckdb.data_chunk_get_size(chunk);
  if (chunk === null || size === 0) return false;
  const first = rows.length;
  for (let i = 0; i < size; i++) rows.push([]);
  for (const [column, { bytes, read }] of formats.entries()) {
    const vector = duckdb.data_chunk_get_vector(chunk, column);
    const data = duckdb.vector_get_data(vector, size * bytes);
    const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
    // 64 rows in 8 bytes; null = all rows have a value.
    const validity = duckdb.vector_get_validity(vector, Math.ceil(size / 64) * 8) as Uint8Array | null;
    for (let i = 0; i < size; i++) {
      const valid = validity === null || ((validity[i >> 3]! >> (i & 7)) & 1) === 1;
      rows[first + i]!.push(valid ? read(view, i) : null);
    }
  }
  return true;
}

const utf8 = new TextDecoder();

/** 4 bytes of length, then up to 12 bytes of text, or 4 of its beginning and a pointer to all of it. */
function stringAt(data: DataView, at: number): string {
  const length = data.getUint32(at, true);
  return utf8.decode(
    length <= 12
      ? new Uint8Array(data.buffer, data.byteOffset + at + 4, length)
      : duckdb.get_data_from_pointer(data.buffer as ArrayBuffer, data.byteOffset + at + 8, length),
  );
}

/** A number where it is exact, else its digits. */
export function exact(value: bigint): Cell {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : String(value);
}

export function finite(value: number): Cell {
  return Number.isFinite(value) ? value : String(value);
}

/** Microseconds since the epoch → RFC 3339 in UTC, with microseconds only where there are any. */
export function rfc3339(micros: bigint): string {
  const rest = ((micros % 1000n) + 1000n) % 1000n;
  const iso = new Date(Number((micros - rest) / 1000n)).toISOString();
  return rest === 0n ? iso : iso.replace('Z', `${String(rest).padStart(3, '0')}Z`);
}
