import { distance } from 'fastest-levenshtein';
import { LakelogError } from '../errors.js';
import type { Connected } from './duckdb/connection.js';
import { quote } from './duckdb/sql.js';
import { TABLES } from './tables/published.js';

/**
 * What keeps somebody's own SQL inside (promise 6). Neither the kind of a statement nor locked settings suffice:
 * `FROM enable_profiling()` is a SELECT and writes to stdout, DROP needs no file. So the parsed statement must be
 * one SELECT over the known tables and a short list of table functions. Time and what scalar functions allocate
 * are the affair of the process around it.
 */

/** Only what makes rows of its arguments. */
const TABLE_FUNCTIONS = new Set(['range', 'generate_series', 'unnest', 'json_each', 'json_tree']);

/** Scalar functions that write, wait, or reach for what is not the query's. */
const FORBIDDEN_FUNCTIONS = new Set([
  'write_log',
  'nextval',
  'currval',
  'setseed',
  'sleep_ms',
  'getvariable',
  'current_setting',
  'in_search_path',
]);

const TABLE_REFS = new Set([
  'EMPTY',
  'BASE_TABLE',
  'TABLE_FUNCTION',
  'SUBQUERY',
  'JOIN',
  'EXPRESSION_LIST',
  'PIVOT',
]);

const ONE_SELECT = 'write one SELECT over the tables that `lakelog schema` prints';

/** @throws LakelogError (exit 2) unless the text is one harmless SELECT; `where` names where the SQL came from. */
export async function checkSelect(db: Connected, sql: string, where: string): Promise<void> {
  const refuse = (what: string, next = ONE_SELECT) => new LakelogError(what, { where, next });
  const parsed = JSON.parse(await parseSql(db, sql)) as Serialized;
  if (parsed.error) {
    if (parsed.error_type === 'not implemented') throw refuse('only a SELECT may run here');
    throw sqlError(parsed.error_message, parsed.position, sql, where);
  }
  if (parsed.statements.length === 0) throw refuse('the query is empty');
  if (parsed.statements.length > 1) {
    throw refuse(`${parsed.statements.length} statements were given`, 'give one at a time');
  }
  const names = commonTables(parsed.statements);
  for (const node of nodes(parsed.statements)) {
    if (node.class === 'PARAMETER') {
      throw refuse(
        'the query has a placeholder ($1, ?), which nothing fills',
        'CROSS JOIN params and give its columns with -p name=value',
      );
    }
    if (node.class === 'FUNCTION' && FORBIDDEN_FUNCTIONS.has(String(node.function_name).toLowerCase())) {
      throw refuse(`the function ${node.function_name} may not run here`);
    }
    if (!isTableRef(node)) continue;
    if (!TABLE_REFS.has(node.type)) {
      throw refuse(
        node.type === 'SHOW_REF'
          ? 'DESCRIBE, SHOW and SUMMARIZE do not run here'
          : 'only a SELECT may run here',
        'print the tables with: lakelog schema',
      );
    }
    if (node.type === 'TABLE_FUNCTION') checkTableFunction(node, refuse);
    if (node.type === 'BASE_TABLE') checkTable(node, names, sql, where);
  }
}

/** The engine's own parse of SQL, or why it has none, as JSON. */
export async function parseSql(db: Connected, sql: string): Promise<string> {
  const { cells } = await db.rows(`SELECT json_serialize_sql(${quote(sql)})`);
  return cells[0]![0] as string;
}

type Refuse = (what: string, next?: string) => LakelogError;

function checkTableFunction(node: Node, refuse: Refuse): void {
  const call = node.function as Node | undefined;
  const name = String(call?.function_name ?? '').toLowerCase();
  if (TABLE_FUNCTIONS.has(name)) return;
  throw refuse(
    `the table function ${name} may not run here: queries read the loaded tables and nothing else`,
    `use the tables that \`lakelog schema\` prints, or one of ${[...TABLE_FUNCTIONS].join(', ')}`,
  );
}

function checkTable(node: Node, common: ReadonlySet<string>, sql: string, where: string): void {
  const name = String(node.table_name);
  const folded = name.toLowerCase();
  const known = TABLES.some((table) => table.name === folded);
  const unqualified = node.schema_name === '' && node.catalog_name === '';
  if (unqualified && (known || common.has(folded))) return;
  if (known && node.catalog_name === '' && String(node.schema_name).toLowerCase() === 'main') return;
  const qualified = [node.catalog_name, node.schema_name, name].filter((part) => part !== '').join('.');
  throw sqlError(`there is no table ${JSON.stringify(qualified)}`, node.query_location, sql, where, {
    table: name,
  });
}

interface Node {
  readonly [key: string]: unknown;
}

type Serialized =
  | { error: true; error_type: string; error_message: string; position?: string }
  | { error: false; statements: readonly Node[] };

function isTableRef(node: Node): node is Node & { type: string } {
  return typeof node.type === 'string' && 'sample' in node && 'alias' in node && node.class === undefined;
}

/** Every object of the parsed statement, whatever its depth. */
function* nodes(root: unknown): Generator<Node> {
  const pending: unknown[] = [root];
  while (pending.length > 0) {
    const next = pending.pop();
    if (typeof next !== 'object' || next === null) continue;
    if (!Array.isArray(next)) yield next as Node;
    pending.push(...Object.values(next));
  }
}

