import { paintFor } from './paint.js';
import type { Style } from './report.js';
import { clip, trimRight, wrap } from './wrap.js';

export const LABEL = 10;

/** Lines of a paragraph whose later lines are indented; `most` × width columns of text at the most. */
export function hanging(text: string, indent: string, width: number | null, most?: number): string[] {
  if (width === null) return [text];
  const room = Math.max(width - indent.length, 1);
  const kept = most === undefined ? text : clip(text, most * room);
  return wrap(kept, room).map((line, i) => trimRight(i === 0 ? line : indent + line));
}

/** `label     text`, with the text hanging in its own column. */
export function entry(label: string, text: string, style: Style, most?: number): string[] {
  const width = style.width === null ? null : Math.max(style.width - LABEL, 1);
  const padding = ' '.repeat(LABEL - label.length);
  return hanging(text, '', width, most).map((line, i) =>
    i === 0 && label !== '' ? paintFor(style).faint(label) + padding + line : ' '.repeat(LABEL) + line,
  );
}
