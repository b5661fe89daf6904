import { realpathSync, statSync } from 'node:fs';
import { adviceFor, messageOf } from '../errors.js';
import { type Io, styleOf } from '../io.js';
import { kernelPath } from '../kernel-path.js';
import { asciiWhereAsked } from '../render/ascii.js';
import {
  type CheckReport,
  checkFormats,
  type Format,
  formats,
  type Report,
  renderCheckFindings,
  renderCheckReceipt,
  renderCheckSummary,
  renderError,
  renderFindings,
  renderReceipt,
  renderStepSummary,
  type Style,
  type TextFormat,
} from '../render/index.js';
import { documentOf, inEnvelope, isRowFormat } from '../render/stream.js';
import type { Block } from '../schema/block.js';
import { EXIT, type ExitCode, type Receipt, type Verdict } from '../schema/result.js';
import type { Copy } from './copies.js';
import { formatOf, type OutputFlags } from './options.js';
import { appendToFile, type Draft, piecesOf, READABLE, replaceFile } from './write-file.js';

const PLAIN = { color: false, width: null };

/** What is printed of one verdict, or of several. */
interface Shown {
  readonly exitCode: ExitCode;
  /** The files that were read, which no copy may take the place of. */
  readonly receipt: Receipt;
  /** A table without rows would only push the receipt down. */
  readonly hasRows: boolean;
  withExit(code: ExitCode): Shown;
  draw(format: TextFormat, style: Style): string;
  account(style: Style): string;
  findings(style: Style): string;
  summary(): string;
}

const ofGate = (report: Report, verdict: Verdict): Shown => ({
  exitCode: verdict.exit_code,
  receipt: report.receipt,
  hasRows: report.result.rows.length > 0,
  withExit: (code) => {
    const ended = { ...verdict, exit_code: code };
    return ofGate({ ...report, verdict: ended }, ended);
  },
  draw: (format, style) => formats[format](report, style),
  account: (style) => renderReceipt(report, style),
  findings: (style) => renderFindings(verdict, style),
  summary: () => renderStepSummary(report),
});

const ofCheck = (check: CheckReport): Shown => ({
  exitCode: check.exitCode,
  receipt: check.receipt,
  hasRows: true,
  withExit: (exitCode) => ofCheck({ ...check, exitCode }),
  draw: (format, style) => checkFormats[format](check, style),
  account: (style) => renderCheckReceipt(check, style),
  findings: (style) => renderCheckFindings(check, style),
  summary: () => renderCheckSummary(check),
});

/** Null where the rows do not fit one string: that must not change what the gate found. */
function drawn(shown: Shown, format: TextFormat, io: Io): string | null {
  try {
    return shown.draw(format, styleOf(io.stdout, io.env));
  } catch (error) {
    if (error instanceof RangeError) return null;
    throw error;
  }
}

export type GateOutput = OutputFlags & { readonly quiet?: true; readonly isSilent?: boolean };

/** Prints what a gate found; the exit code is the verdict's, whatever becomes of the copies. */
export const showGate = (
  found: Report,
  verdict: Verdict,
  flags: GateOutput,
  copies: readonly Copy[],
  io: Io,
): Promise<ExitCode> => show(ofGate(found, verdict), flags, copies, io);

/** The same of several. */
export const showCheck = (
  check: CheckReport,
  flags: GateOutput,
  copies: readonly Copy[],
  io: Io,
): Promise<ExitCode> => show(ofCheck(check), flags, copies, io);

async function show(found: Shown, flags: GateOutput, copies: readonly Copy[], io: Io): Promise<ExitCode> {
  const ending = (written: boolean) =>
    found.withExit(found.exitCode === EXIT.fired || written ? found.exitCode : EXIT.error);
  const format = formatOf(flags);
  const copied = await copyAll(copies, found.receipt, io, (name) => [
    // The table is for people, who want to know what it rests on.
    found.draw(name, PLAIN) + (name === 'table' ? found.account(PLAIN) : ''),
  ]);
  if (flags.isSilent) return ending(copied).exitCode;
  if (flags.quiet && ending(copied).exitCode === EXIT.clear) return EXIT.clear;
  // Before anything is printed: what is printed tells the exit code.
  const summarised = format !== 'github' || (await summarise(ending(copied), io));
  const shown = ending(copied && summarised);
  const rows = format === 'table' && !shown.hasRows ? '' : drawn(shown, format, io);
  const style = styleOf(io.stderr, io.env);
  await io.stdout.write(rows ?? '');
  if (rows === null)
    await io.stderr.write(
      'the rows are too many or too long to print as one text: narrow them with the filters\n',
    );
  // The envelope carries the receipt; whoever reads only stderr still learns why the gate is not clear.
  if (format !== 'json') await io.stderr.write(shown.account(style));
  else if (found.exitCode !== EXIT.clear) await io.stderr.write(shown.findings(style));
  return shown.exitCode;
}

/**
 * Prints the rows of a question that is no gate.
 * @param screen what stdout gets, where that is not what the copies get; null = it has its rows already.
 */
