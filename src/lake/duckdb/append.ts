import duckdb from '@duckdb/node-bindings';
import { BLOCK_ROWS, type CellType, type ScanColumn } from '../../scan/columns.js';
import type { RowBlock } from '../../scan/scanner.js';

/** DuckDB's numbers of the types of cells. */
const TYPE: Readonly<Record<CellType, number>> = {
  boolean: 1,
  bigint: 5,
  double: 11,
  hash: 16,
  text: 17,
  instant: 31,
};
const BLOB = 18;
/** A text of more bytes is a pointer. */
const INLINE = 12;

export interface BlockAppender {
  /** @param lineBase lines of the file before the first of the block. */
  add(block: RowBlock, lineBase: number): void;
  /** All rows are in the table. */
  close(): void;
}

/**
 * Puts scanned rows into a table without a look at their values: cells are copied as they are. Long texts go into
 * DuckDB's memory as one blob per block, and their cells point into it (the public layout of `duckdb_string_t`)
 * until the table has copied them; `selfTestTexts` tries that before anything is believed.
 *
 * @param kind which rows of a block: 0 calls, 1 replay runs.
 */
export function blockAppender(
  connection: duckdb.Connection,
  catalog: string | null,
  table: string,
  kind: 0 | 1,
  all: readonly ScanColumn[],
): BlockAppender {
  const appender = duckdb.appender_create_ext(connection, catalog, 'main', table);
  // Where the host's hashes were to go is no affair of the table.
  const columns = all.filter(({ name }) => name !== 'place');
  const chunk = duckdb.create_data_chunk(columns.map(({ type }) => duckdb.create_logical_type(TYPE[type])));
  const texts = duckdb.create_data_chunk([duckdb.create_logical_type(BLOB)]);
  const line = columns.find(({ name }) => name === 'line');
  return {
    add(block, lineBase) {
      const { buffer } = block;
      const rows = block.rows[kind];
      if (rows === 0) return;
      if (line && lineBase > 0)
        shiftLines(new Uint32Array(buffer, block.cells + line.cells, 2 * rows), lineBase);
      if (block.arenaBytes > INLINE) pointTexts(block, rows, columns, placeTexts(texts, block));
      duckdb.data_chunk_reset(chunk);
      for (const [i, { bytes, cells, validity }] of columns.entries()) {
        const vector = duckdb.data_chunk_get_vector(chunk, i);
        duckdb.copy_data_to_vector(vector, 0, buffer, block.cells + cells, rows * bytes);
        duckdb.vector_ensure_validity_writable(vector);
        duckdb.copy_data_to_vector_validity(vector, 0, buffer, block.cells + validity, BLOCK_ROWS / 8);
      }
      duckdb.data_chunk_set_size(chunk, rows);
      duckdb.append_data_chunk(appender, chunk);
    },
    close: () => duckdb.appender_close_sync(appender),
  };
}

/** The low halves are enough for a file of four billion lines. */
function shiftLines(lines: Uint32Array, by: number): void {
  for (let i = 0; i < lines.length; i += 2) lines[i]! += by;
}

/** @returns where the texts stand by now: the low and the high half of the address. */
function placeTexts(texts: duckdb.DataChunk, { buffer, arena, arenaBytes }: RowBlock): [number, number] {
  duckdb.data_chunk_reset(texts);
  const vector = duckdb.data_chunk_get_vector(texts, 0);
  duckdb.vector_assign_string_element_len(vector, 0, new Uint8Array(buffer, arena, arenaBytes));
  const cell = duckdb.vector_get_data(vector, 16);
  const view = new DataView(cell.buffer, cell.byteOffset, 16);
  return [view.getUint32(8, true), view.getUint32(12, true)];
}

/** Cells of long texts hold their place among the texts; from here on, their address. */
function pointTexts(
  { buffer, cells }: RowBlock,
  rows: number,
  columns: readonly ScanColumn[],
  [low, high]: [number, number],
): void {
  for (const column of columns) {
    if (column.type !== 'text') continue;
    const words = new Uint32Array(buffer, cells + column.cells, 4 * rows);
    for (let i = 0; i < words.length; i += 4) {
      if (words[i]! <= INLINE) continue;
      const sum = words[i + 2]! + low;
      words[i + 2] = sum;
      words[i + 3] = sum > 0xffffffff ? high + 1 : high;
    }
  }
}

/** Fills a table of BIGINT, VARCHAR and TIMESTAMPTZ columns with rows that stand in no log. Instants are microseconds. */
export function appendRows(
  connection: duckdb.Connection,
  catalog: string | null,
  table: string,
  rows: readonly (readonly (string | number | bigint | null)[])[],
): void {
  const appender = duckdb.appender_create_ext(connection, catalog, 'main', table);
  const width = duckdb.appender_column_count(appender);
  const types = Array.from({ length: width }, (_, i) => duckdb.appender_column_type(appender, i));
  const chunk = duckdb.create_data_chunk(types);
  for (let from = 0; from < rows.length; from += BLOCK_ROWS) {
    const some = rows.slice(from, from + BLOCK_ROWS);
    duckdb.data_chunk_reset(chunk);
    for (let i = 0; i < width; i++) {
      const vector = duckdb.data_chunk_get_vector(chunk, i);
      const numbers = new BigInt64Array(some.length);
      const valid = new Uint8Array(BLOCK_ROWS / 8);
      for (const [row, cells] of some.entries()) {
        const cell = cells[i];
        if (cell === null || cell === undefined) continue;
        valid[row >> 3]! |= 1 << (row & 7);
        if (typeof cell !== 'string') numbers[row] = BigInt(cell);
        // Not by a C string, which U+0000 would end.
        else duckdb.vector_assign_string_element_len(vector, row, Buffer.from(cell));
      }
      const isText = duckdb.get_type_id(types[i]!) === TYPE.text;
      if (!isText) duckdb.copy_data_to_vector(vector, 0, numbers.buffer, 0, numbers.byteLength);
      duckdb.vector_ensure_validity_writable(vector);
      duckdb.copy_data_to_vector_validity(vector, 0, valid.buffer, 0, valid.length);
    }
    duckdb.data_chunk_set_size(chunk, some.length);
    duckdb.append_data_chunk(appender, chunk);
  }
  duckdb.appender_close_sync(appender);
}
