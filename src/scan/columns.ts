import type { Field, FieldType } from '../schema/fields.js';
import { FORMATS, KEYS, type Kind } from '../schema/formats.js';

/** Rows that a block holds at most: those of a DuckDB vector. */
export const BLOCK_ROWS = 2048;

/** Texts of up to so many bytes stand in their cell; in that of a longer one is where it stands, in the arena or in memory. */
export const INLINE = 12;

/** Types of cells by their SQL names, because cells are laid out as DuckDB has them; and the bytes of a cell. */
const BYTES = { VARCHAR: 16, BIGINT: 8, DOUBLE: 8, BOOLEAN: 1, TIMESTAMPTZ: 8, HUGEINT: 16 } as const;
export type CellType = keyof typeof BYTES;
/** What every engine and Parquet read alike; JSON, lists and hashes are text. */
export type SqlType = Exclude<CellType, 'HUGEINT'>;

/** A column of a block of rows. */
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
  /** It goes into no table. */
  readonly passing: boolean;
}

export interface Layout {
  /** Of calls, and of replay runs. */
  readonly columns: readonly [readonly ScanColumn[], readonly ScanColumn[]];
  /** Bytes of the cells and validity of a block. */
  readonly bytes: number;
}

/** Rows that were scanned, as DuckDB's vectors have them. Long texts hold their place in the arena, not yet an address. */
export interface RowBlock {
  readonly buffer: ArrayBuffer;
  /** Where the cells of the layout, and the texts, begin in the buffer. */
  readonly cells: number;
  readonly arena: number;
  readonly arenaBytes: number;
  /** Rows of calls, and of replay runs. */
  readonly rows: readonly [number, number];
  /** With the option `naming`: what `namingCalls` found in it. */
  readonly naming: string | null;
}

const named = (type: CellType, names: string) => names.split(' ').map((name) => ({ name, type }));
/** Columns that are no declared fields, in the order of their numbers in src/scan/wasm/rows.ts and derived.ts. */
const SOURCES = [
  ...[...named('BIGINT', 'line byte_offset batch'), ...named('HUGEINT', 'line_key')],
  ...named('VARCHAR', 'codes extra'),
  ...named('BIGINT', 'rejections longest_rejection_run longest_failure_run'),
  ...named('BOOLEAN', 'inconsistent not_judgeable answered first_shot'),
  ...[...named('BIGINT', 'document_count'), ...named('DOUBLE', 'best_score')],
  ...named('VARCHAR', 'run_reasons failure_run_reasons attempts line_sha256'),
];
const FIRST_SOURCE = 100;
/** Sources that need the letters of the attempts walked. */
const DERIVED = [106, 116] as const;

const TYPES: Partial<Record<FieldType, SqlType>> = {
  timestamp: 'TIMESTAMPTZ',
  integer: 'BIGINT',
  count: 'BIGINT',
  positive: 'BIGINT',
  number: 'DOUBLE',
  boolean: 'BOOLEAN',
};
const JSON_TEXTS: readonly FieldType[] = ['any', 'strings', 'documents'];

export const sqlTypeOf = ({ type }: Field): SqlType => TYPES[type] ?? 'VARCHAR';

function cellOf(kind: Kind, name: string): Pick<ScanColumn, 'source' | 'type' | 'way'> {
  const special = SOURCES.findIndex((source) => source.name === name);
  if (special >= 0) return { source: FIRST_SOURCE + special, type: SOURCES[special]!.type, way: 0 };
  const field = FORMATS[kind].fields.find((candidate) => candidate.name === name);
  if (!field) throw new Error(`the scanner has no column ${name}`);
  const type = sqlTypeOf(field);
  const textWay = JSON_TEXTS.includes(field.type) ? 2 : name === 'call_id' ? 1 : 0;
  return { source: KEYS.indexOf(name), type, way: type === 'BOOLEAN' ? 4 : type === 'VARCHAR' ? textWay : 3 };
}

/** Where everything stands in a block of rows of these columns. */
export function layoutOf(names: {
  readonly calls: readonly string[];
  readonly runs: readonly string[];
  /** Columns of calls that go into no table. */
  readonly passing?: readonly string[] | undefined;
}): Layout {
  let end = 0;
  const lay = (kind: Kind, name: string): ScanColumn => {
    const cell = cellOf(kind, name);
    const bytes = BYTES[cell.type];
    const passing = kind === 'sessions' && names.passing?.includes(name) === true;
    const column = { name, ...cell, bytes, cells: end, validity: end + BLOCK_ROWS * bytes, passing };
    end = column.validity + BLOCK_ROWS / 8;
    return column;
  };
  const calls = names.calls.map((name) => lay('sessions', name));
  const runs = names.runs.map((name) => lay('replay_runs', name));
  return { columns: [calls, runs], bytes: end };
}

export function isDerived({ source }: ScanColumn): boolean {
  return source >= DERIVED[0] && source <= DERIVED[1];
}
