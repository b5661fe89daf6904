export interface Random {
  /** An integer from 0 to `limit` - 1. */
  below(limit: number): number;
  pick<T>(list: readonly T[]): T;
  /** True once in `n` times. */
  once(n: number): boolean;
  hex(length: number): string;
}

export function randomFrom(seed: number): Random;
/** Lines without `\n`, good and bad; the same seed gives the same lines. */
export function mutatedLines(seed: number, count: number): Generator<Buffer>;
/** Lines that load, without `\n`. */
export function goodLines(seed: number, count: number): Generator<Buffer>;
