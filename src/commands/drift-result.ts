/** The rows that `drift` prints: each kind and model before and after, and all of them. */
import type { Stratum } from '../gate/drift.js';
import type { Cell, Column, Result } from '../schema/result.js';
import type { Day } from '../stats/drift.js';
import { newcombe, wilson } from '../stats/interval.js';

const COLUMNS: readonly Column[] = [
  { name: 'kind', type: 'text', note: 'Kind of artifact; null = all.' },
  { name: 'model', type: 'text', note: 'Model asked for; null = all.' },
  {
    name: 'changed_at',
    type: 'timestamp',
    label: 'changed at',
    minor: true,
    note: 'When its version changed; only with --since-change.',
  },
  {
    name: 'before_calls',
    type: 'integer',
    label: 'calls before',
    note: 'First answered calls of traces before the change.',
  },
  { name: 'before', type: 'fraction', note: 'Their rate.' },
  { name: 'before_low', type: 'fraction', label: '95% low', note: 'Lower end of its Wilson 95 % interval.' },
  { name: 'before_high', type: 'fraction', label: '95% high', note: 'Upper end of it.' },
  { name: 'after_calls', type: 'integer', label: 'calls after', note: 'The same since the change.' },
  { name: 'after', type: 'fraction', note: 'Their rate.' },
  { name: 'after_low', type: 'fraction', label: '95% low', note: 'Lower end of its Wilson 95 % interval.' },
  { name: 'after_high', type: 'fraction', label: '95% high', note: 'Upper end of it.' },
  { name: 'difference', type: 'fraction', note: 'After - before.' },
  {
    name: 'difference_low',
    type: 'fraction',
    label: '95% low',
    note: 'Lower end of its Newcombe 95 % interval, of one look.',
  },
  { name: 'difference_high', type: 'fraction', label: '95% high', note: 'Upper end of it.' },
];

const DATED = COLUMNS.findIndex(({ name }) => name === 'changed_at');

/** @param period the first one after the change. */
export function driftResult(strata: readonly Stratum[], period: number): Result {
  const isDated = strata.some(({ changedAt }) => changedAt !== null);
  const all =
    strata.length < 2 ? [] : [rowOf({ kind: null, model: null, changedAt: null }, sum(strata), period)];
  const rows = [...all, ...strata.map((one) => rowOf(one, one.days, period))];
  return isDated
    ? { columns: COLUMNS, rows }
    : {
        columns: COLUMNS.filter((_, i) => i !== DATED),
        rows: rows.map((row) => row.filter((_, i) => i !== DATED)),
      };
}

const sum = (strata: readonly Stratum[]): Day[] =>
  strata[0]!.days.map((_, i) => total(strata.map(({ days }) => days[i]!)));

const total = (days: readonly Day[]): Day =>
  days.reduce((all, { n, x }) => ({ n: all.n + n, x: all.x + x }), { n: 0, x: 0 });

function rowOf(
  { kind, model, changedAt }: Pick<Stratum, 'model' | 'changedAt'> & { readonly kind: string | null },
  days: readonly Day[],
  period: number,
): Cell[] {
  const [before, after] = [total(days.slice(0, period)), total(days.slice(period))];
  const known = before.n > 0 && after.n > 0;
  const share = ({ n, x }: Day) => ({ rate: x / n, n });
  const ends = known ? newcombe(share(after), share(before)) : null;
  return [
    ...[kind, model, changedAt],
    ...side(before),
    ...side(after),
    ...[known ? after.x / after.n - before.x / before.n : null, ends?.low ?? null, ends?.high ?? null],
  ];
}

function side({ n, x }: Day): Cell[] {
  const ends = wilson(x, n);
  return [n, n === 0 ? null : x / n, ends?.low ?? null, ends?.high ?? null];
}
