/** The time that a piece of work has, ended early by the host's own signal. */
export interface Deadline {
  readonly signal: AbortSignal;
  /** Must be called when the work is over. */
  release(): void;
}

/** setTimeout takes no more and would fire at once. */
const LONGEST_TIMER = 2 ** 31 - 1;

/** @param what the work, for the message of the TimeoutError. */
export function startDeadline(host: AbortSignal | undefined, ms: number, what: string): Deadline {
  const controller = new AbortController();
  const timer =
    ms <= LONGEST_TIMER
      ? setTimeout(() => controller.abort(named('TimeoutError', `${what} took longer than ${ms} ms`)), ms)
      : undefined;
  const forget = host && whenAborted(host, () => controller.abort(abortError(host)));
  return {
    signal: controller.signal,
    release() {
      clearTimeout(timer);
      forget?.();
    },
  };
}

interface Waiting {
  readonly tellers: Set<() => void>;
  readonly tellAll: () => void;
}

const waiting = new WeakMap<AbortSignal, Waiting>();

/**
 * Calls `tell` once `signal` is aborted, at once if it is. All that wait for one signal share one listener: Node
 * warns of a leak from the eleventh on. @returns what makes it forget.
 */
export function whenAborted(signal: AbortSignal, tell: () => void): () => void {
  if (signal.aborted) {
    tell();
    return () => {};
  }
  // The same function may wait twice.
  const own = () => tell();
  const { tellers, tellAll } = waiting.get(signal) ?? startWaiting(signal);
  tellers.add(own);
  return () => {
    if (!tellers.delete(own) || tellers.size > 0) return;
    waiting.delete(signal);
    signal.removeEventListener('abort', tellAll);
  };
}

function startWaiting(signal: AbortSignal): Waiting {
  const tellers = new Set<() => void>();
  const tellAll = () => {
    waiting.delete(signal);
    for (const one of tellers) one();
  };
  signal.addEventListener('abort', tellAll, { once: true });
  const started = { tellers, tellAll };
  waiting.set(signal, started);
  return started;
}

/** What `work` settles to, or a rejection as soon as `signal` aborts: work that ignores it holds nobody up. */
export function bounded<T>(work: () => T | Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const onAbort = () => reject(signal.reason);
    if (signal.aborted) return onAbort();
    signal.addEventListener('abort', onAbort, { once: true });
    const done = () => signal.removeEventListener('abort', onAbort);
    new Promise<T>((settle) => settle(work())).then(resolve, reject).finally(done);
  });
}

function abortError(host: AbortSignal | undefined): Error {
  const reason: unknown = host?.reason;
  const name = reason instanceof Error && reason.name === 'TimeoutError' ? 'TimeoutError' : 'AbortError';
  const why = reason instanceof Error ? reason.message : typeof reason === 'string' ? reason : '';
  return named(name, why === '' ? 'aborted' : `aborted: ${why}`);
}

function named(name: string, message: string): Error {
  return Object.assign(new Error(message), { name });
}
