import type { AttemptVerdict, IterateResult } from '../log/index.js';

/** How a call answers; the record says the same in every case. */
export const STATUS = {
  accepted: 200,
  ungrounded: 409,
  unjudged: 409,
  max_iter_exhausted: 422,
  infra_error: 502,
} as const;

export type Ending = keyof typeof STATUS;

/**
 * What the service is busy with.
 * - Counts calls, attempts and bodies that are being read.
 * - Knows when the last of them has ended.
 */
export class Traffic {
  readonly callsEnded: Record<Ending, number> = {
    accepted: 0,
    ungrounded: 0,
    unjudged: 0,
    max_iter_exhausted: 0,
    infra_error: 0,
  };
  readonly attemptsEnded: Record<AttemptVerdict, number> = {
    accepted: 0,
    rejected: 0,
    no_candidate: 0,
    infra_error: 0,
  };
  callsInFlight = 0;
  bodiesBeingRead = 0;
  #onQuiet: (() => void) | undefined;

  /** Runs a call, counted as long as it runs. */
  call<T>(work: () => Promise<T>): Promise<T> {
    this.callsInFlight++;
    return work().finally(() => {
      this.callsInFlight--;
      this.#tellIfQuiet();
    });
  }

  /** Reads a body: no call yet, and in nobody's way. */
  read<T>(work: () => Promise<T>): Promise<T> {
    this.bodiesBeingRead++;
    return work().finally(() => {
      this.bodiesBeingRead--;
      this.#tellIfQuiet();
    });
  }

  ended(ending: Ending, { attempts }: IterateResult<unknown>): void {
    this.callsEnded[ending]++;
    for (const { verdict } of attempts) this.attemptsEnded[verdict]++;
  }

  /** Resolves when nothing is left. */
  quiet(): Promise<void> {
    return new Promise((resolve) => {
      this.#onQuiet = resolve;
      this.#tellIfQuiet();
    });
  }

  #tellIfQuiet(): void {
    if (this.callsInFlight === 0 && this.bodiesBeingRead === 0) this.#onQuiet?.();
  }
}
