import { distance } from 'fastest-levenshtein';
import { LakelogError } from '../errors.js';
import type { Connected } from './duckdb/connection.js';
import { isTableRef, lower, type Node, nodes, type Parsed, parseSql } from './duckdb/parse.js';
import { isContent, publishedTables } from './tables/shipped.js';
import { TABLE_NAMES } from './tables/templates.js';

export { parseSql };

/**
 * What keeps somebody's own SQL inside (promise 6). Neither the kind of a statement nor locked settings suffice:
 * `FROM enable_profiling()` is a SELECT and writes to stdout, DROP needs no file. So the parsed statement must be
 * one SELECT over the known tables and a short list of table functions. Time and what scalar functions allocate
 * are the affair of the process around it.
 */

/** Only what makes rows of its arguments. */
const TABLE_FUNCTIONS = ['range', 'generate_series', 'unnest', 'json_each', 'json_tree'];

/** Scalar functions that write, wait, or reach for what is not the query's. */
const FORBIDDEN_FUNCTIONS = [
  ...['write_log', 'nextval', 'currval', 'setseed', 'sleep_ms'],
  ...['getvariable', 'current_setting', 'in_search_path'],
];

const TABLE_REFS = [
  ...['EMPTY', 'BASE_TABLE', 'TABLE_FUNCTION', 'SUBQUERY'],
  ...['JOIN', 'EXPRESSION_LIST', 'PIVOT'],
];

const ONE_SELECT = 'write one SELECT over the tables that `lakelog schema` prints';
const ALL_NAMES = 'lakelog schema';

/** SQL that failed, and where it came from. */
interface Source {
  readonly sql: string;
  readonly where: string;
}

/** @throws LakelogError (exit 2) unless the text is one harmless SELECT; `where` names where the SQL came from. */
export async function checkSelect(db: Connected, sql: string, where: string): Promise<void> {
  const refuse = (what: string, next = ONE_SELECT) => new LakelogError(what, { where, next });
  const parsed = JSON.parse(await parseSql(db, sql)) as Parsed;
  if (parsed.error) {
    if (parsed.error_type === 'not implemented') throw refuse('only a SELECT may run here');
    throw sqlError({ sql, where }, parsed.error_message, parsed.position);
  }
  const { statements } = parsed;
  if (statements.length === 0) throw refuse('the query is empty');
  if (statements.length > 1) throw refuse(`${statements.length} statements were given`, 'give one at a time');
  const names = commonTables(statements);
  for (const node of nodes(statements)) {
    if (node.class === 'PARAMETER') {
      throw refuse(
        'the query has a placeholder ($1, ?), which nothing fills',
        'CROSS JOIN params and give its columns with -p name=value',
      );
    }
    if (node.class === 'FUNCTION' && FORBIDDEN_FUNCTIONS.includes(lower(node.function_name))) {
      throw refuse(`the function ${node.function_name} may not run here`);
    }
    if (!isTableRef(node)) continue;
    if (!TABLE_REFS.includes(node.type)) {
      const shows = node.type === 'SHOW_REF';
      throw refuse(
        shows ? 'DESCRIBE, SHOW and SUMMARIZE do not run here' : 'only a SELECT may run here',
        `print the tables with: ${ALL_NAMES}`,
      );
    }
    if (node.type === 'TABLE_FUNCTION') {
      const name = lower((node.function as Node | undefined)?.function_name ?? '');
      if (TABLE_FUNCTIONS.includes(name)) continue;
      throw refuse(
        `the table function ${name} may not run here: queries read the loaded tables and nothing else`,
        `use the tables that \`lakelog schema\` prints, or one of ${TABLE_FUNCTIONS.join(', ')}`,
      );
    }
    if (node.type === 'BASE_TABLE') checkTable(node, names, { sql, where });
  }
}

function checkTable(node: Node, common: ReadonlySet<string>, source: Source): void {
  const { catalog_name: catalog, schema_name: schema, table_name: name, query_location: position } = node;
  const isKnown = isTable(lower(name));
  if (catalog === '' && schema === '' && (isKnown || common.has(lower(name)))) return;
  if (catalog === '' && lower(schema) === 'main' && isKnown) return;
  const qualified = [catalog, schema, name].filter((part) => part !== '').join('.');
  throw sqlError(
    source,
    `there is no table ${JSON.stringify(qualified)}`,
    position,
    nearest(lower(name), TABLE_NAMES),
  );
}

const isTable = (name: string) => (TABLE_NAMES as readonly string[]).includes(name);

