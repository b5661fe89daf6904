/** One alarm is one mail: what gates found is printed when it differs from what they found the run before. */
import { createHash } from 'node:crypto';
import { LakelogError } from '../errors.js';
import type { Lake } from '../lake/lake.js';
import type { RunOptions } from '../query/run.js';
import type { CheckReport, Report } from '../render/index.js';
import type { ExitCode, Finding, Verdict } from '../schema/result.js';

interface Printing {
  /** Says what the process ends with; silent, it only writes the copies. */
  show(isSilent: boolean): Promise<ExitCode>;
  hasArrived(): boolean;
}

/** @throws LakelogError (exit 2) where there is nothing to compare with. */
export function ensureLakeForNews(isAsked: boolean | undefined, lake: RunOptions['lake']): void {
  if (!isAsked || lake !== undefined) return;
  throw new LakelogError('--on-change compares with what a lake keeps of the run before', {
    next: 'name one: --lake FILE',
  });
}

export const showNews = (
  lake: Lake,
  isAsked: boolean,
  report: Report,
  verdict: Verdict,
  printing: Printing,
): Promise<ExitCode> =>
  showChanged(lake, isAsked, questionOf(report), () => findingsOf(report, verdict), printing);

export const showCheckNews = (
  lake: Lake,
  isAsked: boolean,
  check: CheckReport,
  printing: Printing,
): Promise<ExitCode> => showChanged(lake, isAsked, checkOf(check), () => partFindings(check), printing);

async function showChanged(
  lake: Lake,
  isAsked: boolean,
  question: string,
  findings: () => string,
  { show, hasArrived }: Printing,
): Promise<ExitCode> {
  const last = isAsked ? await lake.lastAnswer(question, findings()) : null;
  const code = await show(last?.isSame === true);
  // Afterwards, and only where it arrived: what is printed twice is no harm, and what is never printed is.
  if (last && !last.isSame && hasArrived()) await last.keep();
  return code;
}

const hash = (value: unknown) => createHash('sha256').update(JSON.stringify(value)).digest('hex');

function windowOf({ receipt }: Pick<Report, 'receipt'>) {
  const { since, until, tz } = receipt.window;
  // A window that moves with the clock is the same window.
  return [since === null, until === null, tz];
}

function questionOf(report: Report): string {
  return `${report.query.name} ${hash([report.params, ...windowOf(report)])}`;
}

const checkOf = (check: CheckReport): string =>
  `check ${hash([check.parts.map(({ kind, name }) => [kind, name]), ...windowOf(check)])}`;

/** Ages grow from run to run without being news. */
const AGE = /\b\d+ (ms|s|min|h|d)\b/g;

function findingsOf({ result }: Report, { status, fired, cannot_vouch }: Verdict): string {
  const told = ({ code, message, where }: Finding) => [code, message.replaceAll(AGE, '#'), where];
  return hash([status, fired.map(told), cannot_vouch.map(told), result.rows]);
}

/** Numbers of a decision move with every call; what it concludes is news. */
function partFindings({ parts, exitCode }: CheckReport): string {
  return hash([
    exitCode,
    parts.map(({ name, status, adds, error, report, kind }) => [
      ...[name, status, adds, error?.what ?? null, error?.where ?? null],
      kind === 'gate' && report?.verdict ? findingsOf(report, report.verdict) : null,
    ]),
  ]);
}
