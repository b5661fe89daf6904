import type { Cell, Column, Result } from '../schema/result.js';
import { blocks } from './blocks.js';
import { display, isNumeric } from './display.js';
import { GAP, grid, type Piece } from './grid.js';
import { columns } from './measure.js';
import { type Paint, paintFor } from './paint.js';
import type { Report, Style } from './report.js';
import { sanitize } from './sanitize.js';
import { longestWord, wrap } from './wrap.js';

export function renderTable(report: Report, style: Style): string {
  return tableOf(report.result, style);
}

const WIDEST = 4000;

/** A table where it fits, else a block a row, so that nothing is ever cut. */
export function tableOf(result: Result, style: Style): string {
  if (result.rows.length === 0) return '(no rows)\n';
  return (
    gridOf(result, style) ??
    blocks(result.columns.map(label), texts(result), style.width ?? WIDEST, paintFor(style))
  );
}

/** The table, or null where it is wider than the terminal even with its headings wrapped. */
export function gridOf(result: Result, style: Style): string | null {
  const body = texts(result);
  const labels = result.columns.map(label);
  const paint = paintFor(style);
  const widths = columnWidths(labels, body, style.width);
  if (widths === null) return null;
  const tracks = result.columns.map((column, i) => ({
    width: widths[i] ?? 1,
    align: isNumeric(column) ? ('right' as const) : ('left' as const),
  }));
  const rows = body.map((row) => row.map((text, i) => piece(text, result.columns[i], paint)));
  return `${grid([...heading(labels, widths, paint), ...rows], tracks).join('\n')}\n`;
}

function label(column: Column): string {
  return sanitize(column.label ?? column.name);
}

function texts(result: Result): string[][] {
  return result.rows.map((row: readonly Cell[]) =>
    result.columns.map((column, i) => display(row[i], column)),
  );
}

function piece(text: string, column: Column | undefined, paint: Paint): Piece {
  if (column?.name !== 'reason') return { text };
  if (text === 'ungrounded') return { text, paint: paint.bad };
  return text === 'unjudged' ? { text, paint: paint.doubtful } : { text };
}

function heading(labels: readonly string[], widths: readonly number[], paint: Paint): Piece[][] {
  const wrapped = labels.map((text, i) => wrap(text, widths[i] ?? 1));
  const height = Math.max(...wrapped.map((lines) => lines.length));
  const lines = Array.from({ length: height }, (_, y) =>
    wrapped.map((own) => ({ text: own[y - height + own.length] ?? '', paint: paint.strong })),
  );
  return [...lines, widths.map((width) => ({ text: '─'.repeat(width), paint: paint.faint }))];
}

/** Each column at its natural width, or with its heading wrapped as little as needed; null when that is too wide. */
function columnWidths(labels: readonly string[], body: readonly string[][], room: number | null) {
  const bodies = labels.map((_, i) => body.reduce((most, row) => Math.max(most, seat(row[i] ?? '')), 1));
  const natural = labels.map((text, i) => Math.max(bodies[i] ?? 1, seat(text)));
  // Every row is padded to the widest cell: one cell of megabytes must not be paid for in each of them.
  if (room === null) return sum(natural) <= WIDEST ? natural : null;
  const widths = labels.map((text, i) => Math.max(bodies[i] ?? 1, longestWord(text)));
  let spare = room - sum(widths) - GAP * (widths.length - 1);
  if (spare < 0) return null;
  return widths.map((width, i) => {
    const missing = (natural[i] ?? width) - width;
    const grown = missing <= spare ? missing : 0;
    spare -= grown;
    return width + grown;
  });
}

/** The grid gives every piece at least one column. */
function seat(text: string): number {
  return Math.max(1, columns(text));
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
