/** Rates, differences and counts as findings of decisions say them. */
import type { DecidedSide, Metric, Range } from '../schema/decision.js';

export const METRIC_WORDS: Readonly<Record<Metric, string>> = {
  'first-shot-rate': 'first-shot rate',
  'acceptance-rate': 'acceptance rate',
};

export const percent = (rate: number) => `${(100 * rate).toFixed(1)} %`;

/** −0.2 → `−20.0 points`. */
export const points = (difference: number) => `${signed(100 * difference)} points`;

/** Of a margin, which has no sign: `10 points`. */
export const margin = (size: number) => `${Number((100 * size).toFixed(2))} points`;

export const ends = ({ low, high }: Range) => `95 % ${signed(100 * low)} to ${signed(100 * high)}`;

function signed(value: number): string {
  const text = Math.abs(value).toFixed(1);
  return value < 0 && text !== '0.0' ? `−${text}` : text;
}

export const rateOf = ({ rate, successes, calls }: DecidedSide) =>
  rate === null ? 'no call' : `${percent(rate)} (${successes} of ${calls})`;

/** 1234 → `1,234`. */
export const grouped = (count: number) => String(Math.round(count)).replace(/\B(?=(\d{3})+$)/g, ',');

/** Whole seconds, as people write them. */
export const instant = (time: string) => time.replace(/\.0+Z$/, 'Z');

/** Of a moment at midnight the day. */
export const dayOr = (time: string) => time.replace(/T00:00:00(\.0+)?Z$/, '');
