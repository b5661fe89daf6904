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

/** A result that arrives in blocks. */
export interface Blocks {
  readonly names: readonly string[];
  /** As DuckDB names them, e.g. `VARCHAR`, `BIGINT`, `TIMESTAMP WITH TIME ZONE`, `JSON`. */
  readonly types: readonly string[];
  readonly blocks: AsyncIterable<Block>;
}