/** Names that WITH clauses introduce, anywhere: a name that one scope lends another fails in DuckDB's binder. */
function commonTables(root: unknown): Set<string> {
  const names = new Set<string>();
  for (const node of nodes(root)) {
    const map = (node.cte_map as { map?: readonly { key?: unknown }[] } | undefined)?.map ?? [];
    for (const { key } of map) names.add(String(key).toLowerCase());
  }
  return names;
}

/** What DuckDB says with `errors_as_json`, as far as it is used. */
interface EngineMessage {
  readonly exception_type?: string;
  readonly exception_message?: string;
  readonly position?: string;
  readonly error_subtype?: string;
  readonly type?: string;
  readonly name?: string;
}

/** An error of the running query, pointing into its text. */
export function explainSqlError(
  error: Error,
  sql: string,
  where: string,
  showContent: boolean,
): LakelogError {
  const json = error.message.slice(Math.max(error.message.indexOf('{'), 0));
  let said: EngineMessage;
  try {
    said = JSON.parse(json) as EngineMessage;
  } catch {
    said = { exception_message: error.message };
  }
  const message = (said.exception_message ?? error.message).split('\n')[0] ?? '';
  const column =
    said.error_subtype === 'COLUMN_NOT_FOUND'
      ? said.name
      : /does not have a column named "([^"]+)"/.exec(message)?.[1];
  const isContent = TABLES.some((table) =>
    table.columns.some(({ name, content }) => content === true && name === column?.toLowerCase()),
  );
  if (isContent && !showContent) {
    return sqlError(`${column} is content and was not loaded`, said.position, sql, where, {
      next: 'load prompts, raw outputs and artifacts with --show-content',
    });
  }
  if (column !== undefined)
    return sqlError(`there is no column ${JSON.stringify(column)}`, said.position, sql, where, { column });
  if (said.exception_type === 'Out of Memory') {
    return new LakelogError(`the query needs more memory: ${message}`, {
      where,
      next: 'narrow it, or set LAKELOG_MEMORY_LIMIT to more than the 1GB it is by default, e.g. 4GB',
    });
  }
  if (said.exception_type === 'Permission') {
    return new LakelogError(
      'queries read the loaded tables and nothing else: no files, no network, no settings',
      {
        where,
        next: ONE_SELECT,
      },
    );
  }
  return sqlError(message, said.position, sql, where);
}

interface Remedy {
  readonly table?: string;
  readonly column?: string;
  readonly next?: string;
}

/** `where:line:column`, the line of the SQL with a caret under the place, and the nearest name. */
export function sqlError(
  message: string,
  position: unknown,
  sql: string,
  where: string,
  remedy: Remedy = {},
): LakelogError {
  const at = placeOf(sql, position);
  const next = remedy.next ?? suggestion(sql, remedy) ?? 'compare its names with: lakelog schema';
  if (at === null) return new LakelogError(message, { where, next });
  return new LakelogError(message, { where: `${where}:${at.line}:${at.column}`, detail: at.excerpt, next });
}

interface Place {
  readonly line: number;
  readonly column: number;
  readonly excerpt: string;
}

const EXCERPT = 76;

/** DuckDB counts bytes; 2^64-1 stands for "nowhere". */
function placeOf(sql: string, position: unknown): Place | null {
  const offset = Number(position ?? Number.NaN);
  const bytes = Buffer.from(sql);
  if (!Number.isInteger(offset) || offset < 0 || offset > bytes.length) return null;
  const before = bytes.subarray(0, offset).toString();
  const line = before.split('\n').length;
  const column = before.length - (before.lastIndexOf('\n') + 1);
  const text = (sql.split('\n')[line - 1] ?? '').replaceAll('\t', ' ');
  const from = Math.max(0, Math.min(column - EXCERPT / 2, text.length - EXCERPT));
  return {
    line,
    column: column + 1,
    excerpt: `${text.slice(from, from + EXCERPT)}\n${' '.repeat(column - from)}^`,
  };
}

function suggestion(sql: string, { table, column }: Remedy): string | null {
  if (table === undefined && column === undefined) return null;
  const words = new Set(sql.toLowerCase().split(/[^\p{L}\p{N}_]+/u));
  const named = TABLES.filter(({ name }) => words.has(name));
  const candidates =
    table === undefined
      ? (named.length > 0 ? named : TABLES).flatMap(({ columns }) => columns.map(({ name }) => name))
      : TABLES.map(({ name }) => name);
  const wanted = (table ?? column ?? '').toLowerCase();
  const best = nearest(wanted, candidates);
  if (best === null) {
    if (column === undefined) return null;
    const home = TABLES.find(({ columns }) => columns.some(({ name }) => name === wanted));
    return home === undefined
      ? null
      : `${wanted} is a column of ${home.name}; print all with: lakelog schema`;
  }
  return `did you mean ${best}? (all names: lakelog schema)`;
}

/** The candidate closest to a misspelt name, if any is close. */
export function nearest(wanted: string, candidates: readonly string[]): string | null {
  let best: string | null = null;
  let least = Math.max(2, Math.floor(wanted.length / 3)) + 1;
  for (const candidate of new Set(candidates)) {
    const edits = candidate === wanted ? Number.POSITIVE_INFINITY : distance(wanted, candidate);
    if (edits < least) [best, least] = [candidate, edits];
  }
  return best;
}
