/** Records that stand behind much newer ones, where lines fell out that another batch has too: a receipt counts those as well. */
import { compareInstants } from '../instant.js';
import type { Dialect } from '../lake/tables/dialect.js';
import type { BatchReceipt } from '../schema/batch.js';
import { LATE_MINUTES } from '../schema/result.js';

export interface Late {
  readonly late: number;
  /** Of the first of them. */
  readonly line: number;
}

/** Those whose late records are to be counted again: with the newest record of earlier batches of their log. */
export function changedLate(
  receipts: readonly BatchReceipt[],
  copies: ReadonlyMap<number, number>,
): Map<number, string | null> {
  const changed = receipts.filter(({ batch, account }) => account.late > 0 && copies.has(batch));
  return new Map(changed.map((one) => [one.batch, newestBefore(one, receipts)]));
}

const newestBefore = ({ file }: BatchReceipt, receipts: readonly BatchReceipt[]): string | null =>
  receipts
    .filter((one) => one.file.root === file.root && one.file.byte_to <= file.byte_from)
    .flatMap(({ newest_record }) => newest_record ?? [])
    .reduce<string | null>(
      (best, time) => (best === null || compareInstants(time, best) > 0 ? time : best),
      null,
    );

/** Over lines of calls and replay runs, each once. @param before batches as `changedLate` has them, at least one. */
export function lateSql(before: ReadonlyMap<number, string | null>, dialect: Dialect): string {
  const isLate = (newer: string) => `${newer} > n.timestamp + INTERVAL '${LATE_MINUTES}' MINUTE`;
  const earlier = [...before].flatMap(([batch, time]) =>
    time === null ? [] : [`(n.batch = ${batch} AND ${isLate(dialect.instant(time))})`],
  );
  const records = ['calls', 'runs'].map(
    (name) =>
      `SELECT b.batch, b.line, b.timestamp FROM lake_${name} b WHERE b.batch IN (${[...before.keys()].join(', ')})`,
  );
  return `SELECT n.batch, COUNT(*) AS late, MIN(n.line) AS first_line
FROM (
  SELECT r.batch, r.line, r.timestamp,
    MAX(r.timestamp) OVER (PARTITION BY r.batch ORDER BY r.line ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS newest
  FROM (${records.join(' UNION ALL ')}) r
) n
WHERE ${[isLate('n.newest'), ...earlier].join(' OR ')}
GROUP BY n.batch`;
}
