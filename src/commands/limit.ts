/** Printing no more rows than were asked for, and saying so. */
import type { Io } from '../io.js';
import type { Report } from '../render/index.js';
import { EXIT, type ExitCode, type Verdict } from '../schema/result.js';
import { type Copy, mostRows } from './copies.js';
import type { OutputFlags } from './options.js';
import { showRows } from './output.js';

/** What got its rows on another way. */
export interface Elsewhere {
  readonly stdout: boolean;
  /** Files that the limit holds for. */
  readonly files: number;
}

/** Prints the rows of a question that is no gate. 3 where a file or a pipe got fewer than there are. */
export async function showLimited(
  limit: number | undefined,
  report: Report,
  verdict: Verdict,
  flags: OutputFlags,
  copies: readonly Copy[],
  io: Io,
  elsewhere: Elsewhere = { stdout: false, files: 0 },
): Promise<ExitCode> {
  const whole = limit === undefined ? report : cutTo(limit, report);
  const screen = cutTo(mostRows(limit, [], io), whole);
  const code = await showRows(whole, verdict, flags, copies, io, elsewhere.stdout ? null : screen);
  if (!screen.truncated) return code;
  await io.stderr.write(
    `only the first ${screen.result.rows.length} rows are shown, there are more (--limit N shows more)\n`,
  );
  // A reader of a file or pipe takes what is there for all there is.
  const files = copies.length + (limit === undefined ? 0 : elsewhere.files);
  const misleads = whole.truncated === true && (files > 0 || !io.stdout.isTTY);
  return misleads && code === EXIT.clear ? EXIT.cannotVouch : code;
}

function cutTo(most: number, report: Report): Report {
  const { columns, rows } = report.result;
  return rows.length <= most
    ? report
    : { ...report, result: { columns, rows: rows.slice(0, most) }, truncated: true };
}
