import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { artifact } from '../../scan/artifact.js';
import { TABLE_NAMES, type Template, templatesIn } from './templates.js';

/** What the package holds of SQL, each file read when it is first asked for: most runs need few. */
export const shippedTemplates = templatesIn(fileURLToPath(artifact('../queries/tables')));

export const publishedTables = (): readonly Template[] => TABLE_NAMES.map(shippedTemplates);

export const isContent = (column: string): boolean =>
  publishedTables().some(({ columns }) => columns.some(({ name, content }) => content && name === column));

/** Published tables and columns that SQL reads. Names that are too many cost time, never truth. */
export interface Needs {
  readonly tables: readonly string[];
  readonly columns: readonly string[] | 'all';
}

/** By the SHA-256 of the SQL. */
export type NeedsTable = Readonly<Record<string, Needs>>;

let needs: NeedsTable | undefined;

/** Needs of the questions that ship, found when the package was built. */
export function shippedNeeds(): NeedsTable {
  needs ??= JSON.parse(readFileSync(artifact('needs.json'), 'utf8')) as NeedsTable;
  return needs;
}
