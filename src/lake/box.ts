import { LakelogError } from '../errors.js';
import type { Database } from './duckdb/connection.js';
import { quote } from './duckdb/sql.js';
import { liftUnnest } from './grouped-unnest.js';
import { tokensOf } from './sql-tokens.js';
import { type Pivot, type Rewritten, rewrite } from './statement.js';
import { isTableRef, lower, type Node, nodes, type Parsed, readParse, writeParse } from './tables/parse.js';
import { TABLE_NAMES } from './tables/published.js';

/**
 * What keeps somebody's own SQL inside (promise 6). Neither the kind of a statement nor locked settings suffice:
 * `FROM enable_profiling()` is a SELECT and writes to stdout, DROP needs no file. So the parsed statement must be
 * one SELECT over the known tables and a short list of table functions, and the text that was
 * parsed is the one that runs. Time and what scalar functions allocate are the affair of the process around it.
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
  ...['JOIN', 'EXPRESSION_LIST', 'PIVOT', 'SHOW_REF'],
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
  /** Names like the one that there is not. */
  readonly candidates?: string | undefined;
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

/** A statement that only reads, and how it is put to the engine. */
export interface Checked {
  /** What runs, which is what was looked into, behind EXPLAIN where that was asked for. */
  readonly text: string;
  /** As it was given, and where it came from. */
  readonly given: string;
  readonly where: string;
  /** From a byte of `text` to the byte of what was given. */
  origin(byte: number): number;
  readonly isExplain: boolean;
  /** Names of `$name` placeholders, as they are written. */
  readonly placeholders: readonly string[];
  /** Where something is compared with NULL, which is never true, in bytes of what was given. */
  readonly comparedWithNull: readonly number[];
  /** Types that must be there before it runs, each with the SELECT that yields its values as texts. */
  readonly types: readonly Type[];
}

interface Type {
  readonly name: string;
  readonly values: CheckedSelect;
}

/** A SELECT that reads nothing but the tables. */
interface CheckedSelect {
  readonly text: string;
  readonly placeholders: readonly string[];
}

/**
 * @param where names where the SQL came from.
 * @param params what `$name` may name.
 * @throws LakelogError (exit 2) or SqlFault unless the text is one harmless SELECT, or an EXPLAIN of one.
 */
export async function checkStatement(
  db: Database,
  sql: string,
  where: string,
  params: readonly string[],
): Promise<Checked> {
  const { text, origin, parsed, prefix, pivots } = await understood(db, sql, where);
  if (parsed.statements.length === 0) throw refusal(where, 'the query is empty');
  if (parsed.statements.length > 1) {
    throw refusal(where, `${parsed.statements.length} statements were given`, 'give one at a time');
  }
  ensureHarmless(parsed.statements, { sql, where, origin });
  const placeholders = placeholdersIn(parsed, where, params);
  const types: Type[] = [];
  for (const pivot of pivots) {
    types.push({ name: pivot.type, values: await valuesOf(db, parsed, pivot, { sql, where, params }) });
  }
  return {
    text: prefix + text,
    given: sql,
    where,
    origin: (byte) => origin(Math.max(byte - prefix.length, 0)),
    isExplain: prefix !== '',
    placeholders,
    comparedWithNull: comparedWithNull(parsed.statements).map(origin),
    types: inOrder(types),
  };
}

function comparedWithNull(statements: readonly Node[]): number[] {
  const isNull = (side: unknown) => ((side as Node | undefined)?.value as Node | undefined)?.is_null === true;
  return [...nodes(statements)]
    .filter(({ class: kind, type }) => kind === 'COMPARISON' && !/DISTINCT/.test(String(type)))
    .filter(({ left, right }) => isNull(left) || isNull(right))
    .flatMap(({ query_location: place }) => (isPlace(place) ? [place] : []));
}

/** The same as a SELECT that can stand behind CREATE TABLE … AS, which takes no DESCRIBE. */
export async function asTable(db: Database, { text, where, isExplain }: Checked): Promise<string> {
  if (isExplain) throw refusal(where, 'a plan is no table', 'write it as text: -o plan.txt');
  const last = tokensOf(text).at(-1);
  const table = `FROM (${last?.text === ';' ? text.slice(0, last.from) : text}\n)`;
  const parsed = readParse(await parseSql(db, table));
  // One statement within brackets is one statement, unless the end of the text was not understood here.
  if (parsed.error || parsed.statements.length !== 1) throw refusal(where, 'only a SELECT may run here');
  ensureHarmless(parsed.statements, { sql: text, where, origin: () => Number.NaN });
  return table;
}

