/** Values of Trino's answers as lakelog has them. */
import { microsOf, rfc3339 } from '../instant.js';
import { exact, finite } from '../schema/block.js';
import type { Cell } from '../schema/result.js';

/** JSON whose whole numbers beyond 2^53 are texts of their digits. */
export function readJson(text: string): unknown {
  const held = text.replace(/"(?:[^"\\]|\\.)*"|(?<![\d.eE+])-?\d{16,}(?![\d.eE])/g, (token) =>
    token.startsWith('"') || Number.isSafeInteger(Number(token)) ? token : `"${token}"`,
  );
  return JSON.parse(held);
}

/** @param type as Trino names it, e.g. `timestamp(6)`. */
export function cellOf(type: string, value: unknown): Cell {
  if (value === null || value === undefined) return null;
  if (/^(tiny|small|big)?int(eger)?$/.test(type)) return exact(BigInt(value as string | number));
  if (/^(double|real|decimal)/.test(type))
    return typeof value === 'number' ? finite(value) : numberOf(String(value));
  if (type.startsWith('timestamp')) return instantOf(String(value));
  if (typeof value === 'object') return JSON.stringify(value);
  return typeof value === 'boolean' ? value : String(value);
}

/** NaN and infinities are texts. */
function numberOf(text: string): Cell {
  const number = Number(text);
  return Number.isFinite(number) ? number : text;
}

/** The clock of the session is UTC. */
function instantOf(text: string): string {
  const [, date, time, fraction = ''] =
    /^(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d)(?:\.(\d+))?(?: UTC)?$/.exec(text) ?? [];
  if (date === undefined) return text;
  return rfc3339(microsOf(`${date}T${time}.${fraction.slice(0, 6).padEnd(6, '0')}Z`));
}

/** Digits of a second that instants of this type have; null for another type. */
export function precisionOf(type: string): number | null {
  const [, digits] = /^timestamp\((\d+)\)/.exec(type) ?? [];
  return digits === undefined ? null : Number(digits);
}
