import type { CheckReport, Part } from './check.js';
import type { Report } from './report.js';
import { sanitize } from './sanitize.js';

/**
 * What monitoring watches of a gate, in Prometheus' text format, for the text file collector of its node exporter.
 * Every series names its gate: files of several gates lie in one folder, and equal series there are an error.
 * https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format
 */
interface Metrics {
  readonly gate: string;
  readonly exit: number;
  /** Null = unknown, and then there is no series: absent() tells. */
  readonly judged: number | null;
  readonly rejected: number | null;
  readonly newestRecord: string | null;
  readonly ranAt: Date;
}

export const renderProm = (report: Report): string => exposition([metricsOf(report)]);

function metricsOf({ query, verdict, receipt, ranAt }: Report): Metrics {
  if (verdict === undefined || ranAt === undefined) throw new Error('only a gate is watched');
  return {
    gate: sanitize(query.name),
    exit: verdict.exit_code,
    judged: receipt.judged,
    rejected: receipt.totals.rejected,
    newestRecord: receipt.newest_record,
    ranAt,
  };
}

/** `check` itself is one more, whose exit code is that of the run. */
export function renderCheckProm({ parts, exitCode, receipt, ranAt }: CheckReport): string {
  const unknown = { rejected: null, newestRecord: null, ranAt };
  const all = {
    ...{ gate: 'check', exit: exitCode, judged: null, rejected: receipt.totals.rejected },
    ...{ newestRecord: receipt.newest_record, ranAt },
  };
  const of = ({ name, exit_code, report }: Part): Metrics => ({
    ...{ gate: sanitize(name), exit: exit_code, judged: report?.receipt.judged ?? null },
    ...unknown,
  });
  return exposition([all, ...parts.map(of)]);
}

/** Of a gate that could not run: what it said last must not be taken for what is. */
export const renderPromFailure = (gate: string, exit: number, ranAt: Date): string =>
  exposition([{ gate: sanitize(gate), exit, judged: null, rejected: null, newestRecord: null, ranAt }]);

const escapeLabel = (text: string) =>
  text.replace(/[\\"\n]/g, (char) => (char === '\n' ? '\\n' : `\\${char}`));

/** All series of a name stand together, below one head. */
function exposition(all: readonly Metrics[]): string {
  const seconds = (time: number) => (Number.isNaN(time) ? null : time / 1_000);
  const gauge = (name: string, help: string, pick: (metrics: Metrics) => number | null) => {
    const series = all.flatMap((metrics) => {
      const value = pick(metrics);
      return value === null ? [] : [`${name}{gate="${escapeLabel(metrics.gate)}"} ${value}\n`];
    });
    return series.length === 0 ? '' : `# HELP ${name} ${help}\n# TYPE ${name} gauge\n${series.join('')}`;
  };
  return [
    gauge(
      'lakelog_gate_exit',
      'Exit code of the gate: 0 clear, 1 fired, 2 failed, 3 cannot vouch.',
      ({ exit }) => exit,
    ),
    gauge('lakelog_judged', 'Calls that the gate judged.', ({ judged }) => judged),
    gauge('lakelog_rejected', 'Lines that could not be loaded.', ({ rejected }) => rejected),
    gauge(
      'lakelog_newest_record_timestamp_seconds',
      'Time of the newest record that was loaded.',
      ({ newestRecord }) => (newestRecord === null ? null : seconds(Date.parse(newestRecord))),
    ),
    gauge('lakelog_run_timestamp_seconds', 'Time of the run.', ({ ranAt }) => seconds(ranAt.getTime())),
  ].join('');
}