export async function showRows(
  report: Report,
  verdict: Verdict,
  flags: OutputFlags,
  copies: readonly Copy[],
  io: Io,
  screen: Report | null = report,
): Promise<ExitCode> {
  const written = await writeCopies(report, copies, io);
  if (screen !== null) {
    await io.stdout.write(formats[formatOf(flags)](screen, styleOf(io.stdout, io.env)));
    if (flags.chart) await showChart(screen, io);
  }
  await io.stderr.write(renderFindings(verdict, styleOf(io.stderr, io.env)));
  return written ? verdict.exit_code : EXIT.error;
}

async function showChart({ result }: Report, io: Io): Promise<void> {
  const { renderChart } = await import('../render/chart.js');
  const chart = asciiWhereAsked(renderChart)(result, styleOf(io.stdout, io.env));
  if (chart === '') await io.stderr.write('nothing to draw: no rate in any row\n');
  else await io.stdout.write(`\n${chart}`);
}

/**
 * False when one of them could not be written, which is told on stderr.
 * @param blocks all rows, where they may be too many for the report to hold them.
 */
export function writeCopies(
  report: Report,
  copies: readonly Copy[],
  io: Io,
  blocks?: () => AsyncIterable<Block>,
): Promise<boolean> {
  return copyAll(copies, report.receipt, io, (format) => {
    if (blocks && isRowFormat(format)) return documentOf(format, report, blocks());
    const receipt = format === 'table' && report.verdict !== undefined ? renderReceipt(report, PLAIN) : '';
    return [formats[format](report, PLAIN) + receipt];
  });
}

async function copyAll(
  copies: readonly Copy[],
  read: Receipt,
  io: Io,
  draw: (format: TextFormat) => Parameters<typeof replaceFile>[1],
): Promise<boolean> {
  let all = true;
  for (const { file, format } of copies) {
    try {
      ensureNotRead(file, read, io.cwd);
      await replaceFile(kernelPath(io.cwd, file), draw(format), format === 'prom' ? READABLE : undefined);
    } catch (error) {
      all = false;
      await tellUnwritten('the copy', file, error, io);
    }
  }
  return all;
}

/** Puts a copy that is written already where it shall stand; false when it cannot, which is told on stderr. */
export async function placeCopy(
  report: Report,
  { file, format }: Copy<Format>,
  draft: Draft | Error,
  io: Io,
): Promise<boolean> {
  try {
    if (draft instanceof Error) throw draft;
    ensureNotRead(file, report.receipt, io.cwd);
    if (format === 'json') {
      await replaceFile(kernelPath(io.cwd, file), inEnvelope(report, piecesOf(draft.path)));
    } else await draft.place();
    return true;
  } catch (error) {
    await tellUnwritten('the copy', file, error, io);
    return false;
  }
}

/** The rows must not take the place of the log, or of anything of the lake, that they come from. */
export function ensureNotRead(file: string, receipt: Receipt, cwd: string): void {
  const where = kernelPath(cwd, file);
  const target = identityOf(where);
  if (target === null) return;
  const besides = [receipt.acknowledged?.file ?? '-', receipt.recomputed?.roster ?? '-'];
  const read = [...receipt.files.map((one) => one.file), ...besides];
  const isRead = read.some((name) => name !== '-' && identityOf(kernelPath(cwd, name)) === target);
  if (isRead || (receipt.lake && isOfLake(where, kernelPath(cwd, receipt.lake.path)))) {
    throw new Error('it is one of the files that were read');
  }
}

/** @param file there is one. @param lake a file, which has its log of changes and its seal beside it, or a folder. */
function isOfLake(file: string, lake: string): boolean {
  try {
    const [target, own] = [realpathSync.native(file), realpathSync.native(lake)];
    if (statSync(own).isDirectory()) return target.startsWith(`${own}/`);
    return ['', '.wal', '.seal'].some((end) => identityOf(own + end) === identityOf(target));
  } catch {
    // It is gone by now.
    return false;
  }
}

/** Null for what is no file yet. */
export function identityOf(target: string): string | null {
  const stats = statSync(target, { bigint: true, throwIfNoEntry: false });
  return stats?.isFile() ? `${stats.dev}:${stats.ino}` : null;
}

/** GitHub shows this file on the page of the run. False where it could not be written, which is told on stderr. */
async function summarise(shown: Shown, io: Io): Promise<boolean> {
  const file = io.env.GITHUB_STEP_SUMMARY;
  if (!file) return true;
  try {
    await appendToFile(kernelPath(io.cwd, file), shown.summary());
    return true;
  } catch (error) {
    await tellUnwritten('the step summary', file, error, io);
    return false;
  }
}

export async function tellUnwritten(what: string, where: string, error: unknown, io: Io): Promise<void> {
  const advice = adviceFor(error) ?? { what: messageOf(error), next: 'name another file' };
  await io.stderr.write(
    renderError(
      { what: `${what} cannot be written: ${advice.what}`, where, next: advice.next },
      styleOf(io.stderr, io.env),
    ),
  );
}
