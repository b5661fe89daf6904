import type { Cell, Column } from '../schema/result.js';
import { sanitize } from './sanitize.js';

/** A cell as a person reads it, safe for a terminal: `71.4%`, `yes`, `(none)`. */
export function display(cell: Cell | undefined, column: Column): string {
  if (cell === null || cell === undefined) return column.type === 'text' ? '(none)' : '–';
  if (typeof cell === 'boolean') return cell ? 'yes' : 'no';
  if (typeof cell === 'number') return column.type === 'fraction' ? percent(cell) : decimal(cell);
  if (typeof cell !== 'string') return sanitize(JSON.stringify(cell));
  return column.type === 'timestamp' ? instant(cell) : sanitize(cell);
}

/** RFC 3339 as it came, without `.000`. */
export function instant(text: string): string {
  return sanitize(text.replace(/\.0+(?=Z$|[+-]\d\d:?\d\d$)/, ''));
}

export function isNumeric(column: Column): boolean {
  return column.type === 'integer' || column.type === 'number' || column.type === 'fraction';
}

function percent(value: number): string {
  return `${(value * 100).toFixed(1)}%`;
}

/** Three decimals, or three significant digits below one; digits before the point are never cut. */
export function decimal(value: number): string {
  if (Number.isInteger(value) || !Number.isFinite(value)) return String(value);
  return String(Number(Math.abs(value) < 1 ? value.toPrecision(3) : value.toFixed(3)));
}
