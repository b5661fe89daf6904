/** Options of decisions, for the help and the parser. */
import { InvalidArgumentError, Option } from 'commander';
import { READINGS } from '../query/setting-types.js';
import { gateFormatNames } from '../render/format-names.js';
import { METRICS, type Metric } from '../schema/decision.js';
import {
  acksOption,
  filterOptions,
  logOptions,
  type OptionGroup,
  outputOptions,
  usually,
  wholeNumber,
} from './options.js';

const MEANS = /token|second|attempt|cost|duration|latency/i;

export const metricOption = (): Option =>
  new Option('--metric <name>', `the rate that is decided: ${METRICS.join(' or ')}`)
    .argParser((text): Metric => {
      const metric = METRICS.find((name) => name === text);
      if (metric !== undefined) return metric;
      const why = MEANS.test(text)
        ? ' Means are shown with their intervals, and nothing is decided by them.'
        : '';
      throw new InvalidArgumentError(`It takes ${METRICS.join(' or ')}.${why}`);
    })
    .default('first-shot-rate');

export function marginParser(text: string): number {
  const margin = READINGS.margin.fromText(text);
  if (typeof margin === 'number') return margin;
  const points = /^(\d+(\.\d+)?)\s*%?$/.exec(text)?.[1];
  const meant =
    points !== undefined && Number(points) < 100
      ? ` Ten points are .10, and ${points} are ${Number(points) / 100}.`
      : '';
  throw new InvalidArgumentError(`It takes ${READINGS.margin.takes}.${meant}`);
}

export const alphaOption = (usual: string): Option =>
  new Option(
    '--alpha <share>',
    `how often it may be wrong, one-sided (default: LAKELOG_ALPHA, alpha of lakelog.toml, ${usual})`,
  );

export const familyAlphaOption = (): Option =>
  new Option(
    '--alpha <share>',
    `how often all compare and drift entries together may be wrong; each gets its share ${usually('alpha')}`,
  );

/** What all decisions take beside their own options. */
export const decisionOptions = (): readonly OptionGroup[] => [
  {
    heading: 'Gate:',
    options: [
      new Option('--min-judged <n>', 'cannot vouch with fewer first answered calls').argParser(
        wholeNumber(0),
      ),
      new Option(
        '--max-rejects <n>',
        'rejects and conflicts that do not keep the gate from vouching',
      ).argParser(wholeNumber(0)),
      acksOption('acknowledgements'),
      new Option('--max-age <duration>', 'cannot vouch when the newest call is older, e.g. 36h'),
      new Option('--expect <file>', 'TOML that names who must be heard of'),
      new Option('-q, --quiet', 'print nothing on exit 0'),
    ],
  },
  filterOptions(),
  ...logOptions(),
  outputOptions(gateFormatNames),
];
