import type { Cell } from './result.js';

/**
 * Some rows of a result, by columns, as the engine has them: formats of many rows are made of these without a value
 * in between.
 */
export interface Block {
  readonly rows: number;
  readonly columns: readonly BlockColumn[];
}

export type BlockColumn =
  /** UTF-8 within `bytes`; a length below 0 stands for NULL. Instants too, as RFC 3339 in UTC. */
  | {
      readonly of: 'texts';
      readonly bytes: Uint8Array;
      readonly starts: Uint32Array;
      readonly lengths: Int32Array;
    }
  | { readonly of: 'integers'; readonly values: BigInt64Array; readonly valid: Valid }
  | { readonly of: 'booleans'; readonly values: Uint8Array; readonly valid: Valid }
  /** Whatever else. */
  | { readonly of: 'cells'; readonly cells: readonly Cell[] };

/** A bit for each row, the lowest first; null = every row has a value. */
export type Valid = Uint8Array | null;

export const hasValue = (valid: Valid, row: number): boolean =>
  valid === null || ((valid[row >> 3]! >> (row & 7)) & 1) === 1;

/** The same of some of the rows. */
export function validIn(valid: Valid, from: number, to: number): Valid {
  if (valid === null || from === 0) return valid;
  const bits = new Uint8Array(Math.ceil((to - from) / 8));
  for (let row = from; row < to; row++)
    if (hasValue(valid, row)) bits[(row - from) >> 3]! |= 1 << ((row - from) & 7);
  return bits;
}

/** A result that arrives in blocks. */
export interface Blocks {
  readonly names: readonly string[];
  /** As DuckDB names them, e.g. `VARCHAR`, `BIGINT`, `TIMESTAMP WITH TIME ZONE`, `JSON`. */
  readonly types: readonly string[];
  readonly blocks: AsyncIterable<Block>;
}

/** The rows of a block, as JSON can hold them. */
export function rowsOf({ rows, columns }: Block): Cell[][] {
  return Array.from({ length: rows }, (_, row) => columns.map((column) => cellOf(column, row)));
}

function cellOf(column: BlockColumn, row: number): Cell {
  if (column.of === 'cells') return column.cells[row]!;
  if (column.of === 'texts') {
    const [start, length] = [column.starts[row]!, column.lengths[row]!];
    return length < 0 ? null : utf8.decode(column.bytes.subarray(start, start + length));
  }
  if (!hasValue(column.valid, row)) return null;
  if (column.of === 'booleans') return column.values[row] !== 0;
  return exact(column.values[row]!);
}

/** Byte for byte: a text that begins with U+FEFF keeps it, or SQL and rules would judge different texts. */
const utf8 = new TextDecoder('utf-8', { ignoreBOM: true });

/** A number where it is exact, else its digits. */
export function exact(value: bigint): Cell {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : String(value);
}

export function finite(value: number): Cell {
  return Number.isFinite(value) ? value : String(value);
}
