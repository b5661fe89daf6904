/** Streams of calls that succeed by chance, the same ones in every run. */
import { nightly } from '../support/cli.js';

/** How many streams a simulation has: all of them at night, else enough to notice what is badly wrong. */
export const streams = (few: number, all = 1000) => (nightly ? all : few);

/** Numbers in [0, 1), by a seed. Source: mulberry32, Tommy Ettinger, public domain. */
export function chance(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** A day of `n` calls, each of which succeeds with the chance `p`. */
export function day(random: () => number, n: number, p: number): { n: number; x: number } {
  let x = 0;
  for (let i = 0; i < n; i++) if (random() < p) x++;
  return { n, x };
}

/** The one in the middle; of an even number, the upper one. */
export function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)]!;
}

/** The share of streams of which `fires` is true. */
export function share(fired: readonly boolean[]): number {
  return fired.filter(Boolean).length / fired.length;
}
