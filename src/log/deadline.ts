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
  const onAbort = () => controller.abort(abortError(host));
  const timer =
    ms <= LONGEST_TIMER
      ? setTimeout(() => controller.abort(named('TimeoutError', `${what} took longer than ${ms} ms`)), ms)
      : undefined;
  if (host?.aborted) onAbort();
  else host?.addEventListener('abort', onAbort, { once: true });
  return {
    signal: controller.signal,
    release() {
      clearTimeout(timer);
      host?.removeEventListener('abort', onAbort);
    },
  };
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
