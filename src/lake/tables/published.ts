import { readFileSync } from 'node:fs';
import { artifact } from '../../artifact.js';
import type { SqlType } from '../../scan/columns.js';

/** The fixed surface: every query, ours or a user's, sees exactly these tables. */
export const TABLE_NAMES = [
  ...['sessions', 'attempts', 'attempt_reasons', 'replay_runs', 'replay_documents'],
  ...['session_replays', 'traces', 'rejects', 'files', 'params'],
] as const;

/** Some of the SELECT that makes a table, its slots still open. */
export interface Piece {
  readonly sql: string;
  /** `calls.kind`: columns of base tables; `calls.selected` is what the filters read of calls. */
  readonly reads: readonly string[];
  /** It joins this base table, and changes nothing where no other piece reads of it. */
  readonly lookup?: string;
}

/** A published table, from its file in `queries/tables/`. */
export interface Table {
  readonly name: string;
  readonly note: string;
  readonly columns: readonly TableColumn[];
  /** FROM and all behind it. */
  readonly from: readonly Piece[];
}

export interface TableColumn extends Piece {
  readonly name: string;
  readonly type: SqlType;
  readonly note: string;
  /** Exists only with --show-content. */
  readonly content: boolean;
}

let tables: readonly Table[] | undefined;

/** In the order of TABLE_NAMES, as the build took them apart (src/shipped-tables.ts). */
export function publishedTables(): readonly Table[] {
  tables ??= JSON.parse(readFileSync(artifact('tables.json'), 'utf8')) as Table[];
  return tables;
}

export const isContent = (column: string): boolean =>
  publishedTables().some(({ columns }) => columns.some(({ name, content }) => content && name === column));
