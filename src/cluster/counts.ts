/** What the engine counts of each batch, and whether receipts say the same: before a question is asked, and after it. */
import { damage, short } from '../lake/folder/receipts.js';
import { difference, nothingOf, type Summed, summedOf, sumsOf } from '../lake/folder/sums.js';
import type { Dialect } from '../lake/tables/dialect.js';
import type { BatchReceipt } from '../schema/batch.js';
import type { Cell, InputProblem } from '../schema/result.js';

/** Calls of a batch and kind. */
export interface Count {
  readonly batch: number;
  readonly kind: string;
  readonly calls: number;
  readonly selected: number;
  readonly accepted_false: number;
  /** Lines. */
  readonly first: number;
  readonly first_false: number | null;
  /** Of the selected ones, as are the next four. */
  readonly inconsistent: number;
  readonly not_judgeable: number;
  readonly unjudgeable: number;
  readonly first_unjudgeable: number | null;
  readonly numbered: number;
  /** RFC 3339. */
  readonly newest: string;
  readonly newest_selected: string | null;
  readonly sums: Readonly<Record<string, string>>;
}

const SUMS = Object.entries(sumsOf('calls'));
const counted = (condition: string) => `SUM(CASE WHEN ${condition} THEN 1 ELSE 0 END)`;
const least = (condition: string) => `MIN(CASE WHEN ${condition} THEN s.line END)`;

/** Columns of calls that are read, beside those of the filters. */
export const COUNTED_COLUMNS = [
  ...['batch', 'line', 'kind', 'timestamp', 'final_verdict', 'grounded_in_roster', 'iterations'],
  ...['inconsistent', 'not_judgeable', 'seq'],
];

/**
 * @param from a table of calls.
 * @param selects condition over a call `s`.
 */
export function countsSql(from: string, selects: string, dialect: Dialect): string {
  const isFalse = `s.final_verdict = 'accepted' AND COALESCE(s.grounded_in_roster, TRUE) = FALSE`;
  const isOdd = `(${selects}) AND (s.inconsistent OR s.not_judgeable)`;
  const columns = [
    's.batch',
    's.kind',
    'COUNT(*) AS n_calls',
    `${counted(selects)} AS n_selected`,
    `${counted(isFalse)} AS n_false`,
    'MIN(s.line) AS n_first',
    `${least(isFalse)} AS n_first_false`,
    `${counted(`(${selects}) AND s.inconsistent`)} AS n_inconsistent`,
    `${counted(`(${selects}) AND s.not_judgeable`)} AS n_not_judgeable`,
    `${counted(isOdd)} AS n_odd`,
    `${least(isOdd)} AS n_first_odd`,
    'COUNT(s.seq) AS n_numbered',
    'MAX(s.timestamp) AS n_newest',
    `MAX(CASE WHEN ${selects} THEN s.timestamp END) AS n_newest_selected`,
    ...SUMS.map(([name, sql]) => `${dialect.text(`COALESCE(${sql}, 0)`)} AS sum_${name}`),
  ];
  return `SELECT ${columns.join(',\n  ')}\nFROM ${from} s\nGROUP BY s.batch, s.kind`;
}

/** Rows of that. */
export function countsIn(cells: readonly (readonly Cell[])[]): Count[] {
  return cells.map((row) => {
    const [batch, kind, calls, selected, accepted_false, first, first_false, ...others] = row as never[];
    const [
      inconsistent,
      not_judgeable,
      unjudgeable,
      first_unjudgeable,
      numbered,
      newest,
      newest_selected,
      ...sums
    ] = others;
    return {
      ...{ batch, kind, calls, selected, accepted_false, first, first_false, inconsistent, not_judgeable },
      ...{ unjudgeable, first_unjudgeable, numbered, newest, newest_selected },
      sums: Object.fromEntries(SUMS.map(([name], i) => [name, String(sums[i])])),
    } as unknown as Count;
  });
}

/** Tables beside that of calls whose rows are compared. */
const OTHERS = ['runs', 'attempts', 'attempt_reasons', 'documents', 'rejects'] as const;
export type Other = (typeof OTHERS)[number];

