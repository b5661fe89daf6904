import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createAdaptorServer } from '@hono/node-server';
import { LakelogError, messageOf } from '../errors.js';
import { rosterCheckFor, SessionLogger } from '../log/index.js';
import { type App, createApp } from './app.js';
import type { Address, Config } from './config.js';
import { type LastAnswers, lastAnswersOf } from './last-answers.js';
import { metricsOf, metricsServer } from './metrics.js';
import { chatCompletions } from './model.js';
import { type RosterFile, rosterFile } from './roster-file.js';

export interface Service {
  /** e.g. `http://127.0.0.1:8743`. */
  readonly url: string;
  /** Where the metrics are; null = nowhere. */
  readonly metricsUrl: string | null;
  /** Lets the next record open the session log anew. */
  reopen(): void;
  /**
   * Refuses new calls, aborts bodies that are still being sent, lets calls in flight end (after the grace of the
   * configuration, or a second `stop`, as infra errors), and flushes the log. Resolves when nothing is left.
   */
  stop(): Promise<void>;
}

/** One line about the service, for people; data in it is the caller's to escape. */
export type Tell = (line: string) => void;

/** The roster of the configuration, read once. @throws LakelogError when it cannot be used. */
export async function openRoster(config: Config, tell: Tell): Promise<{ file: RosterFile; summary: string }> {
  const file = rosterFile(config.roster, tell);
  try {
    const roster = await file.current();
    // Whether it can be checked that way is told now, and not by the first fill.
    await rosterCheckFor('fill', roster, { anyId: config.roster.anyId })!({});
    const { size, hash } = roster;
    return { file, summary: `${config.roster.path}, ${size} workers, ${hash}` };
  } catch (error) {
    throw new LakelogError(`cannot use the roster: ${messageOf(error)}`, {
      where: config.roster.path,
      next: `correct the file, or validatord.roster in ${config.file}`,
    });
  }
}

/** @throws LakelogError when the roster or an address cannot be used. */
export async function startService(config: Config, tell: Tell): Promise<Service> {
  const { file: roster, summary } = await openRoster(config, tell);
  const logger = new SessionLogger(config.sessionLogPath, {
    // A signal ends calls in flight first, and `stop` closes the log behind them.
    handleSignals: false,
    onError: (error) => tell(`session log: ${error.message}`),
  });
  const onDefect = (error: Error) => tell(`internal error: ${error.stack ?? error.message}`);
  const app = createApp({
    config,
    logger,
    roster,
    ask: chatCompletions(config.model, config.limits),
    onWithheld: (sessionId, why) => tell(`ALARM: session ${sessionId}: ${why}; it is withheld`),
    onDefect,
  });
  const server = createAdaptorServer({ fetch: app.fetch, overrideGlobalObjects: false }) as Server;
  const lastAnswers = lastAnswersOf(server);
  const metrics = config.metrics && metricsServer(await metricsOf(app.traffic, logger), onDefect);
  const metricsUrl = metrics && (await listen(metrics, config.metrics!, 'metrics_listen', config));
  const url = await listen(server, config, 'listen', config).catch((error: unknown) => {
    metrics?.close();
    throw error;
  });
  tell(`session log: ${logger.path ?? 'disabled (session_log_path is empty)'}`);
  tell(`roster: ${summary}`);
  if (metricsUrl) tell(`metrics on ${metricsUrl}/metrics`);
  tell(`listening on ${url}`);

  const now = new AbortController();
  let stopping: Promise<void> | undefined;
  return {
    url,
    metricsUrl,
    reopen() {
      logger.reopen();
      tell('the session log is opened anew with the next record');
    },
    stop() {
      if (stopping) now.abort();
      stopping ??= shutDown({ server, lastAnswers, metrics, app, logger, now: now.signal }, config, tell);
      return stopping;
    },
  };
}

function listen(server: Server, { host, port }: Address, key: string, { file }: Config): Promise<string> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const next = `choose another address in validatord.${key} of ${file}`;
      reject(new LakelogError(`cannot listen: ${messageOf(error)}`, { where: `${host}:${port}`, next }));
    });
    server.listen(port, host, () => {
      const { address, port: bound, family } = server.address() as AddressInfo;
      resolve(`http://${family === 'IPv6' ? `[${address}]` : address}:${bound}`);
    });
  });
}

interface Running {
  readonly server: Server;
  readonly lastAnswers: LastAnswers;
  readonly metrics: Server | null;
  readonly app: App;
  readonly logger: SessionLogger;
  /** Nothing is waited for any more. */
  readonly now: AbortSignal;
}

async function shutDown(running: Running, config: Config, tell: Tell): Promise<void> {
  const { server, lastAnswers, metrics, app, logger, now } = running;
  lastAnswers.closeTheirConnections();
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  metrics?.close();
  metrics?.closeAllConnections();
  const graceMs = config.limits.shutdownGraceMs;
  const grace = setTimeout(
    () => app.abort(`validatord is stopping: the call did not end within ${graceMs} ms`),
    graceMs,
  );
  now.addEventListener('abort', () => app.abort('validatord is stopping at once'));
  await app.drain();
  clearTimeout(grace);
  server.closeIdleConnections();
  await Promise.race([closed, pause(LAST_BYTES_MS, now)]);
  server.closeAllConnections();
  await closed;
  await Promise.race([logger.close(), pause(LAST_RECORDS_MS, now)]);
  const { written, dropped, queued } = logger.stats();
  const left = queued === 0 ? '' : `, ${queued} not written in time`;
  tell(`stopped; session log: ${written} written, ${dropped} dropped${left}`);
}

/** For answers that are on their way when the last call has ended. */
const LAST_BYTES_MS = 2000;
/** For a disk that answers at all; the logger gives up by itself, unless the system hangs. */
const LAST_RECORDS_MS = 60_000;
/** The same for both, once somebody insists. */
const AT_ONCE_MS = 500;

/** Resolves after `ms`, or shortly after `now`. Keeps no process alive. */
function pause(ms: number, now: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms).unref();
    const soon = () => setTimeout(resolve, AT_ONCE_MS).unref();
    if (now.aborted) soon();
    else now.addEventListener('abort', soon, { once: true });
  });
}
