import { paintFor } from './paint.js';
import type { Style } from './report.js';
import { clip, trimRight, wrap } from './wrap.js';

export const LABEL = 10;

/** Lines of a paragraph whose later lines are indented; of `most` lines at the most, cut in the middle. */
export function hanging(text: string, indent: string, width: number | null, most?: number): string[] {
  if (width === null) return [text];
  const room = Math.max(width - indent.length, 1);
  const lines = most === undefined ? wrap(text, room) : wrapAtMost(text, room, most);
  return lines.map((line, i) => trimRight(i === 0 ? line : indent + line));
}

// Lines that break at spaces are seldom full, so what fits is found by trying.
function wrapAtMost(text: string, room: number, most: number): string[] {
  for (let width = most * room; ; width -= 4) {
    const lines = wrap(clip(text, width), room);
    if (lines.length <= most || width <= room) return lines;
  }
}

/** `label     text`, with the text hanging in its own column. */
export function entry(label: string, text: string, style: Style, most?: number): string[] {
  const width = style.width === null ? null : Math.max(style.width - LABEL, 1);
  const padding = ' '.repeat(LABEL - label.length);
  return hanging(text, '', width, most).map((line, i) =>
    i === 0 && label !== '' ? paintFor(style).faint(label) + padding + line : ' '.repeat(LABEL) + line,
  );
}
