/** What is cleaned up where the process ends early: by a signal, or by itself. */
type Clean = () => void | Promise<void>;

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'] as const;
const pending = new Set<Clean>();

/**
 * @param clean must not throw; a promise is waited for where a signal ends the process, and by nobody else.
 * @returns takes it back.
 */
export function atEnd(clean: Clean): () => void {
  if (pending.size === 0) listen();
  pending.add(clean);
  return () => {
    pending.delete(clean);
    if (pending.size === 0) listenNoMore();
  };
}

function listen(): void {
  process.on('exit', cleanAll);
  for (const signal of SIGNALS) process.on(signal, onSignal);
}

function listenNoMore(): void {
  process.off('exit', cleanAll);
  for (const signal of SIGNALS) process.off(signal, onSignal);
}

function cleanAll(): Promise<void>[] {
  const all = [...pending];
  pending.clear();
  return all.flatMap((clean) => clean() ?? []);
}

function onSignal(signal: NodeJS.Signals): void {
  listenNoMore();
  const end = () => {
    // Who listens besides decides what becomes of the process.
    if (process.listenerCount(signal) === 0) process.kill(process.pid, signal);
  };
  const waited = cleanAll();
  if (waited.length === 0) end();
  else void Promise.allSettled(waited).then(end);
}
