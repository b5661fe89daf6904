import type { Field, Mark } from './fields.js';
import { columns } from './measure.js';
import type { Paint } from './paint.js';
import { longestWord, trimRight, widest, wrap } from './wrap.js';

const NARROWEST = 20;
const GAP = '  ';

/** The expanded layout of psql's `\x auto`: a block a row, a line a cell, where a table has no room. */
export function blocks(fields: readonly Field[], width: number, paint: Paint): string {
  const room = Math.max(width, NARROWEST);
  const labelWidth = Math.min(widest(fields.map(({ label }) => label)), Math.floor(room * 0.4));
  const rows = fields[0]?.cells.length ?? 0;
  const lines = Array.from({ length: rows }, (_, row) => [
    paint.faint(`── row ${row + 1} ──`),
    ...fields.flatMap(({ label, cells, marks }) =>
      entry(label, cells[row] ?? '', marks[row], labelWidth, room, paint),
    ),
  ]);
  return `${lines.flat().join('\n')}\n`;
}

function entry(
  label: string,
  value: string,
  mark: Mark,
  labelWidth: number,
  room: number,
  paint: Paint,
): string[] {
  const brush = (text: string) => (text === '' || mark === undefined ? text : paint[mark](text));
  const beside = room - labelWidth - GAP.length;
  const longest = longestWord(value);
  const names = wrap(label, labelWidth);
  if (longest > beside && longest <= room) {
    const indent = ' '.repeat(Math.min(GAP.length, room - longest));
    return [
      ...names.map((name) => paint.strong(name)),
      ...wrap(value, room - indent.length).map((line) => indent + brush(trimRight(line))),
    ];
  }
  const values = wrap(value, beside);
  return Array.from({ length: Math.max(names.length, values.length) }, (_, i) => {
    const name = names[i] ?? '';
    const padding = ' '.repeat(labelWidth - columns(name));
    return trimRight(`${name && paint.strong(name)}${padding}${GAP}${brush(trimRight(values[i] ?? ''))}`);
  });
}
