/** One alarm is one mail: what a gate found is printed when it differs from what it found the run before. */
import { createHash } from 'node:crypto';
import type { Lake } from '../lake/lake.js';
import type { Report } from '../render/index.js';
import type { ExitCode, Finding, Verdict } from '../schema/result.js';

interface Printing {
  /** Says what the process ends with; silent, it only writes the copies. */
  show(isSilent: boolean): Promise<ExitCode>;
  hasArrived(): boolean;
}

export async function showNews(
  lake: Lake,
  isAsked: boolean,
  report: Report,
  verdict: Verdict,
  { show, hasArrived }: Printing,
): Promise<ExitCode> {
  const last = isAsked ? await lake.lastAnswer(questionOf(report), findingsOf(report, verdict)) : null;
  const code = await show(last?.isSame === true);
  // Afterwards, and only where it arrived: what is printed twice is no harm, and what is never printed is.
  if (last && !last.isSame && hasArrived()) await last.keep();
  return code;
}

const hash = (value: unknown) => createHash('sha256').update(JSON.stringify(value)).digest('hex');

function questionOf({ query, params, receipt }: Report): string {
  const { since, until, tz } = receipt.window;
  // A window that moves with the clock is the same window.
  return `${query.name} ${hash([params, since === null, until === null, tz])}`;
}

/** Ages grow from run to run without being news. */
const AGE = /\b\d+ (ms|s|min|h|d)\b/g;

function findingsOf({ result }: Report, { status, fired, cannot_vouch }: Verdict): string {
  const told = ({ code, message, where }: Finding) => [code, message.replaceAll(AGE, '#'), where];
  return hash([status, fired.map(told), cannot_vouch.map(told), result.rows]);
}
