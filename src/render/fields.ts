/** The columns of a result as people read them: cells as texts, what belongs together in one column, marks. */
import type { GateSpec } from '../schema/gate.js';
import type { Cell, Column, Result } from '../schema/result.js';
import { display, interval, isNumeric, meanInterval } from './display.js';
import type { Paint } from './paint.js';
import { sanitize } from './sanitize.js';

export interface Field {
  readonly name: string;
  readonly label: string;
  /** `number` and `time` are never broken over lines; `place` is a path, perhaps with a line. */
  readonly role: 'text' | 'number' | 'time' | 'place';
  /** Leaves first where there is no room for all. */
  readonly minor: boolean;
  readonly cells: readonly string[];
  readonly marks: readonly Mark[];
}

/** What a cell says of itself by its colour; undefined = nothing. */
export type Mark = keyof Paint | undefined;

export function fieldsOf(result: Result, gate?: GateSpec): Field[] {
  const { columns, rows } = result;
  const at = (name: string) => columns.findIndex((column) => column.name === name);
  const [file, line, small, unit] = [at('file'), at('line'), at('small_sample'), at('unit')];
  const placed = file >= 0 && line >= 0;
  const fields: Field[] = [];
  for (let i = 0; i < columns.length; i += 1) {
    if (placed && i === line) continue;
    const cellsOf = (text: (row: readonly Cell[]) => string) => rows.map(text);
    const column = columns[i]!;
    if (placed && i === file) {
      const own = { ...column, name: 'file:line', label: 'file:line' };
      fields.push(
        field(own, rows, i, gate, { role: 'place', cells: cellsOf((row) => place(row[file], row[line])) }),
      );
    } else if (isInterval(columns, i)) {
      const ends = `${labelOf(column)} [${/\d+ ?%/.exec(labelOf(columns[i + 1]!))?.[0] ?? 'low–high'}]`;
      // A column of several units says of each row which.
      const isShare = (row: readonly Cell[]) => column.type === 'fraction' || row[unit] === 'share';
      const cells = cellsOf((row) =>
        (isShare(row) ? interval : meanInterval)(row[i], row[i + 1], row[i + 2]),
      );
      const marks = rows.map((row): Mark => (row[small] === true ? 'doubtful' : undefined));
      fields.push(field({ ...column, label: ends }, rows, i, gate, { cells, marks }));
      i += 2;
    } else {
      fields.push(field(column, rows, i, gate, { cells: cellsOf((row) => display(row[i], column)) }));
    }
  }
  return fields;
}

function field(
  column: Column,
  rows: Result['rows'],
  i: number,
  gate: GateSpec | undefined,
  own: Pick<Field, 'cells'> & Partial<Field>,
): Field {
  const mark = markerOf(column, gate);
  return {
    name: column.name,
    label: labelOf(column),
    role: roleOf(column),
    minor: column.minor === true,
    marks: rows.map((row) => mark(row[i])),
    ...own,
  };
}

const PATHS: ReadonlySet<string> = new Set(['file', 'first', 'input', 'path']);

function roleOf(column: Column): Field['role'] {
  if (column.type === 'timestamp') return 'time';
  if (isNumeric(column)) return 'number';
  return PATHS.has(column.name) ? 'place' : 'text';
}

function labelOf(column: Column): string {
  return sanitize(column.label ?? column.name);
}

/** Tells a row of a chart from the others: a text, or the number of an attempt. */
const isName = (column: Column): boolean => !isNumeric(column) || column.name === 'attempt';

/** What a chart draws of a result: where the rate stands (-1 = nowhere), and the columns before it that name a row. */
export function rateIn(columns: readonly Column[]): { at: number; names: number[] } {
  const at = columns.findIndex(({ type }) => type === 'fraction');
  return { at, names: columns.flatMap((column, i) => (i < at && isName(column) ? [i] : [])) };
}

/** A fraction or a mean and the two ends of its interval, as the rates of a question stand. */
export function isInterval(columns: readonly Column[], i: number): boolean {
  return ['', '_low', '_high'].every((end, offset) => {
    const column = columns[i + offset];
    return (
      (column?.type === 'fraction' || column?.type === 'number') &&
      column.type === columns[i]?.type &&
      column.name.endsWith(end)
    );
  });
}

function place(file: Cell | undefined, line: Cell | undefined): string {
  const path = display(file, { name: 'file', type: 'text' });
  return line === null || line === undefined
    ? path
    : `${path}:${display(line, { name: 'line', type: 'integer' })}`;
}

/** Columns of ours whose values are worth a look, whatever the result. */
const WORTH_A_LOOK: Readonly<Record<string, (cell: Cell) => boolean>> = {
  small_sample: (cell) => cell === true,
  final_verdict: (cell) => cell !== 'accepted',
  verdict: (cell) => cell === 'rejected' || cell === 'other',
  grounded_in_roster: (cell) => cell === false,
  rejected: (cell) => typeof cell === 'number' && cell > 0,
  pending: (cell) => typeof cell === 'number' && cell > 0,
  problem: () => true,
  reject_reason: () => true,
};

function markerOf({ name }: Column, gate: GateSpec | undefined): (cell: Cell | undefined) => Mark {
  const marks = new Map<string, Mark>();
  if (gate?.column === name) {
    for (const { value } of gate.cannotVouch) marks.set(value, 'doubtful');
    for (const { value } of gate.fires) marks.set(value, 'bad');
  }
  const look = Object.hasOwn(WORTH_A_LOOK, name) ? WORTH_A_LOOK[name] : undefined;
  return (cell) => {
    if (cell === null || cell === undefined) return 'faint';
    // An object may have a `toString` of its own.
    return marks.get(typeof cell === 'object' ? '' : String(cell)) ?? (look?.(cell) ? 'doubtful' : undefined);
  };
}
