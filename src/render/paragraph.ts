import { paintFor } from './paint.js';
import type { Style } from './report.js';
import { sanitize } from './sanitize.js';
import { trimRight, wrap, wrapWhole } from './wrap.js';

export const LABEL = 10;

/** Columns of prose where there is no terminal: in mails and logs of CI. */
export const PROSE = 100;

/** Lines of a paragraph whose later lines are indented. */
export function hanging(text: string, indent: string, width: number | null): string[] {
  return filled(text, indent.length, width).map((line, i) => trimRight(i === 0 ? line : indent + line));
}

/** `label     text`, with the text hanging in its own column. */
export function entry(label: string, text: string, style: Style): string[] {
  const head = paintFor(style).faint(label) + ' '.repeat(LABEL - label.length);
  return filled(text, LABEL, style.width).map((line, i) =>
    trimRight((i === 0 && label !== '' ? head : ' '.repeat(LABEL)) + line),
  );
}

/**
 * Without a terminal a path is left whole, however long: there it is looked for and copied, and nothing breaks the
 * line in its place. And no word that has come to stand at the start of a line may be one that a CI runner obeys.
 */
function filled(text: string, indent: number, width: number | null): string[] {
  const room = Math.max((width ?? PROSE) - indent, 1);
  return width === null ? wrapWhole(text, room).map(sanitize) : wrap(text, room);
}
