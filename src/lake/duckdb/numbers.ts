import type { Cell } from '../../schema/result.js';

/** A number where it is exact, else its digits. */
export function exact(value: bigint): Cell {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : String(value);
}

export function finite(value: number): Cell {
  return Number.isFinite(value) ? value : String(value);
}