/** A PIVOT of what another PIVOT makes needs the type of that one first. */
function inOrder(types: readonly Type[]): Type[] {
  const first = types.find(({ values }) => !types.some(({ name }) => values.text.includes(name)));
  return first === undefined ? [...types] : [first, ...inOrder(types.filter((one) => one !== first))];
}

type Read = Extract<Parsed, { error: false }>;

const refusal = (where: string, what: string, next = ONE_SELECT) => new LakelogError(what, { where, next });

/** The engine's parse of the SQL, or of what it is when written anew. */
async function understood(
  db: Database,
  sql: string,
  where: string,
): Promise<Omit<Rewritten, 'origin'> & { parsed: Read; origin: (byte: number) => number }> {
  const parsed = readParse(await parseSql(db, sql));
  if (!parsed.error) {
    const lifted = liftUnnest(sql, parsed.statements);
    const again = lifted === null ? null : readParse(await parseSql(db, lifted.text));
    if (lifted !== null && again?.error === false)
      return { ...lifted, prefix: '', pivots: [], parsed: again };
    return { text: sql, prefix: '', pivots: [], parsed, origin: (byte) => byte };
  }
  const anew = rewrite(sql);
  const again = anew === null ? null : readParse(await parseSql(db, anew.text));
  if (anew !== null && again?.error === false) return { ...anew, parsed: again };
  if (parsed.error_type !== 'not implemented') {
    throw new SqlFault(parsed.error_message, sql, where, { position: parsed.position });
  }
  const isSelect = again?.error === true && again.error_type !== 'not implemented';
  if (isSelect && anew?.pivots.length) throw cannotPivot(where);
  if (parsed.error_message.startsWith('Mixing named and positional')) throw nameless(where);
  throw refusal(where, 'only a SELECT may run here');
}

/** @throws LakelogError (exit 2) for a placeholder that nothing fills. */
function placeholdersIn(parsed: Read, where: string, params: readonly string[]): string[] {
  const names = parsed.statements.flatMap(({ named_param_map: map }) =>
    ((map ?? []) as readonly { key: string }[]).map(({ key }) => key),
  );
  for (const name of names) {
    if (params.includes(lower(name))) continue;
    if (/^\d+$/.test(name)) throw nameless(where);
    const what = `the query has the placeholder $${name}, which nothing fills`;
    throw refusal(where, what, `give it: -p ${lower(name)}=VALUE`);
  }
  return names;
}

const nameless = (where: string) =>
  refusal(
    where,
    'the query has a placeholder without a name ($1, ?), which nothing fills',
    'write $name and give it with -p name=value',
  );

interface Source {
  readonly sql: string;
  readonly where: string;
  origin(byte: number): number;
}

/** @throws LakelogError (exit 2) or SqlFault for what reaches beyond the tables. */
function ensureHarmless(statements: readonly Node[], source: Source): void {
  const { sql, where, origin } = source;
  for (const { node, common } of scopedNodes(statements)) {
    if (node.class === 'FUNCTION' && FORBIDDEN_FUNCTIONS.includes(lower(node.function_name))) {
      throw refusal(where, `the function ${node.function_name} may not run here`);
    }
    if (!isTableRef(node)) continue;
    ensureKnownRef(node, where);
    if (node.type === 'BASE_TABLE' && !isAllowed(node, common)) {
      const { catalog_name, schema_name, table_name, query_location } = node;
      const name = [catalog_name, schema_name, table_name].filter((part) => part !== '').join('.');
      const what = `there is no table ${JSON.stringify(name)}`;
      const position = isPlace(query_location) ? origin(query_location) : query_location;
      throw new SqlFault(what, sql, where, { position, table: lower(table_name) });
    }
  }
}

export const isPlace = (position: unknown): position is number => Number.isSafeInteger(position);

function ensureKnownRef(node: Node & { type: string }, where: string): void {
  if (!TABLE_REFS.includes(node.type)) throw refusal(where, 'only a SELECT may run here', SCHEMA);
  // DESCRIBE, SUMMARIZE and SHOW of a table hold a SELECT from it, which is looked into like any other.
  if (node.type === 'SHOW_REF' && node.query === null) {
    throw refusal(where, 'SHOW and DESCRIBE run here for one table or SELECT', SCHEMA);
  }
  if (node.type !== 'TABLE_FUNCTION') return;
  const name = lower((node.function as Node | undefined)?.function_name ?? '');
  if (TABLE_FUNCTIONS.includes(name)) return;
  throw refusal(
    where,
    `the table function ${name} may not run here: queries read the loaded tables and nothing else`,
    `use the tables that \`lakelog schema\` prints, or one of ${TABLE_FUNCTIONS.join(', ')}`,
  );
}

const SCHEMA = 'print the tables with: lakelog schema';

