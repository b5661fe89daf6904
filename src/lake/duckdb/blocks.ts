import duckdb from '@duckdb/node-bindings';
import { rfc3339, writeInstant } from '../../instant.js';
import { INLINE } from '../../scan/columns.js';
import {
  type Block,
  type BlockColumn,
  type Blocks,
  exact,
  finite,
  hasValue,
  type Valid,
  validIn,
} from '../../schema/block.js';
import type { Cell } from '../../schema/result.js';

/** The name of a type as SQL has it, the bytes of a value, and what the values of a block are read to. */
type Format = readonly [
  name: string,
  bytes: number,
  read: (data: Uint8Array, valid: Valid, rows: number) => BlockColumn,
];

/**
 * The types of nearly every answer, by DuckDB's number of the type, read from the native binding's own memory. The
 * rest is left to @duckdb/node-api: loading that package takes longer than most commands take to answer.
 */
const FORMATS: Readonly<Record<number, Format>> = {
  1: ['BOOLEAN', duckdb.sizeof_bool, (values, valid) => ({ of: 'booleans', values, valid })],
  4: ['INTEGER', 4, cellsBy(4, (data, at) => data.getInt32(at, true))],
  5: ['BIGINT', 8, (data, valid) => ({ of: 'integers', values: longs(data), valid })],
  11: ['DOUBLE', 8, cellsBy(8, (data, at) => finite(data.getFloat64(at, true)))],
  16: [
    'HUGEINT',
    16,
    cellsBy(16, (data, at) => exact((data.getBigInt64(at + 8, true) << 64n) + data.getBigUint64(at, true))),
  ],
  17: ['VARCHAR', 16, textsOf],
  31: ['TIMESTAMP WITH TIME ZONE', 8, instantsOf],
};

/** Of a streamed result hardly more than one block is ever held. */
export async function readBlocks(result: duckdb.Result): Promise<Blocks> {
  const columns = Array.from({ length: duckdb.column_count(result) }, (_, i) => i);
  const names = columns.map((i) => duckdb.column_name(result, i));
  const formats = columns.flatMap((i) => {
    const format = FORMATS[duckdb.column_type(result, i)];
    return format ? [format] : [];
  });
  if (formats.length < columns.length) {
    const { readAnyBlocks } = await import('./any-result.js');
    return { names, ...readAnyBlocks(result) };
  }
  // JSON is a VARCHAR by another name.
  const types = formats.map(
    ([name], i) => duckdb.logical_type_get_alias(duckdb.column_logical_type(result, i)) ?? name,
  );
  return { names, types, blocks: blocksOf(result, formats) };
}

async function* blocksOf(result: duckdb.Result, formats: readonly Format[]): AsyncGenerator<Block> {
  for (;;) {
    const chunk = await duckdb.fetch_chunk(result);
    const rows = chunk === null ? 0 : duckdb.data_chunk_get_size(chunk);
    if (chunk === null || rows === 0) return;
    const columns = formats.map(([name, bytes, read], i) => {
      const vector = duckdb.data_chunk_get_vector(chunk, i);
      // 64 rows in 8 bytes; null = all rows have a value.
      const valid = duckdb.vector_get_validity(vector, Math.ceil(rows / 64) * 8) as Valid;
      return {
        isText: name === 'VARCHAR',
        bytes,
        read,
        data: duckdb.vector_get_data(vector, rows * bytes),
        valid,
      };
    });
    const texts = columns.filter(({ isText }) => isText);
    for (let from = 0, to = 0; from < rows; from = to) {
      for (let bytes = 0; to < rows && (to === from || bytes < MOST_TEXT); to++)
        for (const { data, valid } of texts) if (hasValue(valid, to)) bytes += lengthOf(data, to);
      yield {
        rows: to - from,
        columns: columns.map(({ bytes, read, data, valid }) =>
          read(data.subarray(from * bytes, to * bytes), validIn(valid, from, to), to - from),
        ),
      };
    }
  }
}

/** Longer texts in all are handed over in several blocks, each of them copied when it is its turn. */
const MOST_TEXT = 1 << 20;

/** Of the cell of a text. */
const lengthOf = (data: Uint8Array, row: number) =>
  new DataView(data.buffer, data.byteOffset).getUint32(16 * row, true);

function cellsBy(bytes: number, read: (data: DataView, at: number) => Cell): Format[2] {
  return (data, valid, rows) => {
    const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
    const cells = Array.from({ length: rows }, (_, i) => (hasValue(valid, i) ? read(view, i * bytes) : null));
    return { of: 'cells', cells };
  };
}