/** Names that WITH clauses introduce, anywhere: a name that one scope lends another fails in DuckDB's binder. */
function commonTables(root: unknown): Set<string> {
  const maps = [...nodes(root)].map(
    ({ cte_map }) => cte_map as { map?: readonly { key?: unknown }[] } | undefined,
  );
  return new Set(maps.flatMap((one) => (one?.map ?? []).map(({ key }) => lower(key))));
}

/** What DuckDB says with `errors_as_json`, as far as it is used. */
interface EngineMessage {
  readonly exception_type?: string;
  readonly exception_message?: string;
  readonly position?: string;
  readonly error_subtype?: string;
  readonly name?: string;
}

function messageIn({ message }: Error): EngineMessage {
  try {
    return JSON.parse(message.slice(Math.max(message.indexOf('{'), 0)));
  } catch {
    return { exception_message: message };
  }
}

/** An error of the running query, pointing into its text. */
export function explainSqlError(
  error: Error,
  sql: string,
  where: string,
  showContent: boolean,
): LakelogError {
  const source = { sql, where };
  const said = messageIn(error);
  const message = (said.exception_message ?? error.message).split('\n')[0]!;
  const column =
    said.error_subtype === 'COLUMN_NOT_FOUND'
      ? said.name
      : /does not have a column named "([^"]+)"/.exec(message)?.[1];
  if (column !== undefined && isContent(column.toLowerCase()) && !showContent) {
    const next = 'load prompts, raw outputs and artifacts with --show-content';
    return sqlError(source, `${column} is content and was not loaded`, said.position, next);
  }
  if (column !== undefined) {
    const what = `there is no column ${JSON.stringify(column)}`;
    return sqlError(source, what, said.position, columnAdvice(sql, column.toLowerCase()));
  }
  if (said.exception_type === 'Out of Memory') {
    return new LakelogError(`the query needs more memory: ${message}`, {
      where,
      next: 'narrow it, or set LAKELOG_MEMORY_LIMIT to more than the 1GB it is by default, e.g. 4GB',
    });
  }
  if (said.exception_type === 'Permission') {
    const what = 'queries read the loaded tables and nothing else: no files, no network, no settings';
    return new LakelogError(what, { where, next: ONE_SELECT });
  }
  return sqlError(source, message, said.position);
}

/** `where:line:column`, and the line of the SQL with a caret under the place. */
function sqlError(
  { sql, where }: Source,
  message: string,
  position: unknown,
  next: string | null = null,
): LakelogError {
  const remedy = { next: next ?? `compare its names with: ${ALL_NAMES}` };
  const at = placeOf(sql, position);
  if (at === null) return new LakelogError(message, { where, ...remedy });
  return new LakelogError(message, {
    where: `${where}:${at.line}:${at.column}`,
    detail: at.excerpt,
    ...remedy,
  });
}

const EXCERPT = 76;

/** DuckDB counts bytes; 2^64-1 stands for "nowhere". */
function placeOf(sql: string, position: unknown) {
  const offset = Number(position ?? Number.NaN);
  const bytes = Buffer.from(sql);
  if (!Number.isInteger(offset) || offset < 0 || offset > bytes.length) return null;
  const before = bytes.subarray(0, offset).toString().split('\n');
  const column = before.at(-1)!.length;
  const text = sql.split('\n')[before.length - 1]!.replaceAll('\t', ' ');
  const from = Math.max(0, Math.min(column - EXCERPT / 2, text.length - EXCERPT));
  const excerpt = `${text.slice(from, from + EXCERPT)}\n${' '.repeat(column - from)}^`;
  return { line: before.length, column: column + 1, excerpt };
}

/** The nearest column of the tables that the SQL names, else the table that the column is of. */
function columnAdvice(sql: string, column: string): string | null {
  const words = new Set(sql.toLowerCase().split(/[^\p{L}\p{N}_]+/u));
  const tables = publishedTables();
  const named = tables.filter(({ name }) => words.has(name));
  const columns = (named.length > 0 ? named : tables).flatMap((table) =>
    table.columns.map(({ name }) => name),
  );
  const home = tables.find((table) => table.columns.some(({ name }) => name === column));
  return (
    nearest(column, columns) ??
    (home ? `${column} is a column of ${home.name}; print all with: ${ALL_NAMES}` : null)
  );
}

/** The candidate closest to a misspelt name, if any is close. */
function nearest(wanted: string, candidates: readonly string[]): string | null {
  let best: string | null = null;
  let least = Math.max(2, Math.floor(wanted.length / 3)) + 1;
  for (const candidate of candidates) {
    const edits = candidate === wanted ? Number.POSITIVE_INFINITY : distance(wanted, candidate);
    if (edits < least) [best, least] = [candidate, edits];
  }
  return best === null ? null : `did you mean ${best}? (all names: ${ALL_NAMES})`;
}
