/** What declares the base tables of a folder of Parquet to an engine, which then needs nothing but SELECT. */
import { ident, quote } from './duckdb/sql.js';
import { BATCHES, HOSTS, PUBLISHED, PUBLISHED_NAMES, publishedColumns, tableName } from './folder/layout.js';
import { lakePlan } from './store/tables.js';
import type { BaseColumn } from './tables/base.js';
import { CLICKHOUSE, type DialectName, SPARK, TRINO } from './tables/dialects.js';

interface Declared {
  readonly table: string;
  readonly columns: readonly BaseColumn[];
  readonly parted: boolean;
}

/** Files of JSON (and JSON Lines, where receipts were merged), a row of each line: receipts of batches, and what hosts said of their logs when they looked last. */
const TEXTS = [
  { table: 'batch_receipts', column: 'receipt', folder: BATCHES },
  { table: 'host_states', column: 'state', folder: HOSTS },
] as const;
/** Of tables in Trino; nothing hangs on it but these lines. */
const TRINO_SCHEMA = 'lakelog';

/** @param place the folder as the engine knows it, without a slash at its end. */
export function declarations(dialect: DialectName, place: string, showContent: boolean): string {
  const plan = lakePlan(showContent);
  const tables = PUBLISHED_NAMES.map((base) => ({
    table: tableName(base),
    parted: PUBLISHED[base].parted,
    columns: publishedColumns(plan, base),
  }));
  return `${WRITERS[dialect](tables, place).join('\n\n')}\n`;
}

const WRITERS: Readonly<
  Record<DialectName, (tables: readonly Declared[], place: string) => readonly string[]>
> = { trino: forTrino, clickhouse: forClickHouse, spark: forSpark, duckdb: forDuckDb };

const lines = (list: readonly string[]) => list.map((line) => `  ${line}`).join(',\n');

function forTrino(tables: readonly Declared[], place: string): string[] {
  const name = (table: string) => `${TRINO_SCHEMA}.${table}`;
  const at = (table: string) => TRINO.quote(`${place}/${table}`);
  const external = (table: string, list: readonly string[], properties: readonly string[]) =>
    `CREATE TABLE IF NOT EXISTS ${name(table)} (\n${lines(list)}\n) WITH (\n${lines(properties)}\n);`;
  return [
    `-- In a catalog of the Hive connector, whose schema is ${TRINO_SCHEMA} here. Once:`,
    `CREATE SCHEMA IF NOT EXISTS ${TRINO_SCHEMA};`,
    ...tables.map(({ table, columns, parted }) =>
      external(
        table,
        [
          ...columns.map((column) => `${TRINO.ident(column.name)} ${TRINO.type(column.type)}`),
          ...(parted ? ['day VARCHAR'] : []),
        ],
        [
          `format = 'PARQUET'`,
          `external_location = ${at(table)}`,
          ...(parted ? [`partitioned_by = ARRAY['day']`] : []),
        ],
      ),
    ),
    ...TEXTS.map(({ table, column, folder }) =>
      external(table, [`${column} VARCHAR`], [`format = 'TEXTFILE'`, `external_location = ${at(folder)}`]),
    ),
    '-- After each day that is new, or what it holds is not seen:',
    ...tables
      .filter(({ parted }) => parted)
      .map(({ table }) => `CALL system.sync_partition_metadata('${TRINO_SCHEMA}', '${table}', 'FULL');`),
  ];
}

function forSpark(tables: readonly Declared[], place: string): string[] {
  const at = (table: string) => SPARK.quote(`${place}/${table}`);
  const parted = tables.filter((one) => one.parted);
  return [
    '-- Once:',
    ...tables.map(({ table, columns, parted }) => {
      const list = [
        ...columns.map((column) => `${SPARK.ident(column.name)} ${SPARK.type(column.type)}`),
        ...(parted ? ['day STRING'] : []),
      ];
      const by = parted ? '\nPARTITIONED BY (day)' : '';
      return `CREATE TABLE IF NOT EXISTS ${table} (\n${lines(list)}\n) USING PARQUET${by}\nLOCATION ${at(table)};`;
    }),
    ...TEXTS.map(
      ({ table, column, folder }) =>
        `CREATE TABLE IF NOT EXISTS ${table} (\n  ${column} STRING\n) USING TEXT\nLOCATION ${at(folder)};`,
    ),
    '-- After each day that is new, or what it holds is not seen:',
    ...parted.map(({ table }) => `MSCK REPAIR TABLE ${table};`),
    '-- Files that came since a table was read last are seen by this session after:',
    ...[...tables, ...TEXTS].map(({ table }) => table).map((table) => `REFRESH TABLE ${table};`),
  ];
}

function forClickHouse(tables: readonly Declared[], place: string): string[] {
  const from = (pattern: string, format: string, list: readonly string[]) => {
    const how = /^(https?|s3|gs|gcs|oss):/i.test(place) ? 's3' : 'file';
    const parts = [`${place}/${pattern}`, format, list.join(', ')].map((part) => CLICKHOUSE.quote(part));
    return `${how}(${parts.join(', ')})`;
  };
  const view = (table: string, source: string) =>
    `CREATE OR REPLACE VIEW ${table} AS\nSELECT * FROM ${source};`;
  return [
    '-- Views: no table keeps anything, every question reads the files. A folder without files is an empty table.',
    ...tables.map(({ table, columns, parted }) =>
      view(
        table,
        from(
          `${table}/${parted ? '*/' : ''}*.parquet`,
          'Parquet',
          columns.map((column) => `${CLICKHOUSE.ident(column.name)} ${CLICKHOUSE.type(column.type)}`),
        ),
      ),
    ),
    ...TEXTS.map(({ table, column, folder }) =>
      view(table, from(`${folder}/*.json*`, 'LineAsString', [`${column} String`])),
    ),
  ];
}

/** Its files are listed when a view is read; the name of a folder is no value of its rows. */
function forDuckDb(tables: readonly Declared[], place: string): string[] {
  const views = tables.map(({ table, columns, parted }) => {
    const list = columns.map((column) => ident(column.name)).join(', ');
    const files = quote(`${place}/${table}/${parted ? '*/' : ''}*.parquet`);
    return `CREATE OR REPLACE VIEW ${table} AS\nSELECT ${list}\nFROM read_parquet(${files}, hive_partitioning = false);`;
  });
  return [
    ...views,
    ...TEXTS.map(
      ({ table, column, folder }) =>
        `CREATE OR REPLACE VIEW ${table} AS\nSELECT unnest(string_split(rtrim(content, chr(10)), chr(10))) AS ${column}\nFROM read_text(${quote(`${place}/${folder}/*.json*`)});`,
    ),
  ];
}