/** Eight bytes each, wherever they begin. */
function longs(data: Uint8Array): BigInt64Array {
  const { buffer, byteOffset, byteLength } = data.byteOffset % 8 === 0 ? data : data.slice();
  return new BigInt64Array(buffer, byteOffset, byteLength / 8);
}

/** Memory is mapped by pages of at least so many bytes. */
const PAGE = 4_096;

/** A part of the engine's memory that holds texts of several rows. */
interface Stretch {
  readonly from: number;
  readonly to: number;
  /** The row whose cell points to its beginning. */
  readonly row: number;
}

/**
 * Cells hold their length, then up to 12 bytes of text, or 4 of its beginning and a pointer to all of it. A call of
 * the binding for each text would take longer than all the rest, so texts that stand close together are fetched as one.
 */
function textsOf(data: Uint8Array, valid: Valid, rows: number): BlockColumn {
  const words = new Uint32Array(data.buffer, data.byteOffset, 4 * rows);
  const starts = new Uint32Array(rows);
  const lengths = new Int32Array(rows);
  const far: number[] = [];
  for (let i = 0; i < rows; i++) {
    const length = hasValue(valid, i) ? words[4 * i]! : -1;
    lengths[i] = length;
    starts[i] = 16 * i + 4;
    if (length > INLINE) far.push(i);
  }
  if (far.length === 0) return { of: 'texts', bytes: data, starts, lengths };
  const pointer = (i: number) => words[4 * i + 3]! * 0x1_0000_0000 + words[4 * i + 2]!;
  let stretches = stretchesOf(far, pointer, lengths);
  if (stretches.length > 16) {
    far.sort((a, b) => pointer(a) - pointer(b));
    stretches = stretchesOf(far, pointer, lengths);
  }
  const bytes = new Uint8Array(stretches.reduce((sum, { from, to }) => sum + to - from, data.length));
  bytes.set(data);
  let [at, next] = [data.length, 0];
  for (const { from, to, row } of stretches) {
    const cell = data.byteOffset + 16 * row + 8;
    bytes.set(duckdb.get_data_from_pointer(data.buffer as ArrayBuffer, cell, to - from), at);
    for (; next < far.length; next++) {
      const p = pointer(far[next]!);
      if (p < from || p + lengths[far[next]!]! > to) break;
      starts[far[next]!] = at + p - from;
    }
    at += to - from;
  }
  return { of: 'texts', bytes, starts, lengths };
}

/**
 * Never further than a page from one text to the next: what lies between them is then on the page where the one ends
 * or the other begins, so it may be read.
 */
function stretchesOf(
  rows: readonly number[],
  pointer: (row: number) => number,
  lengths: Int32Array,
): Stretch[] {
  const stretches: Stretch[] = [];
  let last: { from: number; to: number; row: number } | undefined;
  for (const row of rows) {
    const from = pointer(row);
    const to = from + lengths[row]!;
    if (last !== undefined && from >= last.from && from - last.to < PAGE) {
      last.to = Math.max(last.to, to);
    } else {
      last = { from, to, row };
      stretches.push(last);
    }
  }
  return stretches;
}

const LONGEST_INSTANT = 32;
const DAY_MICROS = 86_400_000_000;

/** As RFC 3339; the date of a day is written once and then copied. */
function instantsOf(data: Uint8Array, valid: Valid, rows: number): BlockColumn {
  const values = longs(data);
  const bytes = new Uint8Array(LONGEST_INSTANT * rows);
  const starts = new Uint32Array(rows);
  const lengths = new Int32Array(rows).fill(-1);
  let [day, date] = [Number.NaN, ''];
  for (let i = 0; i < rows; i++) {
    starts[i] = LONGEST_INSTANT * i;
    if (!hasValue(valid, i)) continue;
    const micros = Number(values[i]!);
    const itsDay = Math.floor(micros / DAY_MICROS);
    if (Math.abs(micros) > Number.MAX_SAFE_INTEGER) {
      lengths[i] = utf8Encoder.encodeInto(rfc3339(values[i]!), bytes.subarray(starts[i]!)).written;
      continue;
    }
    if (itsDay !== day) [day, date] = [itsDay, rfc3339(values[i]!).slice(0, 11)];
    lengths[i] = writeInstant(bytes, starts[i]!, date, micros - itsDay * DAY_MICROS);
  }
  return { of: 'texts', bytes, starts, lengths };
}

const utf8Encoder = new TextEncoder();
