/** Intervals that a question's header names: the SELECT counts, src/stats calculates. */
import { LakelogError } from '../errors.js';
import type { Cell } from '../schema/result.js';
import { clusteredWilson } from '../stats/clusters.js';
import { type Interval, wilson } from '../stats/interval.js';
import { INTERVAL_FUNCTIONS, type IntervalFunctionName } from './header-keys.js';
import type { Fail } from './header-values.js';
import type { IntervalSpec, Query, QueryColumn } from './question.js';

type Counts = readonly number[];

/** What each function makes of its counts, and what cannot be true of them; in the order of its form. */
const FUNCTIONS: Readonly<
  Record<
    IntervalFunctionName,
    { readonly of: (counts: Counts) => Interval | null; readonly holds: (counts: Counts) => boolean }
  >
> = {
  wilson: {
    of: ([x = 0, n = 0]) => wilson(x, n),
    holds: ([x = 0, n = 0]) => x <= n,
  },
  clustered_wilson: {
    of: ([x = 0, n = 0, traces = 0, nn = 0, xx = 0, nx = 0]) =>
      clusteredWilson({
        ...{ traces, calls: n, successes: x },
        ...{ callsSquared: nn, successesSquared: xx, callsTimesSuccesses: nx },
      }),
    // Of 0 ≤ xᵢ ≤ nᵢ and 1 ≤ nᵢ in each trace; the squares of sums by Cauchy and Schwarz.
    holds: ([x = 0, n = 0, traces = 0, nn = 0, xx = 0, nx = 0]) =>
      x <= n &&
      traces <= n &&
      (n === 0) === (traces === 0) &&
      x <= xx &&
      xx <= nx &&
      nx <= nn &&
      n * n <= traces * nn * (1 + 1e-12),
  },
};

const USAGE = 'write it as: -- interval: low_column high_column = wilson(successes, n)';

export function parseInterval(raw: string, line: number, fail: Fail): IntervalSpec {
  const [, low, high, name, list] = /^(\S+)\s+(\S+)\s*=\s*(\w+)\s*\(([^()]*)\)$/.exec(raw) ?? [];
  if (!low || !high || !name || list === undefined) throw fail(`"${raw}" is no interval`, USAGE);
  const known = INTERVAL_FUNCTIONS.find((one) => one.name === name);
  if (known === undefined) {
    const names = INTERVAL_FUNCTIONS.map(({ form }) => form).join(' or ');
    throw fail(`"${name}" is no function of an interval`, `use ${names}`);
  }
  const counts = list.split(',').map((one) => one.trim());
  if (counts.length !== known.counts.length || counts.includes('')) {
    throw fail(`${name} takes ${known.counts.length} columns, not "${list.trim()}"`, `use ${known.form}`);
  }
  if (low === high) throw fail(`both ends of the interval are "${low}"`, USAGE);
  return { low, high, name: known.name, counts, line };
}

/** @throws LakelogError for ends and counts that are no columns, or of another type than they have. */
export function checkIntervals(
  intervals: readonly IntervalSpec[],
  columns: readonly QueryColumn[],
  failAt: (line: number) => Fail,
): void {
  const filled = new Set<string>();
  for (const { low, high, counts, line } of intervals) {
    const fail = failAt(line);
    for (const end of [low, high]) {
      if (filled.has(end)) throw fail(`two intervals fill "${end}"`, 'give each its own two columns');
      filled.add(end);
      ofType(['fraction', 'number'], end, columns, fail);
    }
    for (const count of counts) ofType(['integer'], count, columns, fail);
  }
  for (const { counts, line } of intervals) {
    const end = counts.find((count) => filled.has(count));
    if (end === undefined) continue;
    throw failAt(line)(`"${end}" is an end of an interval and no count`, 'name columns of the SELECT');
  }
}

function ofType(types: readonly string[], name: string, columns: readonly QueryColumn[], fail: Fail): void {
  const column = columns.find((one) => one.name === name);
  const line = `-- column: ${name} ${types[0]}`;
  if (column === undefined)
    throw fail(`the interval names "${name}", which is no column`, `add a line: ${line}`);
  if (types.includes(column.type)) return;
  throw fail(
    `the interval names "${name}", which is ${column.type} and not ${types.join(' or ')}`,
    `write it as: ${line}`,
  );
}

/** The columns that the SELECT yields: all but those that lakelog fills. */
export function yieldedColumns({
  columns,
  intervals,
  money,
  worth,
}: Pick<Query, 'columns' | 'intervals' | 'money' | 'worth'>): QueryColumn[] {
  const filled = new Set([
    ...intervals.flatMap(({ low, high }) => [low, high]),
    ...money.map(({ column }) => column),
    ...worth.flatMap(({ pays, recommended }) => [pays, recommended]),
  ]);
  return columns.filter(({ name }) => !filled.has(name));
}

/**
 * Both ends for a row, by the columns' names; null where there is nothing to tell, as of no call.
 * @throws LakelogError (exit 2) for what cannot be counts: an interval of it would be made up.
 */
export function intervalOf(
  { name, counts, line }: IntervalSpec,
  cellOf: (column: string) => Cell | undefined,
  file: string,
): Interval | null {
  const values = counts.map(cellOf);
  if (values.includes(null)) return null;
  const isCounted = values.every((value) => Number.isSafeInteger(value) && Number(value) >= 0);
  const { of, holds } = FUNCTIONS[name];
  if (isCounted && holds(values as number[])) return of(values as number[]);
  const said = counts.map((column, i) => `${column} = ${JSON.stringify(values[i])}`).join(', ');
  const form = INTERVAL_FUNCTIONS.find((one) => one.name === name)?.form;
  throw new LakelogError(`a row has counts that cannot be: ${said}`, {
    where: `${file}:${line}`,
    next: `let the SELECT yield what ${form} means, in this order; docs/QUESTIONS.md says it`,
  });
}
