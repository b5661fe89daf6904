import { quote } from '../duckdb/sql.js';

/** What the shared subset of SQL cannot say, as one engine says it; the slots of `queries/tables/*.sql` are filled with it. */
export interface Dialect {
  /** A string literal. */
  quote(text: string): string;
  /** The calendar day of an instant in a time zone, as YYYY-MM-DD. */
  day(instant: string, tz: string): string;
  /** Any value as text. */
  text(expression: string): string;
}

export const DUCKDB: Dialect = {
  quote,
  // Arithmetic alone where the zone is UTC: `timezone` asks ICU, which takes four times as long as all else of a question.
  day: (instant, tz) =>
    `strftime(${tz === 'UTC' ? `make_timestamp(epoch_us(${instant}))` : `timezone(${quote(tz)}, ${instant})`}, '%Y-%m-%d')`,
  text: (expression) => `CAST(${expression} AS VARCHAR)`,
};
