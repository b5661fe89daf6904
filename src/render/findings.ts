import type { Finding, Verdict } from '../schema/result.js';
import { stepLines } from './next.js';
import { type Paint, paintFor } from './paint.js';
import { hanging } from './paragraph.js';
import type { Style } from './report.js';
import { sanitize } from './sanitize.js';

export const KINDS = ['fired', 'cannot_vouch', 'notices'] as const;
export type Kind = (typeof KINDS)[number];

/** Where several are judged, one may be in error, and one may be a warning only. */
export type Weight = Kind | 'error' | 'warning';

export const WORDS: Readonly<Record<Weight, string>> = {
  fired: 'fired:',
  error: 'error:',
  cannot_vouch: 'cannot vouch:',
  warning: 'warning:',
  notices: 'notice:',
};

/** Every finding with what, where and next (promise 7), or '' where there is none. */
export function renderFindings(verdict: Verdict, style: Style): string {
  return KINDS.flatMap((kind) => verdict[kind].flatMap((finding) => findingLines(kind, finding, style)))
    .map((line) => `${line}\n`)
    .join('');
}

/** What is wrong and where, then the step that follows. */
export function findingLines(kind: Weight, { message, where, next }: Finding, style: Style): string[] {
  const paint = paintFor(style);
  const what = `${WORDS[kind]} ${sanitize(message)}${where === undefined ? '' : ` (${sanitize(where)})`}`;
  const [first = '', ...rest] = hanging(what, '  ', style.width);
  return [
    brush(kind, paint)(WORDS[kind]) + first.slice(WORDS[kind].length),
    ...rest,
    ...(next === undefined ? [] : stepLines('  → ', next, style)),
  ];
}

function brush(kind: Weight, paint: Paint): (text: string) => string {
  if (kind === 'fired' || kind === 'error') return paint.bad;
  return kind === 'notices' ? paint.faint : paint.doubtful;
}
