/** Somebody with lines that must not die with the process. */
export interface Pending {
  readonly handleSignals: boolean;
  /**
   * Writes what waits, now, within a bound of time. Throws nothing.
   * @param final nobody comes back: what could not be written is lost and said to be.
   */
  flushNow(final: boolean): void;
}

/** What ends a process from outside without an `exit` event, and lets it do something first. */
const SIGNALS = ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGQUIT', 'SIGUSR2'] as const;

const watched = new Set<Pending>();
let listening = false;

/**
 * Whether the process, or this worker thread, is past its last turn of the event loop. Node sets the flag before it
 * emits `exit`; a listener of ours cannot tell as much, since one that is added during the event is never called.
 */
export function isEnding(): boolean {
  return (process as { _exiting?: boolean })._exiting === true;
}

/** Flushes `pending` when the process ends: by itself, by process.exit(), by an uncaught exception, by a signal. */
export function watch(pending: Pending): void {
  watched.add(pending);
  update();
}

export function unwatch(pending: Pending): void {
  watched.delete(pending);
  update();
}

function update(): void {
  if (listening !== watched.size > 0) {
    listening = !listening;
    if (listening) process.on('exit', onExit);
    else process.off('exit', onExit);
  }
  const wanted = [...watched].some((pending) => pending.handleSignals);
  for (const signal of SIGNALS) {
    const listens = process.listeners(signal).includes(onSignal);
    if (wanted && !listens) process.prependListener(signal, onSignal);
    else if (!wanted && listens) process.off(signal, onSignal);
  }
}

function flushAll(final: boolean): void {
  for (const pending of watched) pending.flushNow(final);
}

function onExit(): void {
  flushAll(true);
}

/**
 * Node dies of these signals without an `exit` event, so there is no other way to be told. The host's end stays as
 * it was: the listener steps aside before anybody counts listeners (signal-exit and its like re-raise the signal
 * only when they are alone), and re-raises the signal itself when nobody else listens.
 */
function onSignal(signal: NodeJS.Signals): void {
  for (const name of SIGNALS) process.off(name, onSignal);
  const alone = process.listenerCount(signal) === 0;
  flushAll(alone);
  if (alone) process.kill(process.pid, signal);
  // Still here: the host goes on, or the kernel spares a process 1.
  setImmediate(update).unref();
}
