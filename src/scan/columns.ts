import type { FieldType } from '../schema/fields.js';
import { FORMATS, KEYS, type Kind } from './formats.js';

/** Rows that a block holds at most: those of a DuckDB vector. */
export const BLOCK_ROWS = 2048;

export type CellType = 'text' | 'bigint' | 'double' | 'boolean' | 'instant' | 'hash';

/** A column of a block of rows; cells are laid out as DuckDB has them. */
export interface ScanColumn {
  readonly name: string;
  readonly type: CellType;
  /** Bytes of a cell. */
  readonly bytes: number;
  /** What the scanner fills it from: a key, or one of SOURCES. */
  readonly source: number;
  /** How the scanner writes it: 0 text, 1 text or NULL where empty, 2 JSON text, 3 eight bytes, 4 one byte. */
  readonly way: number;
  /** Where its cells and its validity begin among those of the block. */
  readonly cells: number;
  readonly validity: number;
}

const BYTES: Readonly<Record<CellType, number>> = {
  text: 16,
  bigint: 8,
  double: 8,
  boolean: 1,
  instant: 8,
  hash: 16,
};

/** Columns that are no declared fields: their number in the scanner (src/scan/wasm/rows.ts, derived.ts) and type. */
const SOURCES: Readonly<Record<string, readonly [number, CellType]>> = {
  line: [100, 'bigint'],
  byte_offset: [101, 'bigint'],
  batch: [102, 'bigint'],
  line_key: [103, 'hash'],
  codes: [104, 'text'],
  extra: [105, 'text'],
  rejections: [106, 'bigint'],
  longest_rejection_run: [107, 'bigint'],
  longest_failure_run: [108, 'bigint'],
  inconsistent: [109, 'boolean'],
  not_judgeable: [110, 'boolean'],
  answered: [111, 'boolean'],
  first_shot: [112, 'boolean'],
  document_count: [113, 'bigint'],
  best_score: [114, 'double'],
  run_reasons: [115, 'text'],
  failure_run_reasons: [116, 'text'],
  attempts: [117, 'text'],
  place: [118, 'bigint'],
  line_sha256: [119, 'text'],
};
/** Sources that need the letters of the attempts walked. */
const DERIVED = [106, 116] as const;

const TYPES: Partial<Record<FieldType, CellType>> = {
  timestamp: 'instant',
  integer: 'bigint',
  count: 'bigint',
  positive: 'bigint',
  number: 'double',
  boolean: 'boolean',
};
const JSON_TEXTS: readonly FieldType[] = ['any', 'strings', 'documents'];

function cellOf(kind: Kind, name: string): Pick<ScanColumn, 'source' | 'type' | 'way'> {
  const special = SOURCES[name];
  if (special) return { source: special[0], type: special[1], way: 0 };
  const field = FORMATS[kind].fields.find((candidate) => candidate.name === name);
  if (!field) throw new Error(`the scanner has no column ${name}`);
  const source = KEYS.indexOf(name);
  const type = TYPES[field.type] ?? 'text';
  if (type === 'boolean') return { source, type, way: 4 };
  if (type !== 'text') return { source, type, way: 3 };
  if (JSON_TEXTS.includes(field.type)) return { source, type, way: 2 };
  return { source, type, way: name === 'call_id' ? 1 : 0 };
}

/** @param at where the first column's cells begin. @returns the columns, and where what follows them begins. */
export function layOut(
  kind: Kind,
  names: readonly string[],
  at: number,
): { readonly columns: readonly ScanColumn[]; readonly end: number } {
  let end = at;
  const columns = names.map((name) => {
    const cell = cellOf(kind, name);
    const bytes = BYTES[cell.type];
    const column = { name, ...cell, bytes, cells: end, validity: end + BLOCK_ROWS * bytes };
    end = column.validity + BLOCK_ROWS / 8;
    return column;
  });
  return { columns, end };
}

export function isDerived({ source }: ScanColumn): boolean {
  return source >= DERIVED[0] && source <= DERIVED[1];
}
