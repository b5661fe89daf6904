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

export function renderProm({ query, verdict, receipt, ranAt }: Report): string {
  if (verdict === undefined || ranAt === undefined) throw new Error('only a gate is watched');
  return exposition({
    gate: sanitize(query.name),
    exit: verdict.exit_code,
    judged: receipt.judged,
    rejected: receipt.totals.rejected,
    newestRecord: receipt.newest_record,
    ranAt,
  });
}

/** Of a gate that could not run: what it said last must not be taken for what is. */
export const renderPromFailure = (gate: string, exit: number, ranAt: Date): string =>
  exposition({ gate: sanitize(gate), exit, judged: null, rejected: null, newestRecord: null, ranAt });

function exposition({ gate, exit, judged, rejected, newestRecord, ranAt }: Metrics): string {
  const seconds = (time: number) => (Number.isNaN(time) ? null : time / 1_000);
  const label = `{gate="${gate.replace(/[\\"\n]/g, (char) => (char === '\n' ? '\\n' : `\\${char}`))}"}`;
  const gauge = (name: string, help: string, value: number | null) =>
    value === null ? '' : `# HELP ${name} ${help}\n# TYPE ${name} gauge\n${name}${label} ${value}\n`;
  return [
    gauge('lakelog_gate_exit', 'Exit code of the gate: 0 clear, 1 fired, 2 failed, 3 cannot vouch.', exit),
    gauge('lakelog_judged', 'Calls that the gate judged.', judged),
    gauge('lakelog_rejected', 'Lines that could not be loaded.', rejected),
    gauge(
      'lakelog_newest_record_timestamp_seconds',
      'Time of the newest record that was loaded.',
      newestRecord === null ? null : seconds(Date.parse(newestRecord)),
    ),
    gauge('lakelog_run_timestamp_seconds', 'Time of the run.', seconds(ranAt.getTime())),
  ].join('');
}
