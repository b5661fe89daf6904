/** The rows that `compare` prints. */
import type { Arm } from '../gate/compare.js';
import {
  type Compared,
  crude,
  type Difference,
  type Estimate,
  estimate,
  type Measure,
} from '../gate/measures.js';
import type { ArmCounts, KindCounts } from '../schema/counts.js';
import type { Metric } from '../schema/decision.js';
import type { Cell, Column, Result } from '../schema/result.js';

const COLUMNS: readonly Column[] = [
  { name: 'measure', type: 'text', note: 'What is compared.' },
  { name: 'kind', type: 'text', note: 'Kind of artifact; null = all kinds.' },
  {
    name: 'of',
    type: 'text',
    label: 'of',
    note: 'baseline, candidate, difference (candidate - baseline), or same mix: that in the mix of kinds that the baseline has.',
  },
  { name: 'value', type: 'number', note: 'A rate from 0 to 1, a mean, or a difference of two.' },
  {
    name: 'value_low',
    type: 'number',
    label: '95% low',
    note: 'Lower end of its 95 % interval, of one look.',
  },
  { name: 'value_high', type: 'number', label: '95% high', note: 'Upper end of it.' },
  { name: 'calls', type: 'integer', note: 'Calls that it rests on.' },
  { name: 'traces', type: 'integer', minor: true, note: 'Traces of those.' },
  { name: 'unit', type: 'text', minor: true, note: 'Of the value: share, attempts, tokens or seconds.' },
];

const WORDS: Readonly<Record<Measure, string>> = {
  'first-shot-rate': 'first-shot rate',
  'acceptance-rate': 'acceptance rate',
  attempts: 'attempts per answered',
  tokens: 'tokens per accepted',
  seconds: 'seconds per accepted',
};

const isRate = (measure: Measure) => measure === 'first-shot-rate' || measure === 'acceptance-rate';

export function compareResult(
  compared: readonly Compared[],
  { baseline, candidate }: { readonly baseline: Arm; readonly candidate: Arm },
  metric: Metric,
): Result {
  const rows = [
    ...compared.flatMap((one) => [
      row(one.measure, null, 'baseline', one.baseline),
      row(one.measure, null, 'candidate', one.candidate),
      row(one.measure, null, 'difference', one.crude),
      row(one.measure, null, 'same mix', one.standardised),
    ]),
    ...kindRows(metric, baseline.counts.kinds, candidate.counts.kinds),
  ];
  return { columns: COLUMNS, rows };
}

function kindRows(
  metric: Metric,
  baseline: readonly KindCounts[],
  candidate: readonly KindCounts[],
): Cell[][] {
  const names = [...new Set([...baseline, ...candidate].map(({ kind }) => kind))].sort();
  if (names.length < 2) return [];
  return names.flatMap((kind) => {
    const [b, c] = [baseline, candidate].map((own) => own.find((one) => one.kind === kind));
    return [
      row(metric, kind, 'baseline', b ? estimate(metric, b) : null),
      row(metric, kind, 'candidate', c ? estimate(metric, c) : null),
      row(metric, kind, 'difference', b && c ? crude(metric, b, c) : null),
    ];
  });
}

function row(
  measure: Measure,
  kind: string | null,
  of: string,
  known: (Difference & Partial<Pick<Estimate, 'calls' | 'traces'>>) | null,
): Cell[] {
  return [
    ...[WORDS[measure], kind, of],
    ...[known?.value ?? null, known?.interval?.low ?? null, known?.interval?.high ?? null],
    ...[known?.calls ?? null, known?.traces ?? null, isRate(measure) ? 'share' : measure],
  ];
}

/** The same of one arm alone. */
export const baselineResult = (
  { kinds }: ArmCounts,
  all: readonly (readonly [Measure, Estimate | null])[],
): Result => ({
  columns: COLUMNS,
  rows: [
    ...all.map(([measure, known]) => row(measure, null, 'baseline', known)),
    ...kinds.flatMap((one) =>
      (['first-shot-rate', 'acceptance-rate'] as const).map((measure) =>
        row(measure, one.kind, 'baseline', estimate(measure, one)),
      ),
    ),
  ],
});
