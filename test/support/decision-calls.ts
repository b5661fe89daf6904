/** Lines of logs in which arms have just the counts that a test wants. */
import { call } from './cli.js';

const DAY_MS = 86_400_000;
let count = 0;

export interface Calls extends Readonly<Record<string, unknown>> {
  readonly n: number;
  /** How many of them are accepted with the first attempt, spread over all of them. */
  readonly x: number;
  /** RFC 3339; a call a time of 36 minutes. */
  readonly start?: string;
  readonly perDay?: number;
}

/** The same lines in the traces of others, ten seconds later than these. */
export const following = (lines: readonly string[], others: readonly string[]): string[] =>
  lines.map((line, i) => {
    const { session_id, timestamp } = JSON.parse(others[i]!);
    const later = new Date(Date.parse(timestamp) + 10_000).toISOString();
    return JSON.stringify({ ...JSON.parse(line), session_id, timestamp: later });
  });

/** Each of a trace of its own. */
export function calls({ n, x, start = '2026-06-01T00:00:00Z', perDay = 40, ...fields }: Calls): string[] {
  return Array.from({ length: n }, (_, i) => {
    const isGood = Math.floor(((i + 1) * x) / n) > Math.floor((i * x) / n);
    return call({
      session_id: `trace-${++count}`,
      call_id: `call-${count}`,
      timestamp: new Date(Date.parse(start) + Math.floor((i * DAY_MS) / perDay)).toISOString(),
      iterations: isGood ? 1 : 2,
      attempts: isGood
        ? [{ verdict: 'accepted', input_tokens: 100, output_tokens: 20 }]
        : [
            { verdict: 'rejected', reasons: ['r'], input_tokens: 100, output_tokens: 20 },
            { verdict: 'accepted', input_tokens: 200, output_tokens: 20 },
          ],
      duration_ms: isGood ? 900 : 2_000,
      ...fields,
    });
  });
}
