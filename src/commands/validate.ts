import { createHash } from 'node:crypto';
import { type Io, styleOf } from '../io.js';
import { NO_FILTERS, openLake } from '../lake/lake.js';
import type { Reject } from '../lake/rejects.js';
import { needsOf } from '../lake/tables.js';
import { DEFAULT_GATED_KINDS } from '../query/params.js';
import { receiptOf } from '../query/receipt.js';
import { chooseSources } from '../query/sources.js';
import { formats, type Report, renderAccounting, renderNotes } from '../render/index.js';
import { type Column, EXIT, type ExitCode, type Result } from '../schema/result.js';
import { formatOf, type OutputFlags, pathsOf, type ReadFlags, runOptionsOf } from './options.js';
import { progressOn } from './terminal.js';

export type ValidateFlags = OutputFlags &
  Pick<ReadFlags, 'sessions' | 'replayRuns' | 'maxLineBytes' | 'pendingGrace'>;

const COLUMNS: readonly Column[] = [
  { name: 'file', type: 'text', note: 'File the line stands in.' },
  { name: 'line', type: 'integer', note: 'Physical line, from 1.' },
  { name: 'byte_offset', type: 'integer', label: 'byte', note: "Of the line's first byte, uncompressed." },
  { name: 'reason', type: 'text', note: 'Why it is not loaded.' },
  { name: 'detail', type: 'text', note: 'The same in words.' },
];

/** Accounts for every line and lists those that cannot be loaded; exit 0 only when there is none. */
export async function validate(paths: readonly string[], flags: ValidateFlags, io: Io): Promise<ExitCode> {
  const sources = await chooseSources(pathsOf(paths, flags), io.env, io.cwd, true);
  const progress = progressOn(io);
  const options = runOptionsOf(flags, NO_FILTERS, io, progress.report);
  const lake = await openLake({
    ...options,
    needs: needsOf('', { showContent: false }),
    gatedKinds: DEFAULT_GATED_KINDS,
    params: {},
  });
  try {
    const account = await lake.load(sources.requests);
    const result = rejectRows(account.rejects.length > 0 ? await lake.rejects() : []);
    await progress.end();
    const receipt = receiptOf({
      account,
      query: { name: 'validate', sha256: createHash('sha256').update('').digest('hex') },
      from: sources.from,
      gatedKinds: DEFAULT_GATED_KINDS,
      judged: null,
      canary: null,
      now: options.now,
    });
    const loaded = receipt.calls_loaded + receipt.replay_runs_loaded;
    const hint =
      loaded === 0 && receipt.totals.lines > receipt.totals.blank
        ? [
            'no line looks like a record of session.iterate.v1 or replay.run.v1: is this the right file? (lakelog schema --json session)',
          ]
        : [];
    const report: Report = {
      query: { name: 'validate', title: 'Accounting of the log files' },
      params: {},
      result,
      receipt,
      notes: [...account.notices, ...hint],
    };
    const style = styleOf(io.stdout, io.env);
    const format = formatOf(flags);
    await io.stdout.write(
      format === 'table' ? renderAccounting(report, style) : formats[format](report, style),
    );
    await io.stderr.write(renderNotes(report, styleOf(io.stderr, io.env)));
    const sound =
      loaded > 0 &&
      account.problems.every(({ problem, path }) => problem === 'no_records' && isEmptyFile(path));
    return sound && receipt.totals.rejected === 0 && receipt.conflicts === 0 ? EXIT.clear : EXIT.cannotVouch;

    function isEmptyFile(path: string): boolean {
      return receipt.files.some((file) => file.file === path && file.rejected === 0);
    }
  } finally {
    await progress.end();
    lake.close();
  }
}

function rejectRows(rejects: readonly Reject[]): Result {
  return {
    columns: COLUMNS,
    rows: rejects.map((reject) => [
      reject.file,
      reject.line,
      reject.byte_offset,
      reject.reason,
      reject.detail,
    ]),
  };
}
