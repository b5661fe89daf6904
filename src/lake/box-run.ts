import { LakelogError } from '../errors.js';
import { asTable, type Checked, isPlace, SqlFault } from './box.js';
import type { Blocks, Database, Params } from './duckdb/connection.js';
import { readRows } from './duckdb/result.js';
import { ident, quote } from './duckdb/sql.js';
import { tokensOf } from './sql-tokens.js';
import { isContent } from './tables/published.js';

/** Columns that a PIVOT makes: the engine's own limit. */
const MOST_PIVOTED = 100_000;
/** What a query may spill to disk. */
const BOX_TEMP = '4GB';

/**
 * From here on the engine has its tables and nothing else.
 * @param files that it alone may write, where the text of a query names none.
 */
export async function closeDatabase(db: Database, files: readonly string[] = []): Promise<void> {
  // Nobody knows how much a query does.
  await db.useAllThreads();
  await db.run(`SET errors_as_json = true; SET max_temp_directory_size = '${BOX_TEMP}'`);
  await db.run(`SET allowed_paths = [${files.map(quote).join(', ')}]`);
  await db.run('SET enable_external_access = false; SET lock_configuration = true');
}

/** What else becomes of the rows. */
export interface Export {
  /** Absolute paths of files that are there. */
  readonly parquet: readonly string[];
  /** Rows in them. */
  readonly most: number | null;
}

/**
 * Somebody's own SQL over the loaded tables.
 * @param params values of its placeholders, by name in lower case.
 * @throws SqlFault; reading the blocks does too.
 */
export async function runStatement(
  db: Database,
  checked: Checked,
  params: Params,
  { parquet, most }: Export,
  showContent: boolean,
): Promise<Blocks> {
  const told = (error: unknown) => explainSqlError(error as Error, checked, showContent);
  await makeTypes(db, checked, params).catch((error) => {
    // Places in our own SELECT of the values are none in what was given.
    throw explainSqlError(error, { ...checked, origin: () => Number.NaN }, showContent);
  });
  try {
    const own = named(checked.placeholders, params);
    if (parquet.length === 0) {
      const answer = await db.blocks(checked.text, own);
      return explainedBlocks(checked.isExplain ? await planOf(answer) : answer, told);
    }
    await db.tableOf(ANSWER, await asTable(db, checked), own);
    for (const file of parquet) await db.run(copySql(await typesOf(db), file, most));
    return explainedBlocks(await db.blocks(`FROM temp.${ANSWER}`, {}), told);
  } catch (error) {
    throw error instanceof LakelogError ? error : told(error);
  }
}

/** A query is kept under this name where it goes to more than one place; the schema is one that no query may name. */
const ANSWER = 'lakelog_answer';

const typesOf = async (db: Database) =>
  db.objects<{ column_name: string; column_type: string }>(
    `SELECT column_name, column_type FROM (DESCRIBE temp.${ANSWER})`,
  );

/** Parquet has no integers of 128 bits, and DuckDB would write them as DOUBLE: sums would lose digits. */
function copySql(types: Awaited<ReturnType<typeof typesOf>>, file: string, most: number | null): string {
  const large = types
    .filter(({ column_type }) => /^U?HUGEINT$/.test(column_type))
    .map(({ column_name }) => `CAST(${ident(column_name)} AS DECIMAL(38, 0)) AS ${ident(column_name)}`);
  const replace = large.length === 0 ? '' : ` REPLACE (${large.join(', ')})`;
  const limit = most === null ? '' : ` LIMIT ${most}`;
  return `COPY (SELECT *${replace} FROM temp.${ANSWER}${limit}) TO ${quote(file)} (FORMAT parquet, USE_TMP_FILE false)`;
}

function explainedBlocks(answer: Blocks, told: (error: unknown) => Error): Blocks {
  async function* blocks() {
    try {
      yield* answer.blocks;
    } catch (error) {
      throw told(error);
    }
  }
  return { ...answer, blocks: blocks() };
}

async function makeTypes(db: Database, { types }: Checked, params: Params): Promise<void> {
  for (const { name, values } of types) {
    const { cells } = await db.rowsUpTo(values.text, named(values.placeholders, params), MOST_PIVOTED);
    const list = cells.map(([value]) => quote(String(value))).join(', ');
    await db.run(
      `CREATE OR REPLACE TYPE main.${ident(name)} AS ENUM (SELECT UNNEST(CAST([${list}] AS VARCHAR[])))`,
    );
  }
}

const named = (placeholders: readonly string[], params: Params): Params =>
  Object.fromEntries(placeholders.map((name) => [name, params[name.toLowerCase()] ?? null]));

/** The plan of an EXPLAIN, one row a line: it is a drawing. */
async function planOf(answer: Blocks): Promise<Blocks> {
  const { cells } = await readRows(answer);
  const lines = cells.flatMap(([, drawing]) => String(drawing).trimEnd().split('\n'));
  async function* blocks() {
    yield { rows: lines.length, columns: [{ of: 'cells' as const, cells: lines }] };
  }
  return { names: ['plan'], types: ['VARCHAR'], blocks: blocks() };
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
