import { type Checked, isPlace, SqlFault } from './box.js';
import type { Database, Params, TypedRows } from './duckdb/connection.js';
import { ident, quote } from './duckdb/sql.js';
import { tokensOf } from './sql-tokens.js';
import { isContent } from './tables/published.js';

/** Columns that a PIVOT makes: the engine's own limit. */
const MOST_PIVOTED = 100_000;
/** What a query may spill to disk. */
const BOX_TEMP = '4GB';

/** From here on the engine has its tables and nothing else. */
export async function closeDatabase(db: Database): Promise<void> {
  await db.run(`SET errors_as_json = true; SET max_temp_directory_size = '${BOX_TEMP}'`);
  await db.run('SET enable_external_access = false; SET lock_configuration = true');
}

/**
 * Somebody's own SQL over the loaded tables, at most `most` rows of it.
 * @param params values of its placeholders, by name in lower case.
 * @throws SqlFault.
 */
export async function runStatement(
  db: Database,
  checked: Checked,
  params: Params,
  most: number,
  showContent: boolean,
): Promise<TypedRows> {
  await makeTypes(db, checked, params).catch((error) => {
    // Places in our own SELECT of the values are none in what was given.
    throw explainSqlError(error, { ...checked, origin: () => Number.NaN }, showContent);
  });
  try {
    const answer = await db.rowsUpTo(checked.text, named(checked.placeholders, params), most);
    return checked.isExplain ? planOf(answer) : answer;
  } catch (error) {
    throw explainSqlError(error as Error, checked, showContent);
  }
}

async function makeTypes(db: Database, { types }: Checked, params: Params): Promise<void> {
  for (const { name, values } of types) {
    const { cells } = await db.rowsUpTo(values.text, named(values.placeholders, params), MOST_PIVOTED);
    const list = cells.map(([value]) => quote(String(value))).join(', ');
    await db.run(`CREATE TYPE main.${ident(name)} AS ENUM (SELECT UNNEST(CAST([${list}] AS VARCHAR[])))`);
  }
}

const named = (placeholders: readonly string[], params: Params): Params =>
  Object.fromEntries(placeholders.map((name) => [name, params[name.toLowerCase()] ?? null]));

/** The plan of an EXPLAIN, one row a line: it is a drawing. */
function planOf({ cells, more }: TypedRows): TypedRows {
  const lines = cells.flatMap(([, drawing]) => String(drawing).trimEnd().split('\n'));
  return { names: ['plan'], types: ['VARCHAR'], cells: lines.map((line) => [line]), more };
}

/** What DuckDB says with `errors_as_json`, as far as it is used. */
interface EngineMessage {
  readonly exception_type?: string;
  readonly exception_message?: string;
  readonly position?: string;
  readonly error_subtype?: string;
  readonly name?: string;
  readonly candidates?: string;
}

function messageIn({ message }: Error): EngineMessage {
  try {
    return JSON.parse(message.slice(Math.max(message.indexOf('{'), 0)));
  } catch {
    return { exception_message: message };
  }
}

/** An error of the running query, in parts. */
function explainSqlError(
  error: Error,
  { given, where, origin }: Pick<Checked, 'given' | 'where' | 'origin'>,
  showContent: boolean,
): SqlFault {
  const said = messageIn(error);
  const message = (said.exception_message ?? error.message).split('\n')[0]!;
  const column =
    said.error_subtype === 'COLUMN_NOT_FOUND'
      ? said.name
      : /does not have a column named "([^"]+)"/.exec(message)?.[1];
  const saidAt = Number(said.position ?? Number.NaN);
  const position = isPlace(saidAt) ? origin(saidAt) : Number.NaN;
  return new SqlFault(message, given, where, {
    position: isPlace(position) || column === undefined ? position : placeOfName(given, column),
    column,
    isContent: column !== undefined && isContent(column.toLowerCase()) && !showContent,
    candidates: said.candidates,
    type: said.exception_type,
  });
}

/** Where a name stands first, in bytes. */
function placeOfName(sql: string, name: string): number {
  const at = tokensOf(sql).find(
    ({ text }) => text.replaceAll('"', '').toLowerCase() === name.toLowerCase(),
  )?.from;
  return at === undefined ? Number.NaN : Buffer.byteLength(sql.slice(0, at));
}
