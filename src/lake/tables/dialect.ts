import type { SqlType } from '../../scan/columns.js';
import { ident, quote } from '../duckdb/sql.js';

/** `2026-11-26T14`, `2026-11-26`, `2026-W48` (ISO 8601), `2026-11`. */
export const PERIODS = ['hour', 'day', 'week', 'month'] as const;
export type Period = (typeof PERIODS)[number];

/** What the shared subset of SQL cannot say, as one engine says it; the slots of `queries/tables/*.sql` are filled with it. */
export interface Dialect {
  /** For people. */
  readonly name: string;
  /** A string literal, which means the same wherever it is pasted. */
  quote(text: string): string;
  /** A quoted name of a column. */
  ident(name: string): string;
  /** An instant. @param time RFC 3339 in UTC, to the microsecond. */
  instant(time: string): string;
  /** The stretch of time in which an instant is, by the clock of a time zone. */
  period(period: Period, instant: string, tz: string): string;
  /** Any value as text. */
  text(expression: string): string;
  /** What a type is called in CAST, where its values may be NULL. */
  type(type: SqlType): string;
  /** What stands behind a statement, so that it means there what it means here. */
  readonly ending: string;
}

const PERIOD_FORMATS = { hour: '%Y-%m-%dT%H', day: '%Y-%m-%d', week: '%Y-W%V', month: '%Y-%m' } as const;

export const DUCKDB: Dialect = {
  name: 'DuckDB',
  quote,
  ident,
  instant: (time) => `TIMESTAMPTZ ${quote(time)}`,
  period(period, instant, tz) {
    // Arithmetic alone where the zone is UTC: `timezone` asks ICU, which takes four times as long as all else of a question.
    const local =
      tz === 'UTC' ? `make_timestamp(epoch_us(${instant}))` : `timezone(${quote(tz)}, ${instant})`;
    // Its Thursday says to which year a week belongs; the engine's own %G is wrong in the year 0000.
    const within = period === 'week' ? `date_trunc('week', ${local}) + INTERVAL 3 DAY` : local;
    return `strftime(${within}, '${PERIOD_FORMATS[period]}')`;
  },
  text: (expression) => `CAST(${expression} AS VARCHAR)`,
  type: (type) => type,
  ending: '',
};
