import { columns } from './measure.js';
import type { Paint } from './paint.js';
import { longestWord, trimRight, widest, wrap } from './wrap.js';

const NARROWEST = 20;
const GAP = '  ';

/** The expanded layout of psql's `\x auto`: a block a row, a line a cell, for tables wider than the terminal. */
export function blocks(
  labels: readonly string[],
  rows: readonly string[][],
  width: number,
  paint: Paint,
): string {
  const room = Math.max(width, NARROWEST);
  const labelWidth = Math.min(widest(labels), Math.floor(room * 0.4));
  const lines = rows.flatMap((row, i) => [
    paint.faint(`── row ${i + 1} ──`),
    ...labels.flatMap((label, column) => field(label, row[column] ?? '', labelWidth, room, paint)),
  ]);
  return `${lines.join('\n')}\n`;
}

function field(label: string, value: string, labelWidth: number, room: number, paint: Paint): string[] {
  const beside = room - labelWidth - GAP.length;
  const longest = longestWord(value);
  const names = wrap(label, labelWidth);
  if (longest > beside && longest <= room) {
    const indent = ' '.repeat(Math.min(GAP.length, room - longest));
    return [
      ...names.map((name) => paint.strong(name)),
      ...wrap(value, room - indent.length).map((line) => trimRight(indent + line)),
    ];
  }
  const values = wrap(value, beside);
  return Array.from({ length: Math.max(names.length, values.length) }, (_, i) => {
    const name = names[i] ?? '';
    const padding = ' '.repeat(labelWidth - columns(name));
    return trimRight(`${name && paint.strong(name)}${padding}${GAP}${values[i] ?? ''}`);
  });
}
