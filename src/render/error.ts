import type { ExitCode } from '../schema/result.js';
import { version } from '../version.js';
import { asciiWhereAsked } from './ascii.js';
import { encode } from './json.js';
import { stepLines } from './next.js';
import { paintFor } from './paint.js';
import { hanging } from './paragraph.js';
import type { Style } from './report.js';
import { sanitize } from './sanitize.js';

export interface ErrorText {
  readonly what: string;
  /** file:line or path. */
  readonly where?: string | undefined;
  /** The next command to run. */
  readonly next?: string | undefined;
  /** More for those who look into it, several lines perhaps. */
  readonly detail?: string | undefined;
}

/** Promise 7: what, where, next; place and command on a line of their own, so that they can be copied. */
export const renderError = asciiWhereAsked(drawn);

function drawn({ what, where, next, detail }: ErrorText, style: Style): string {
  const paint = paintFor(style);
  const [first = '', ...rest] = hanging(`error: ${sanitize(what)}`, '  ', style.width);
  const lines = [
    paint.bad('error:') + first.slice('error:'.length),
    ...rest,
    ...(where === undefined ? [] : hanging(`  at ${sanitize(where)}`, '     ', style.width)),
    ...(detail === undefined ? [] : detail.split(/\r?\n/).map((line) => paint.faint(`  ${sanitize(line)}`))),
    ...(next === undefined ? [] : stepLines('  → ', next, style)),
  ];
  return lines.map((line) => `${line}\n`).join('');
}

/** The same for a program (`lakelog.error.v1`), on one line. */
export function renderErrorJson({ what, where, next, detail }: ErrorText, exitCode: ExitCode): string {
  return `${encode({
    format: 'lakelog.error.v1',
    lakelog: version,
    exit_code: exitCode,
    error: what,
    where: where ?? null,
    next: next ?? null,
    detail: detail ?? null,
  })}\n`;
}
