import { paintFor } from './paint.js';
import { hanging } from './paragraph.js';
import { rejectText } from './receipt.js';
import type { Report, Style } from './report.js';
import { sanitize } from './sanitize.js';
import { squeeze } from './squeeze.js';
import { plural } from './units.js';

const MOST = 12;

/** Warnings of a query that is no gate, for stderr: what was not read and why; '' where all was. */
export function renderNotes({ receipt, notes = [] }: Report, style: Style): string {
  const { conflicts, problems, rejects } = receipt;
  const texts: [word: string, text: string][] = [
    ...problems.map(({ path, detail }) => warning(`${sanitize(path)}: ${sanitize(detail)}`)),
    ...rejects.map((group) => warning(`rejected ${rejectText(group, style)}`)),
    ...(conflicts > 0
      ? [warning(`${plural(conflicts, 'call')} whose call_id another line carries too`)]
      : []),
    ...notes.map((text): [string, string] => ['note:', sanitize(text)]),
  ];
  const item = (index: number) => texts.slice(index, index + 1).flatMap((pair) => note(...pair, style));
  const more = (left: number) => `… and ${left} more; lakelog validate lists all`;
  return squeeze([{ lines: [], count: texts.length, item, more }], MOST, style.width)
    .map((line) => `${line}\n`)
    .join('');
}

function warning(text: string): [string, string] {
  return ['warning:', text];
}

function note(word: string, text: string, style: Style): string[] {
  const paint = paintFor(style);
  const [first = '', ...rest] = hanging(`${word} ${text}`, '  ', style.width, 2);
  return [(word === 'note:' ? paint.faint(word) : paint.doubtful(word)) + first.slice(word.length), ...rest];
}
