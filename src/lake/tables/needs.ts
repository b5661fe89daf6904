import { createHash } from 'node:crypto';
import { TABLES, type TableInfo } from './published.js';

/** Published tables and columns that SQL reads. Names that are too many cost time, never truth. */
export interface Needs {
  readonly tables: ReadonlySet<string>;
  readonly columns: ReadonlySet<string> | 'all';
}

/** The engine's own parse: what `json_serialize_sql` says of the SQL. */
export type Parse = (sql: string) => Promise<string>;

/** Needs as JSON, by the SHA-256 of their SQL. */
export type NeedsTable = Readonly<
  Record<string, { tables: readonly string[]; columns: readonly string[] | 'all' }>
>;

const TABLE_NAMES = new Set(TABLES.map(({ name }) => name));
const COLUMN_NAMES = new Set(TABLES.flatMap(({ columns }) => columns.map(({ name }) => name)));
const EVERYTHING: Needs = { tables: TABLE_NAMES, columns: 'all' };

/** @param serialized of one or several SELECTs; what the engine could not serialize may read anything. */
export function namesIn(serialized: string): Needs {
  const parsed = JSON.parse(serialized) as { error: boolean; statements?: unknown };
  if (parsed.error) return EVERYTHING;
  const found: Found = {
    tables: new Set(),
    names: new Set(),
    sources: new Set(),
    values: new Set(),
    all: false,
  };
  collect(parsed.statements, found);
  if (found.tables.has(ANY_TABLE)) return EVERYTHING;
  const tables = intersection(found.tables, TABLE_NAMES);
  // A source's name where a value stands means its whole rows.
  const rows = intersection(found.values, found.sources).size > 0;
  return { tables, columns: found.all || rows ? 'all' : intersection(found.names, COLUMN_NAMES) };
}

interface Found {
  readonly tables: Set<string>;
  /** Every text in the parse: names of columns stand in many places, and an alias that is like one is no matter. */
  readonly names: Set<string>;
  /** Tables, their aliases, and those of subqueries and WITH clauses. */
  readonly sources: Set<string>;
  /** Last parts of column references, and what functions are called on. */
  readonly values: Set<string>;
  all: boolean;
}

interface Node {
  readonly [key: string]: unknown;
}

/** Functions that read tables whose names nobody can see. */
const ANY_TABLE = '?';

function collect(value: unknown, found: Found): void {
  if (typeof value === 'string') found.names.add(value.toLowerCase());
  if (typeof value !== 'object' || value === null) return;
  if (!Array.isArray(value)) note(value as Node, found);
  for (const part of Object.values(value)) collect(part, found);
}

function note(node: Node, found: Found): void {
  const lower = (text: unknown) => String(text).toLowerCase();
  // `#1` is the first column, whatever its name.
  if (node.class === 'STAR' || node.class === 'POSITIONAL_REFERENCE') found.all = true;
  if (node.class === 'COLUMN_REF') found.values.add(lower((node.column_names as string[]).at(-1)));
  if ('function_name' in node) {
    // `s.to_json()`: the parse takes s for the function's schema.
    found.values.add(lower(node.schema));
    if (/^query(_table)?$/i.test(String(node.function_name))) found.tables.add(ANY_TABLE);
  }
  // Only what stands in a FROM has both.
  if ('sample' in node && 'alias' in node) noteSource(node, found, lower);
}

function noteSource(node: Node, found: Found, lower: (text: unknown) => string): void {
  if (node.alias !== '') found.sources.add(lower(node.alias));
  if (node.type === 'BASE_TABLE') {
    found.tables.add(lower(node.table_name));
    found.sources.add(lower(node.table_name));
    // `sessions AS s(a, b)` calls columns by their position.
    if ((node.column_name_alias as string[]).length > 0) found.all = true;
  }
  if (node.type === 'PIVOT' || node.type === 'SHOW_REF') found.all = true;
  if (node.ref_type === 'NATURAL' || node.ref_type === 'POSITIONAL') found.all = true;
}

const intersection = (names: ReadonlySet<string>, known: ReadonlySet<string>) =>
  new Set([...names].filter((name) => known.has(name)));

export function wants({ columns }: Needs, name: string): boolean {
  return columns === 'all' || columns.has(name);
}

export function mergeNeeds(several: readonly Needs[]): Needs {
  const all = several.some(({ columns }) => columns === 'all');
  return {
    tables: new Set(several.flatMap(({ tables }) => [...tables])),
    columns: all ? 'all' : new Set(several.flatMap(({ columns }) => [...columns])),
  };
}

/** What all the SQL together reads: from the table where it is known, else from the engine. */
export async function needsOf(sql: readonly string[], parse: Parse, known: NeedsTable = {}): Promise<Needs> {
  const needs = sql.map(async (one) => {
    const entry = known[keyOf(one)];
    if (entry === undefined) return namesIn(await parse(one));
    return {
      tables: new Set(entry.tables),
      columns: entry.columns === 'all' ? 'all' : new Set(entry.columns),
    } as Needs;
  });
  return mergeNeeds(await Promise.all(needs));
}

/** Of SQL that is known when lakelog is built. */
export async function needsTable(sql: readonly string[], parse: Parse): Promise<NeedsTable> {
  const entries = sql.map(async (one) => {
    const { tables, columns } = namesIn(await parse(one));
    return [keyOf(one), { tables: [...tables], columns: columns === 'all' ? 'all' : [...columns] }] as const;
  });
  return Object.fromEntries(await Promise.all(entries));
}

const keyOf = (sql: string) => createHash('sha256').update(sql).digest('hex');

/** The columns that a table shows to who has these needs. Content that was not asked for does not exist. */
export function visibleColumns(table: TableInfo, needs: Needs, showContent: boolean): string[] {
  return table.columns
    .filter(({ name, content }) => (showContent || !content) && wants(needs, name))
    .map(({ name }) => name);
}
