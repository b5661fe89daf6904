/** How many calls a comparison needs that is looked at once. */
import { normalQuantile } from './special.js';

/**
 * Calls per arm with which a two-sided test of p1 = p2 at `alpha`, looked at once, finds the difference with `power`:
 *
 *     n = (z(1 − α/2) √(2 p̄ (1 − p̄)) + z(power) √(p1 (1 − p1) + p2 (1 − p2)))² / (p1 − p2)²,  p̄ = (p1 + p2) / 2
 *
 * rounded up; null where both are the same, which no number of calls tells apart. Source: Fleiss, Levin and Paik 2003,
 * Statistical Methods for Rates and Proportions, 4.3 (pooled, without the continuity correction).
 *
 *     perArm(.70, .60) = 356;  perArm(.70, .65) = 1377
 */
export function perArm(
  p1: number,
  p2: number,
  { alpha = 0.05, power = 0.8 }: { readonly alpha?: number; readonly power?: number } = {},
): number | null {
  if (!(p1 !== p2)) return null;
  const mean = (p1 + p2) / 2;
  const spread =
    normalQuantile(1 - alpha / 2) * Math.sqrt(2 * mean * (1 - mean)) +
    normalQuantile(power) * Math.sqrt(p1 * (1 - p1) + p2 * (1 - p2));
  return Math.ceil((spread / (p1 - p2)) ** 2);
}
