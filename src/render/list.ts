import type { Result } from '../schema/result.js';
import { objects } from './json.js';
import type { Style } from './report.js';
import { tableOf } from './table.js';

/** Rows that rest on no log: a table, or a JSON array of objects. */
export function renderList(result: Result, asJson: boolean, style: Style): string {
  return asJson ? `[${objects(result).join(',')}]\n` : tableOf(result, style);
}
