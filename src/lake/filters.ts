import { LakelogError, messageOf } from '../errors.js';
import { AGE_FORMS, compareInstants, parseAge } from '../instant.js';
import type { AbsentValue } from '../schema/account.js';
import type { Receipt } from '../schema/result.js';
import type { Database } from './duckdb/connection.js';
import { quote } from './duckdb/sql.js';
import { type Dialect, DUCKDB } from './tables/dialect.js';

/** Filters that name values of the column that is called like them. */
const NAMED = ['model', 'kind', 'daemon', 'environment'] as const;

export interface Filters extends Readonly<Record<(typeof NAMED)[number], readonly string[]>> {
  /** RFC 3339, a date (in tz) or an age such as `24h` or `7d`. */
  readonly since?: string | undefined;
  readonly until?: string | undefined;
  readonly tz: string;
}

export const NO_FILTERS: Filters = { tz: 'UTC', model: [], kind: [], daemon: [], environment: [] };

/** Half-open, RFC 3339 UTC; null = unbounded. */
export type Window = Receipt['window'];

/** Columns of a call that the filters read. */
export function filteredColumns(filters: Filters): string[] {
  const { since, until } = filters;
  return [...((since ?? until) ? ['timestamp'] : []), ...NAMED.filter((name) => filters[name].length > 0)];
}

/** Conditions over a call `s` and over a replay run `r`, which has its own timestamp. */
export function filterSql(
  filters: Filters,
  { since, until }: Window,
  dialect: Dialect = DUCKDB,
): { selects: string; selectsRun: string } {
  const within = (alias: string) => [
    ...(since === null ? [] : [`${alias}.timestamp >= ${dialect.instant(since)}`]),
    ...(until === null ? [] : [`${alias}.timestamp < ${dialect.instant(until)}`]),
  ];
  const listed = (values: readonly string[]) => values.map((value) => dialect.quote(value)).join(', ');
  const oneOf = NAMED.filter((name) => filters[name].length > 0).map(
    (name) => `COALESCE(s.${name} IN (${listed(filters[name])}), FALSE)`,
  );
  return {
    selects: [...within('s'), ...oneOf].join(' AND ') || 'TRUE',
    selectsRun: within('r').join(' AND ') || 'TRUE',
  };
}

const YEAR_ONE = Date.parse('0001-01-01T00:00:00Z');
const DATE = /^\d{4}-\d{2}-\d{2}$/;
const LOCAL = /^\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2}(\.\d+)?)?$/;

/** How the two times are called where they were given. */
export type TimeNames = readonly [since: string, until: string];
const OPTIONS: TimeNames = ['--since', '--until'];

/** @throws LakelogError (exit 2) for what is no time, no zone, or an empty window. */
export async function resolveWindow(
  db: Database,
  filters: Filters,
  now: Date,
  [sinceName, untilName] = OPTIONS,
): Promise<Window> {
  if (filters.tz !== 'UTC') {
    await db.rows(`SELECT timezone(${quote(filters.tz)}, now())`).catch(() => {
      throw new LakelogError(`--tz ${filters.tz} is not a time zone`, {
        next: 'use an IANA name such as Europe/Berlin or UTC',
      });
    });
  }
  const resolve = async (flag: string, value: string | undefined): Promise<string | null> => {
    if (value === undefined) return null;
    const age = parseAge(value);
    const from = age === null ? Number.NaN : now.getTime() - age;
    if (from >= YEAR_ONE) return new Date(from).toISOString();
    const local = DATE.test(value) || LOCAL.test(value);
    const instant = local
      ? `timezone(${quote(filters.tz)}, CAST(${quote(value)} AS TIMESTAMP))`
      : `CAST(${quote(value)} AS TIMESTAMPTZ)`;
    const wellFormed = local || /^\d{4}-\d{2}-\d{2}[T ].*(Z|[+-]\d{2}:\d{2})$/i.test(value);
    try {
      if (!wellFormed) throw new Error('not a time');
      const { cells } = await db.rows(`SELECT ${instant}`);
      return cells[0]![0] as string;
    } catch (error) {
      throw new LakelogError(`${flag} ${value} is not a time`, {
        next: `use a date (2026-09-01), RFC 3339 (2026-09-01T08:00:00Z) or a duration before now (${AGE_FORMS})`,
        cause: messageOf(error),
      });
    }
  };
  const since = await resolve(sinceName, filters.since);
  const until = await resolve(untilName, filters.until);
  if (since !== null && until !== null && compareInstants(since, until) >= 0) {
    throw new LakelogError(
      `${sinceName} ${since} is not before ${untilName} ${until}, so the window is empty`,
      {
        next: 'swap the two',
      },
    );
  }
  return { since, until, tz: filters.tz };
}

/** Whatever the other filters leave: a service that was quiet in the window is no mistake. */
export function absentValues(db: Database, filters: Filters): Promise<AbsentValue[]> {
  return absentAmong(filters, async (filter) => {
    const { cells } = await db.rows(
      `SELECT DISTINCT ${filter} FROM main.base_calls WHERE ${filter} IS NOT NULL ORDER BY 1`,
    );
    return cells.map(([value]) => String(value));
  });
}

/** @param valuesOf all that calls have. */
export async function absentAmong(
  filters: Filters,
  valuesOf: (filter: AbsentValue['filter']) => Promise<readonly string[]>,
): Promise<AbsentValue[]> {
  const absent: AbsentValue[] = [];
  for (const filter of NAMED.filter((name) => filters[name].length > 0)) {
    const present = await valuesOf(filter);
    const missing = [...new Set(filters[filter])].filter((value) => !present.includes(value));
    absent.push(...missing.map((value) => ({ filter, value, named: filters[filter], present })));
  }
  return absent;
}
