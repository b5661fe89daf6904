import type { ExitCode } from '../schema/result.js';
import { version } from '../version.js';
import { encode } from './json.js';
import { paintFor } from './paint.js';
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

/** Promise 7: what, where, next; each whole and on a line of its own, so that paths and commands can be copied. */
export function renderError({ what, where, next, detail }: ErrorText, style: Style): string {
  const paint = paintFor(style);
  const lines = [
    `${paint.bad('error:')} ${sanitize(what)}`,
    ...(where === undefined ? [] : [`  at ${sanitize(where)}`]),
    ...(detail === undefined ? [] : detail.split(/\r?\n/).map((line) => paint.faint(`  ${sanitize(line)}`))),
    ...(next === undefined ? [] : [`  → ${sanitize(next)}`]),
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