/** The SELECT of a PIVOT's values, as texts in order, as DuckDB itself would ask for them. */
async function valuesOf(
  db: Database,
  parsed: Read,
  pivot: Pivot,
  {
    sql,
    where,
    params,
  }: { readonly sql: string; readonly where: string; readonly params: readonly string[] },
): Promise<CheckedSelect> {
  const select = await pivotedSelect(db, parsed.statements, pivot);
  if (select === null) throw cannotPivot(where);
  const statement = { ...parsed.statements[0], node: select };
  // The engine does not read all that it writes: the Infinity of 1e400.
  const { cells } = await db
    .rows(
      `SELECT json_deserialize_sql(${quote(writeParse({ error: false, statements: [statement] }))}::JSON)`,
    )
    .catch(() => {
      throw cannotPivot(where);
    });
  const text = `SELECT DISTINCT CAST(value AS VARCHAR) AS value FROM (${String(cells[0]![0]).replace(/;\s*$/, '')}
) AS pivoted(value) WHERE value IS NOT NULL ORDER BY value`;
  const again = readParse(await parseSql(db, text));
  if (again.error || again.statements.length !== 1) throw cannotPivot(where);
  ensureHarmless(again.statements, { sql, where, origin: () => Number.NaN });
  return { text, placeholders: placeholdersIn(again, where, params) };
}

/** What is pivoted, as a SELECT in the scope of the PIVOT; null for what cannot be made one. */
async function pivotedSelect(
  db: Database,
  statements: readonly Node[],
  { type, values }: Pivot,
): Promise<Node | null> {
  for (const { node, common } of scopedNodes(statements)) {
    if (node.type !== 'PIVOT') continue;
    const own = (node.pivots as readonly Node[]).find(({ pivot_enum }) => pivot_enum === type);
    if (own === undefined) continue;
    const [expression, ...more] = own.pivot_expressions as readonly Node[];
    const keys = new Set(common.map(({ key }) => lower(key)));
    const isPlain = more.length === 0 && keys.size === common.length;
    if (!isPlain || common.some(({ value }) => value === null)) return null;
    const select = readParse(await parseSql(db, values ?? 'SELECT 1'));
    if (select.error || select.statements.length !== 1) return null;
    const inner = select.statements[0]!.node as Node;
    return {
      ...inner,
      cte_map: { map: [...common, ...commonOf(inner)] },
      ...(values === null ? { select_list: [{ ...expression, alias: '' }], from_table: node.source } : {}),
    };
  }
  return null;
}

const cannotPivot = (where: string) =>
  refusal(
    where,
    'the values of this PIVOT cannot be found out',
    "name them: PIVOT sessions ON kind IN ('fill', 'email') USING COUNT(*)",
  );

/** The engine's own parse of SQL, or why it has none, as JSON. */
export async function parseSql(db: Database, sql: string): Promise<string> {
  const { cells } = await db.rows(`SELECT json_serialize_sql(${quote(sql)})`);
  return cells[0]![0] as string;
}

/** A published table, or one that a WITH clause makes. */
function isAllowed(node: Node, common: readonly Common[]): boolean {
  const [catalog, schema, name] = [node.catalog_name, node.schema_name, node.table_name].map(lower);
  if (catalog !== '') return false;
  if (schema === '' && common.some(({ key }) => lower(key) === name)) return true;
  return ['', 'main'].includes(schema!) && TABLE_NAMES.some((table) => table === name);
}

/** A name that a WITH clause introduces; null where it is the one that a recursive part calls itself by. */
interface Common {
  readonly key: string;
  readonly value: unknown;
}

/**
 * Every node, with what WITH clauses introduce where it stands: each name is seen by what is behind it, and by itself
 * only in the recursive part. Where it is not seen the engine takes the table of that name, and
 * `WITH base_calls AS (FROM base_calls) FROM base_calls` reads what is closed.
 */
function* scopedNodes(root: unknown): Generator<{ node: Node; common: readonly Common[] }> {
  const pending: { value: unknown; common: readonly Common[] }[] = [{ value: root, common: [] }];
  while (pending.length > 0) {
    const { value, common } = pending.pop()!;
    if (typeof value !== 'object' || value === null) continue;
    const node = value as Node;
    yield { node, common };
    let inner = common;
    for (const table of commonOf(node)) {
      pending.push({ value: table.value, common: inner });
      inner = [...inner, table];
    }
    const itself = { key: String(node.cte_name), value: null };
    for (const [key, child] of Object.entries(node)) {
      const isRecursive = node.type === 'RECURSIVE_CTE_NODE' && key === 'right';
      if (key !== 'cte_map') pending.push({ value: child, common: isRecursive ? [...inner, itself] : inner });
    }
  }
}

const commonOf = ({ cte_map }: Node) => (cte_map as { map?: readonly Common[] } | undefined)?.map ?? [];
