import { columns } from './measure.js';
import { type Paint, paintFor } from './paint.js';
import type { Style } from './report.js';
import { sanitize } from './sanitize.js';
import { trimRight, wrapWhole } from './wrap.js';

/** What a line of a story is written with. */
export interface Pen {
  readonly width: number | null;
  readonly paint: Paint;
}

export const INDENT = '  ';
export const DEEPER = '    ';

const LABEL = 11;
const plain = (text: string) => text;

export function penOf(style: Style): Pen {
  return { width: style.width, paint: paintFor(style) };
}

/** `label      text` with the text hanging in its own column. */
export function fact(label: string, text: string, { width, paint }: Pen, brush = plain): string[] {
  const room = width === null ? null : width - INDENT.length - LABEL;
  const name = label === '' ? '' : paint.faint(label);
  return wrapped(text, room).map((line, i) => {
    const start = i === 0 ? name + ' '.repeat(LABEL - label.length) : ' '.repeat(LABEL);
    return trimRight(`${INDENT}${start}${line && brush(line)}`);
  });
}

/** A fact of several values; no line at all where none of them is known. */
export function listed(label: string, values: readonly (string | null)[], pen: Pen): string[] {
  const known = values.flatMap((value) => (value === null || value === '' ? [] : [sanitize(value)]));
  return known.length === 0 ? [] : fact(label, known.join(', '), pen);
}

export function named(name: string, value: string | null): string | null {
  return value === null || value === '' ? null : `${name} ${value}`;
}

export function item(text: string, { width }: Pen): string[] {
  const room = width === null ? null : width - DEEPER.length - 2;
  return wrapped(text, room).map((line, i) => trimRight(`${DEEPER}${i === 0 ? '- ' : '  '}${line}`));
}

export function paragraph(text: string, indent: string, { width }: Pen, brush = plain): string[] {
  return wrapped(text, width === null ? null : width - indent.length).map((line) => indent + brush(line));
}

/** Pieces two spaces apart, with line breaks only between them; later lines are indented by `hanging`. */
export function flow(pieces: readonly string[], indent: string, hanging: string, { width }: Pen): string[] {
  const lines: string[] = [];
  for (const piece of pieces) {
    const line = lines.at(-1);
    const longer = line === undefined ? indent + piece : `${line}  ${piece}`;
    if (line === undefined) lines.push(longer);
    else if (width === null || columns(longer) <= width) lines[lines.length - 1] = longer;
    else lines.push(hanging + piece);
  }
  return lines;
}

/** A line of the record behind a gutter, so that it cannot pass for a line of ours. */
export function quoted(text: string, indent: string, pen: Pen, sign = '', brush = plain): string[] {
  const gutter = `${indent}${pen.paint.faint('│')}`;
  const room = pen.width === null ? null : pen.width - indent.length - 2 - sign.length;
  return wrapped(sanitize(text.replaceAll('\t', DEEPER)), room).map((line, i) => {
    const shown = trimRight((i === 0 ? sign : ' '.repeat(sign.length)) + line);
    return shown === '' ? gutter : `${gutter} ${brush(shown)}`;
  });
}

/** Words that are too wide stay whole: ids, paths and commands are there to be copied. */
function wrapped(text: string, room: number | null): string[] {
  const trimmed = trimRight(text);
  return room === null ? [trimmed] : wrapWhole(trimmed, Math.max(room, 1)).map(trimRight);
}
