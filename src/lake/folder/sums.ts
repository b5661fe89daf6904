/** What the rows of a batch come to, in arithmetic that every engine has: receipts say it, and who asks compares. */
import type { Sum } from '../../schema/batch.js';
import type { PublishedName } from './layout.js';

const IS_ACCEPTED = `final_verdict = 'accepted'`;
const IS_JUDGED = 'grounded_in_roster IS NOT NULL';
const IS_GROUNDED = 'COALESCE(grounded_in_roster, FALSE)';

/** Counts say nothing of flags that changed places between rows; sums of the lines that carry them do. */
const OF_CALLS: Readonly<Record<string, string>> = {
  line: 'SUM(line)',
  iterations: 'SUM(iterations)',
  accepted: `SUM(CASE WHEN ${IS_ACCEPTED} THEN 1 ELSE 0 END)`,
  judged: `SUM(CASE WHEN ${IS_JUDGED} THEN 1 ELSE 0 END)`,
  grounded: `SUM(CASE WHEN ${IS_GROUNDED} THEN 1 ELSE 0 END)`,
  accepted_line: `SUM(CASE WHEN ${IS_ACCEPTED} THEN line ELSE 0 END)`,
  judged_line: `SUM(CASE WHEN ${IS_JUDGED} THEN line ELSE 0 END)`,
  grounded_line: `SUM(CASE WHEN ${IS_GROUNDED} THEN line ELSE 0 END)`,
};
const OF_LINES = { line: 'SUM(line)' };

/** Sums of a base table by their names in a receipt; its rows are counted beside them. */
export function sumsOf(base: PublishedName): Readonly<Record<string, string>> {
  if (base === 'calls') return OF_CALLS;
  return base === 'seqs' || base === 'batches' ? {} : OF_LINES;
}

/** The count of rows, and every sum as its digits. */
export const sumsSql = (base: PublishedName): string =>
  [
    'COUNT(*) AS "rows"',
    ...Object.entries(sumsOf(base)).map(([name, sql]) => `CAST(COALESCE(${sql}, 0) AS VARCHAR) AS "${name}"`),
  ].join(', ');

export interface Summed {
  readonly rows: number;
  readonly sums: Readonly<Record<string, Sum>>;
}

/** A row of `sumsSql`, as a receipt says it. */
export function summedOf(base: PublishedName, row: Readonly<Record<string, number | string>>): Summed {
  const sums = Object.keys(sumsOf(base)).map((name) => [name, sumOf(row[name]!)] as const);
  return { rows: Number(row.rows), sums: Object.fromEntries(sums) };
}

function sumOf(digits: number | string): Sum {
  const number = Number(digits);
  return Number.isSafeInteger(number) ? number : String(digits);
}

/** Of a batch that has no rows. */
export const nothingOf = (base: PublishedName): Summed => ({
  rows: 0,
  sums: Object.fromEntries(Object.keys(sumsOf(base)).map((name) => [name, 0])),
});

/** In words, the first of rows and sums that is not as it is said of a table; null where all are equal. */
export function difference(table: string, said: Summed, found: Summed): string | null {
  const all = (of: Summed): Readonly<Record<string, Sum>> => ({ rows: of.rows, ...of.sums });
  const [a, b] = [all(found), all(said)];
  const name = Object.keys(a).find((one) => String(a[one]) !== String(b[one]));
  return name === undefined ? null : `has ${name} ${a[name]} in ${table}, and its receipt says ${b[name]}`;
}
