import { LakelogError } from '../errors.js';
import type { Database } from './duckdb/connection.js';
import { quote } from './duckdb/sql.js';
import { isTableRef, lower, type Node, nodes, type Parsed } from './tables/parse.js';
import { isContent } from './tables/shipped.js';
import { TABLE_NAMES } from './tables/templates.js';

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

export const ONE_SELECT = 'write one SELECT over the tables that `lakelog schema` prints';

/** What is known of SQL that the engine refuses. */
export interface FaultParts {
  /** Where its text is wrong, in bytes; 2^64-1 stands for "nowhere". */
  readonly position: unknown;
  /** What it names and there is not. */
  readonly table?: string | undefined;
  readonly column?: string | undefined;
  /** There would be such a column with --show-content. */
  readonly isContent?: boolean;
  /** DuckDB's own name of the failure. */
  readonly type?: string | undefined;
}

/** SQL that the engine refuses, and why. */
export class SqlFault extends Error {
  readonly sql: string;
  /** Where the SQL came from. */
  readonly where: string;
  readonly parts: FaultParts;

  constructor(message: string, sql: string, where: string, parts: FaultParts) {
    super(message);
    this.sql = sql;
    this.where = where;
    this.parts = parts;
  }
}

/** @throws LakelogError (exit 2) or SqlFault unless the text is one harmless SELECT; `where` names where the SQL came from. */
export async function checkSelect(db: Database, sql: string, where: string): Promise<void> {
  const refuse = (what: string, next = ONE_SELECT) => new LakelogError(what, { where, next });
  const parsed = JSON.parse(await parseSql(db, sql)) as Parsed;
  if (parsed.error) {
    if (parsed.error_type === 'not implemented') throw refuse('only a SELECT may run here');
    throw new SqlFault(parsed.error_message, sql, where, { position: parsed.position });
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
        'print the tables with: lakelog schema',
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
    if (node.type === 'BASE_TABLE' && !isAllowed(node, names)) {
      const { catalog_name, schema_name, table_name, query_location: position } = node;
      const name = [catalog_name, schema_name, table_name].filter((part) => part !== '').join('.');
      const what = `there is no table ${JSON.stringify(name)}`;
      throw new SqlFault(what, sql, where, { position, table: lower(table_name) });
    }
  }
}

/** The engine's own parse of SQL, or why it has none, as JSON. */
export async function parseSql(db: Database, sql: string): Promise<string> {
  const { cells } = await db.rows(`SELECT json_serialize_sql(${quote(sql)})`);
  return cells[0]![0] as string;
}

/** A published table, or one that a WITH clause makes. */
function isAllowed(node: Node, common: ReadonlySet<string>): boolean {
  const [catalog, schema, name] = [node.catalog_name, node.schema_name, node.table_name].map(lower);
  const isKnown = TABLE_NAMES.some((table) => table === name);
  return catalog === '' && (schema === '' ? isKnown || common.has(name!) : schema === 'main' && isKnown);
}

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

/** An error of the running query, in parts. */
export function explainSqlError(error: Error, sql: string, where: string, showContent: boolean): SqlFault {
  const said = messageIn(error);
  const message = (said.exception_message ?? error.message).split('\n')[0]!;
  const column =
    said.error_subtype === 'COLUMN_NOT_FOUND'
      ? said.name
      : /does not have a column named "([^"]+)"/.exec(message)?.[1];
  return new SqlFault(message, sql, where, {
    position: said.position,
    column,
    isContent: column !== undefined && isContent(column.toLowerCase()) && !showContent,
    type: said.exception_type,
  });
}
