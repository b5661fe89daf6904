import duckdb from '@duckdb/node-bindings';
import {
  BLOCK_ROWS,
  type CellType,
  INLINE,
  type Layout,
  type RowBlock,
  type ScanColumn,
} from '../../scan/columns.js';

/** DuckDB's numbers of the types of cells. */
const TYPE: Readonly<Record<CellType, number>> = {
  BOOLEAN: 1,
  BIGINT: 5,
  DOUBLE: 11,
  HUGEINT: 16,
  VARCHAR: 17,
  TIMESTAMPTZ: 31,
};
const BLOB = 18;

/**
 * Puts scanned rows into base_calls and base_runs without a look at their values: cells are copied as they are. Long
 * texts go into DuckDB's memory as one blob per block, and their cells point into it (the public layout of
 * `duckdb_string_t`) until the table has copied them.
 */
export function blockAppender(connection: duckdb.Connection, catalog: string | null, layout: Layout) {
  const texts = duckdb.create_data_chunk([duckdb.create_logical_type(BLOB)]);
  const stored = layout.columns.map((columns) => columns.filter(({ passing }) => !passing));
  const tables = stored.map((columns, kind) => ({
    columns,
    kind: kind as 0 | 1,
    appender: duckdb.appender_create_ext(
      connection,
      catalog,
      'main',
      kind === 0 ? 'base_calls' : 'base_runs',
    ),
    chunk: duckdb.create_data_chunk(columns.map(({ type }) => duckdb.create_logical_type(TYPE[type]))),
    line: columns.find(({ name }) => name === 'line'),
  }));
  return {
    /** @param lineBase lines of the file before the first of the block. */
    add(block: RowBlock, lineBase: number): void {
      const { buffer } = block;
      const address = block.arenaBytes > INLINE ? placeTexts(texts, block) : null;
      for (const { columns, kind, appender, chunk, line } of tables) {
        const rows = block.rows[kind];
        if (rows === 0) continue;
        if (line && lineBase > 0)
          shiftLines(new Uint32Array(buffer, block.cells + line.cells, 2 * rows), lineBase);
        if (address !== null) pointTexts(block, rows, columns, address);
        duckdb.data_chunk_reset(chunk);
        for (const [i, { bytes, cells, validity }] of columns.entries()) {
          const vector = duckdb.data_chunk_get_vector(chunk, i);
          duckdb.copy_data_to_vector(vector, 0, buffer, block.cells + cells, rows * bytes);
          duckdb.vector_ensure_validity_writable(vector);
          duckdb.copy_data_to_vector_validity(vector, 0, buffer, block.cells + validity, BLOCK_ROWS / 8);
        }
        duckdb.data_chunk_set_size(chunk, rows);
        duckdb.append_data_chunk(appender, chunk);
      }
    },
    /** All rows are in the tables. */
    close(): void {
      for (const { appender } of tables) duckdb.appender_close_sync(appender);
    },
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
    if (column.type !== 'VARCHAR') continue;
    const words = new Uint32Array(buffer, cells + column.cells, 4 * rows);
    for (let i = 0; i < words.length; i += 4) {
      if (words[i]! <= INLINE) continue;
      const sum = words[i + 2]! + low;
      words[i + 2] = sum;
      words[i + 3] = sum > 0xffffffff ? high + 1 : high;
    }
  }
}

/** Fills a table of whole numbers, texts, booleans and instants with rows that stand in no log. */
export function rowAppender(connection: duckdb.Connection, catalog: string | null, table: string) {
  const appender = duckdb.appender_create_ext(connection, catalog, 'main', table);
  return {
    /** Cells in the order of the columns; an instant is a text, and no text holds U+0000, which would end it. */
    add(cells: readonly (string | number | boolean | null)[]): void {
      for (const cell of cells) {
        if (cell === null) duckdb.append_null(appender);
        else if (typeof cell === 'string') duckdb.append_varchar(appender, cell);
        else if (typeof cell === 'boolean') duckdb.append_bool(appender, cell);
        else duckdb.append_int64(appender, BigInt(cell));
      }
      duckdb.appender_end_row(appender);
    },
    /** All rows are in the table. */
    close: () => duckdb.appender_close_sync(appender),
  };
}
