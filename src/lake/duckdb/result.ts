import duckdb from '@duckdb/node-bindings';
import type { Cell } from '../../schema/result.js';

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

/** A number where it is exact, else its digits. */
export function exact(value: bigint): Cell {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : String(value);
}

export function finite(value: number): Cell {
  return Number.isFinite(value) ? value : String(value);
}

const DAY_MS = 86_400_000;
/** The largest offset that RFC 3339 has. */
const FAR_MS = DAY_MS - 60_000;
const FIRST = Date.parse('0000-01-01T00:00:00Z');
const LAST = Date.parse('9999-12-31T23:59:59.999Z');

/**
 * Microseconds since the epoch → RFC 3339 in UTC, with microseconds only where there are any. RFC 3339 writes four
 * digits of a year, so what an offset carried beyond them keeps the largest one.
 */
export function rfc3339(micros: bigint): string {
  const rest = ((micros % 1000n) + 1000n) % 1000n;
  const ms = Number((micros - rest) / 1000n);
  const [shift, zone] = ms > LAST ? [-FAR_MS, '-23:59'] : ms < FIRST ? [FAR_MS, '+23:59'] : [0, 'Z'];
  const iso = new Date(ms + shift).toISOString().slice(0, -1);
  return `${iso}${rest === 0n ? '' : String(rest).padStart(3, '0')}${zone}`;
}
