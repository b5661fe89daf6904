import type { Cell, Column } from '../schema/result.js';
import { sanitize } from './sanitize.js';

/** What nobody recorded, in every text for people. */
export const NULL = '–';

/** A cell as a person reads it, safe for a terminal: `71.4 %`, `yes`, `–`. */
export function display(cell: Cell | undefined, column: Column): string {
  if (cell === null || cell === undefined) return NULL;
  if (typeof cell === 'boolean') return cell ? 'yes' : 'no';
  if (typeof cell === 'number') return column.type === 'fraction' ? percent(cell, 1) : decimal(cell);
  if (typeof cell !== 'string') return sanitize(JSON.stringify(cell));
  return column.type === 'timestamp' ? instant(cell) : sanitize(cell);
}

/** A rate and its interval, with as many decimals as the interval is worth: `64 % [55–72]`, `99.21 % [99.18–99.24]`. */
export function interval(rate: Cell | undefined, low: Cell | undefined, high: Cell | undefined): string {
  if (typeof rate !== 'number') return NULL;
  if (typeof low !== 'number' || typeof high !== 'number') return percent(rate, 1);
  const points = 100 * (high - low);
  const decimals = points >= 2 ? 0 : points >= 0.2 ? 1 : 2;
  const end = (value: number) => (100 * value).toFixed(decimals);
  return `${percent(rate, decimals)} [${end(low)}${dash(low)}${end(high)}]`;
}

/** A mean and its interval, with as many digits as the interval is worth: `225 [216–234]`, `1.3 [1.26–1.34]`. */
export function meanInterval(mean: Cell | undefined, low: Cell | undefined, high: Cell | undefined): string {
  if (typeof mean !== 'number') return NULL;
  if (typeof low !== 'number' || typeof high !== 'number' || high <= low) return decimal(mean);
  const decimals = Math.min(Math.max(1 - Math.floor(Math.log10(high - low)), 0), 6);
  const end = (value: number) => Number(value.toFixed(decimals)).toString();
  return `${end(mean)} [${end(low)}${dash(low)}${end(high)}]`;
}

/** `-25–-15` is hard to read. */
const dash = (low: number) => (low < 0 ? ' to ' : '–');

/** RFC 3339 as it came, without `.000`. */
export function instant(text: string): string {
  return sanitize(text.replace(/\.0+(?=Z$|[+-]\d\d:?\d\d$)/, ''));
}

export function isNumeric(column: Column): boolean {
  return column.type === 'integer' || column.type === 'number' || column.type === 'fraction';
}

function percent(value: number, decimals: number): string {
  return `${(value * 100).toFixed(decimals)} %`;
}

/** Three decimals, or three significant digits below one; digits before the point are never cut. */
export function decimal(value: number): string {
  if (Number.isInteger(value) || !Number.isFinite(value)) return String(value);
  return String(Number(Math.abs(value) < 1 ? value.toPrecision(3) : value.toFixed(3)));
}
