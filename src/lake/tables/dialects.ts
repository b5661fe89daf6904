/** What engines say that lakelog does not bring along, over tables that `lakelog schema --dialect` declares. */
import type { SqlType } from '../../scan/columns.js';
import { type Dialect, DUCKDB, type Period } from './dialect.js';

/** `2026-11-26T14` is the beginning of `2026-11-26 14:05:06.789`. */
const LENGTHS = { hour: 13, day: 10, month: 7 } as const;

const doubled = (text: string, quote: string) => `${quote}${text.replaceAll(quote, quote + quote)}${quote}`;

/** `2026-11-26 14:05:06.789` in UTC. */
const spaced = (time: string) => time.replace('T', ' ').replace(/Z$/, '');

/**
 * The Hive connector reads an instant as a clock without a zone, which is that of UTC. A backslash is a character like
 * any other, and so is U+0000.
 */
export const TRINO: Dialect = {
  name: 'Trino',
  quote: (text) => doubled(text, "'"),
  ident: (name) => doubled(name, '"'),
  instant: (time) => `TIMESTAMP ${doubled(spaced(time), "'")}`,
  period(period, instant, tz) {
    const local =
      tz === 'UTC'
        ? instant
        : `CAST(at_timezone(with_timezone(${instant}, 'UTC'), ${doubled(tz, "'")}) AS TIMESTAMP(6))`;
    const format = { hour: '%Y-%m-%dT%H', day: '%Y-%m-%d', week: '%x-W%v', month: '%Y-%m' }[period];
    // What it formats is rounded to milliseconds first, into the next day at worst.
    return `date_format(date_trunc('hour', ${local}), '${format}')`;
  },
  text: (expression) => `CAST(${expression} AS VARCHAR)`,
  type: (type) => (type === 'TIMESTAMPTZ' ? 'TIMESTAMP(6)' : type),
  ending: '',
};

const CLICKHOUSE_TYPES: Readonly<Record<SqlType, string>> = {
  VARCHAR: 'String',
  BIGINT: 'Int64',
  DOUBLE: 'Float64',
  BOOLEAN: 'Bool',
  TIMESTAMPTZ: "DateTime64(6, 'UTC')",
};

/** Its instants are those from 1900 to 2299. */
export const CLICKHOUSE: Dialect = {
  name: 'ClickHouse',
  quote: (text) => `'${text.replace(/['\\]/g, '\\$&').replaceAll('\0', '\\0')}'`,
  ident: (name) => `\`${name.replace(/[`\\]/g, '\\$&')}\``,
  instant: (time) => `toDateTime64('${spaced(time)}', 6, 'UTC')`,
  period(period, instant, tz) {
    const format = { hour: '%Y-%m-%dT%H', day: '%Y-%m-%d', week: '%G-W%V', month: '%Y-%m' }[period];
    return `formatDateTime(${instant}, '${format}', ${CLICKHOUSE.quote(tz)})`;
  },
  text: (expression) => `CAST(${expression} AS Nullable(String))`,
  type: (type) => `Nullable(${CLICKHOUSE_TYPES[type]})`,
  // What a LEFT JOIN finds nobody for would be 0 or '' there.
  ending: 'SETTINGS join_use_nulls = 1',
};

/** Before anything else Spark puts the values of its settings and of the environment in the place of `${name}`. */
const SPARK_ESCAPES: Readonly<Record<string, string>> = { $: '\\u0024', '\0': '\\u0000' };

export const SPARK: Dialect = {
  name: 'Spark',
  quote: (text) => `'${text.replace(/['\\$\0]/g, (char) => SPARK_ESCAPES[char] ?? `\\${char}`)}'`,
  ident: (name) => doubled(name, '`'),
  instant: (time) => `TIMESTAMP '${time}'`,
  period: (period, instant, tz) => sparkPeriod(period, localOf(instant, tz)),
  text: (expression) => `CAST(${expression} AS STRING)`,
  type: (type) => ({ VARCHAR: 'STRING', TIMESTAMPTZ: 'TIMESTAMP' })[type as string] ?? type,
  ending: '',
};

/** A clock that does not hang on the time zone of the session, as most functions of Spark do. */
function localOf(instant: string, tz: string): string {
  const utc = `timestampadd(MICROSECOND, unix_micros(${instant}), TIMESTAMP_NTZ '1970-01-01 00:00:00')`;
  return tz === 'UTC' ? utc : `convert_timezone('UTC', ${SPARK.quote(tz)}, ${utc})`;
}

function sparkPeriod(period: Period, local: string): string {
  if (period !== 'week') return `REPLACE(SUBSTR(CAST(${local} AS STRING), 1, ${LENGTHS[period]}), ' ', 'T')`;
  const day = `CAST(${local} AS DATE)`;
  const digits = (what: string, count: number) =>
    `LPAD(CAST(EXTRACT(${what} FROM ${day}) AS STRING), ${count}, '0')`;
  return `${digits('YEAROFWEEK', 4)} || '-W' || ${digits('WEEK', 2)}`;
}

/** By the names that `--dialect` takes. */
export const DIALECTS = { trino: TRINO, clickhouse: CLICKHOUSE, spark: SPARK, duckdb: DUCKDB } as const;
export type DialectName = keyof typeof DIALECTS;
export const DIALECT_NAMES = Object.keys(DIALECTS) as DialectName[];
