import { quote } from '../duckdb/sql.js';

/** `2026-11-26T14`, `2026-11-26`, `2026-W48` (ISO 8601), `2026-11`. */
export const PERIODS = ['hour', 'day', 'week', 'month'] as const;
export type Period = (typeof PERIODS)[number];

/** What the shared subset of SQL cannot say, as one engine says it; the slots of `queries/tables/*.sql` are filled with it. */
export interface Dialect {
  /** A string literal. */
  quote(text: string): string;
  /** The stretch of time in which an instant is, by the clock of a time zone. */
  period(period: Period, instant: string, tz: string): string;
  /** Any value as text. */
  text(expression: string): string;
}

const PERIOD_FORMATS = { hour: '%Y-%m-%dT%H', day: '%Y-%m-%d', week: '%Y-W%V', month: '%Y-%m' } as const;

export const DUCKDB: Dialect = {
  quote,
  period(period, instant, tz) {
    // Arithmetic alone where the zone is UTC: `timezone` asks ICU, which takes four times as long as all else of a question.
    const local =
      tz === 'UTC' ? `make_timestamp(epoch_us(${instant}))` : `timezone(${quote(tz)}, ${instant})`;
    // Its Thursday says to which year a week belongs; the engine's own %G is wrong in the year 0000.
    const within = period === 'week' ? `date_trunc('week', ${local}) + INTERVAL 3 DAY` : local;
    return `strftime(${within}, '${PERIOD_FORMATS[period]}')`;
  },
  text: (expression) => `CAST(${expression} AS VARCHAR)`,
};
