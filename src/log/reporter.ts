import { writeSync } from 'node:fs';

/** Between two reports of one kind of failure. */
const QUIET_MS = 60_000;
/** Names of errors may come from anywhere. */
const MAX_KINDS = 100;

interface Seen {
  at: number;
  since: number;
}

/**
 * Tells somebody of failures without ever failing: each kind (the error's code, or else its name) at once, then
 * at most every minute with the number of those in between.
 */
export class Reporter {
  readonly #tell: (error: Error) => void;
  readonly #seen = new Map<string, Seen>();
  #telling = false;
  lastError: Error | null = null;

  /** @param onError by default one line on stderr. */
  constructor(onError: unknown) {
    this.#tell = typeof onError === 'function' ? (onError as (error: Error) => void) : tellStderr;
  }

  /** Something was lost, or may be. */
  failure(thrown: unknown): void {
    this.lastError = toError(thrown);
    this.warning(this.lastError);
  }

  /** Nothing was lost. */
  warning(error: Error): void {
    // A handler that logs must not come back here for ever.
    if (this.#telling) return;
    this.#telling = true;
    try {
      const due = this.#due(error);
      if (!due) return;
      const returned: unknown = this.#tell(due);
      // An async handler that rejects would end the host as an unhandled rejection.
      if (typeof returned === 'object') Promise.resolve(returned).catch(() => {});
    } catch {
      // The handler of the last resort has nobody to tell.
    } finally {
      this.#telling = false;
    }
  }

  #due(error: Error): Error | undefined {
    const kind = String((error as NodeJS.ErrnoException).code ?? error.name);
    const seen = this.#seen.get(kind);
    const now = performance.now();
    if (seen && now - seen.at < QUIET_MS) {
      seen.since++;
      return undefined;
    }
    if (this.#seen.size >= MAX_KINDS) this.#seen.clear();
    this.#seen.set(kind, { at: now, since: 0 });
    if (!seen?.since) return error;
    const summary = new Error(`${error.message} (and ${seen.since} more like it)`, { cause: error });
    summary.name = error.name;
    return summary;
  }
}

function tellStderr(error: Error): void {
  // process.stderr would emit an error nobody listens to when stderr is closed, which ends the host.
  writeSync(2, `lakelog: ${error.message.replaceAll(/\p{Cc}/gu, ' ')}\n`);
}

function toError(thrown: unknown): Error {
  try {
    return thrown instanceof Error ? thrown : new Error(String(thrown));
  } catch {
    return new Error('unknown failure');
  }
}