/** @param read names of base tables. */
export const othersAmong = (read: ReadonlySet<string>): Other[] =>
  OTHERS.filter((name) => name === 'runs' || read.has(name));

export const othersSql = (tables: readonly Other[], dialect: Dialect): string =>
  tables
    .map(
      (name) =>
        `SELECT '${name}' AS part, t.batch, COUNT(*) AS n_rows, ${dialect.text('COALESCE(SUM(t.line), 0)')} AS n_line FROM base_${name} t GROUP BY t.batch`,
    )
    .join('\nUNION ALL ');

/** What the engine counts, by table and batch. */
export type Found = ReadonlyMap<string, ReadonlyMap<number, Summed>>;

export function foundIn(
  counts: readonly Count[],
  others: readonly (readonly Cell[])[],
  tables: readonly Other[],
): Found {
  const found = new Map<string, Map<number, Summed>>([['calls', callsIn(counts)]]);
  for (const name of tables) found.set(name, new Map());
  for (const [name, batch, rows, line] of others as [Other, number, number, string][])
    found.get(name)!.set(batch, summedOf(name, { rows, line }));
  return found;
}

function callsIn(counts: readonly Count[]): Map<number, Summed> {
  const sums = new Map<number, { rows: number; sums: Record<string, bigint> }>();
  for (const count of counts) {
    const before = sums.get(count.batch) ?? { rows: 0, sums: {} };
    const added = SUMS.map(
      ([name]) => [name, (before.sums[name] ?? 0n) + BigInt(count.sums[name]!)] as const,
    );
    sums.set(count.batch, { rows: before.rows + count.calls, sums: Object.fromEntries(added) });
  }
  return new Map(
    [...sums].map(([batch, { rows, sums: all }]) => {
      const row = Object.fromEntries(Object.entries(all).map(([name, sum]) => [name, String(sum)]));
      return [batch, summedOf('calls', { ...row, rows })];
    }),
  );
}

/** Of each kind of failure no more are told one by one. */
const MOST_TOLD = 5;
const SYNC = (table: string) =>
  `tell the engine of new days (CALL system.sync_partition_metadata(…, 'base_${table}', 'FULL')), run it again, then: lakelog lake verify --lake DIR/`;

/** Batches whose rows are not what their receipts say. */
export function contradicted(receipts: readonly BatchReceipt[], found: Found, where: string): InputProblem[] {
  return [...found].flatMap(([table, batches]) =>
    receipts
      .flatMap((receipt) => {
        const said = receipt.tables[`base_${table}`] ?? nothingOf(table as Other);
        const is = batches.get(receipt.batch) ?? nothingOf(table as Other);
        const wrong = difference(`base_${table}`, said, is);
        const what = `batch ${short(receipt.id)} of ${receipt.file.name}`;
        return wrong === null ? [] : [damage(where, `${what} ${wrong}`, SYNC(table))];
      })
      .slice(0, MOST_TOLD),
  );
}

/** Numbers of batches that have rows and no receipt. */
export function strangersIn(receipts: readonly BatchReceipt[], found: Found): number[] {
  const known = new Set(receipts.map(({ batch }) => batch));
  const all = [...found.values()].flatMap((batches) => [...batches.keys()]);
  return [...new Set(all)].filter((batch) => !known.has(batch));
}

/** A batch is committed last: one that is none yet may become one at any time. */
export const strange = (batches: readonly number[], where: string): InputProblem[] =>
  batches
    .slice(0, MOST_TOLD)
    .map((batch) =>
      damage(
        where,
        `there are rows of batch ${batch.toString(16).padStart(13, '0')}… and no receipt of it: somebody publishes it now, or was stopped while doing it`,
        'run the same command again; if it says so again: let its host publish the log again (lakelog sync), or see lakelog lake verify --lake DIR/',
      ),
    );

/** Whether two counts say the same of these batches. */
export function isSameFound(a: Found, b: Found, batches: ReadonlySet<number>): boolean {
  const said = (found: Found) =>
    JSON.stringify(
      [...found].map(([table, of]) => [
        table,
        [...of].filter(([batch]) => batches.has(batch)).sort(([x], [y]) => x - y),
      ]),
    );
  return said(a) === said(b);
}
