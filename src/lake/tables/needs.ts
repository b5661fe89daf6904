import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { artifact } from '../../artifact.js';
import { isTableRef, lower, type Node, nodes, readParse } from './parse.js';
import { publishedTables, TABLE_NAMES } from './published.js';

/** Published tables and columns that SQL reads. Names that are too many cost time, never truth. */
export interface Needs {
  readonly tables: readonly string[];
  readonly columns: readonly string[] | 'all';
}

/** By the SHA-256 of the SQL. */
export type NeedsTable = Readonly<Record<string, Needs>>;

/** The engine's own parse: what `json_serialize_sql` says of the SQL. */
export type Parse = (sql: string) => Promise<string>;

export const EVERYTHING: Needs = { tables: TABLE_NAMES, columns: 'all' };

/** @param serialized of one or several SELECTs; what the engine could not serialize may read anything. */
export function namesIn(serialized: string): Needs {
  const parsed = readParse(serialized);
  if (parsed.error) return EVERYTHING;
  const found = new Names();
  for (const node of nodes(parsed.statements)) found.note(node);
  if (found.anyTable) return EVERYTHING;
  const columns = publishedTables().flatMap((table) => table.columns.map(({ name }) => name));
  return {
    tables: TABLE_NAMES.filter((name) => found.tables.has(name)),
    columns: found.all || found.hasRows ? 'all' : unique(columns.filter((name) => found.texts.has(name))),
  };
}

class Names {
  readonly tables = new Set<string>();
  /** Names of columns stand in many places, and an alias that is like one is no matter. */
  readonly texts = new Set<string>();
  /** Tables, their aliases, and those of subqueries and WITH clauses. */
  private readonly sources = new Set<string>();
  /** Last parts of column references, and what functions are called on. */
  private readonly values = new Set<string>();
  /** All columns are read. */
  all = false;
  /** Tables are read whose names nobody can see. */
  anyTable = false;

  note(node: Node): void {
    for (const value of Object.values(node)) if (typeof value === 'string') this.texts.add(lower(value));
    // `#1` is the first column, whatever its name.
    if (node.class === 'STAR' || node.class === 'POSITIONAL_REFERENCE') this.all = true;
    if (node.class === 'COLUMN_REF') this.values.add(lower((node.column_names as string[]).at(-1)));
    if ('function_name' in node) {
      // `s.to_json()`: the parse takes s for the function's schema.
      this.values.add(lower(node.schema));
      if (/^query(_table)?$/i.test(String(node.function_name))) this.anyTable = true;
    }
    if (isTableRef(node)) this.noteSource(node);
  }

  private noteSource(node: Node): void {
    if (node.alias !== '') this.sources.add(lower(node.alias));
    if (node.type === 'BASE_TABLE') {
      this.tables.add(lower(node.table_name));
      this.sources.add(lower(node.table_name));
      // `sessions AS s(a, b)` calls columns by their position.
      if ((node.column_name_alias as string[]).length > 0) this.all = true;
    }
    if (node.type === 'PIVOT' || node.type === 'SHOW_REF') this.all = true;
    if (node.ref_type === 'NATURAL' || node.ref_type === 'POSITIONAL') this.all = true;
  }

  /** A source's name where a value stands means its whole rows. */
  get hasRows(): boolean {
    return [...this.values].some((name) => this.sources.has(name));
  }
}

export function wants({ columns }: Needs, name: string): boolean {
  return columns === 'all' || columns.includes(name);
}

/** What all the SQL together reads: from the table where it is known, else from the engine. */
export async function needsOf(sql: readonly string[], parse: Parse, known: NeedsTable = {}): Promise<Needs> {
  const needs = await Promise.all(sql.map(async (one) => known[keyOf(one)] ?? namesIn(await parse(one))));
  const all = needs.some(({ columns }) => columns === 'all');
  return {
    tables: unique(needs.flatMap(({ tables }) => tables)),
    columns: all ? 'all' : unique(needs.flatMap(({ columns }) => columns)),
  };
}

let shipped: NeedsTable | undefined;

/** Needs of the questions that ship, found when the package was built. */
export function shippedNeeds(): NeedsTable {
  shipped ??= JSON.parse(readFileSync(artifact('needs.json'), 'utf8')) as NeedsTable;
  return shipped;
}

/** What a NeedsTable knows SQL by. */
export const keyOf = (sql: string) => createHash('sha256').update(sql).digest('hex');
const unique = (names: readonly string[]) => [...new Set(names)];
