import type { ByColumn, Filtered, Grouped, Log } from './oracle.mjs';

export interface RetriesRow extends Partial<Record<ByColumn, string | null>> {
  attempt: number;
  calls: number;
  rescued: number;
  went_on: number;
  exhausted: number;
  infra_errors: number;
  rescue_rate: number | null;
  rate_low: number | null;
  rate_high: number | null;
  small_sample: boolean;
  metered: number;
  input_tokens: number | null;
  output_tokens: number | null;
  tokens_per_extra: number | null;
  tokens_per_accepted: number | null;
  timed: number;
  seconds_per_extra: number | null;
  seconds_per_accepted: number | null;
  /** With prices. */
  cost?: number | null;
  cost_per_extra?: number | null;
  cost_per_accepted?: number | null;
  /** With a worth. */
  pays?: 'yes' | 'no' | 'cannot tell';
  recommended?: boolean | null;
}

/** By group and attempt; `prices` are money per input and output token, by model. */
export function retries(
  log: Log,
  options?: Filtered &
    Grouped & {
      readonly minN?: number;
      readonly prices?: Readonly<Record<string, readonly [input: number, output: number]>> | null;
      readonly worth?: number | null;
    },
): RetriesRow[];
