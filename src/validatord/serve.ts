import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createAdaptorServer } from '@hono/node-server';
import { LakelogError, messageOf } from '../errors.js';
import { SessionLogger } from '../log/index.js';
import { type App, createApp } from './app.js';
import type { Config } from './config.js';
import { chatCompletions } from './model.js';
import { type RosterFile, rosterFile } from './roster-file.js';

export interface Service {
  /** e.g. `http://127.0.0.1:8743`. */
  readonly url: string;
  /**
   * Refuses new calls, lets those in flight end (after the grace of the configuration, or a second `stop`, as infra
   * errors), and flushes the log. Resolves when nothing is left.
   */
  stop(): Promise<void>;
}

/** One line about the service, for people; data in it is the caller's to escape. */
export type Tell = (line: string) => void;

/** The roster of the configuration, read once. @throws LakelogError when it cannot be used. */
export async function openRoster(config: Config): Promise<{ file: RosterFile; summary: string }> {
  const file = rosterFile(config.roster);
  try {
    const { size, hash } = await file.current();
    return { file, summary: `${config.roster.path}, ${size} workers, ${hash}` };
  } catch (error) {
    throw new LakelogError(`cannot use the roster: ${messageOf(error)}`, {
      where: config.roster.path,
      next: `correct the file, or validatord.roster in ${config.file}`,
    });
  }
}

/** @throws LakelogError when the roster or the address cannot be used. */
export async function startService(config: Config, tell: Tell): Promise<Service> {
  const { file: roster, summary } = await openRoster(config);
  const logger = new SessionLogger(config.sessionLogPath, {
    // A signal ends calls in flight first, and `stop` closes the log behind them.
    handleSignals: false,
    onError: (error) => tell(`session log: ${error.message}`),
  });
  const app = createApp({
    config,
    logger,
    roster,
    ask: chatCompletions(config.model, config.limits.maxAnswerBytes),
    onUngrounded: (sessionId) =>
      tell(`ALARM: session ${sessionId}: a worker of an accepted artifact is not in the roster`),
    onDefect: (error) => tell(`internal error: ${error.stack ?? error.message}`),
  });
  const server = createAdaptorServer({ fetch: app.fetch, overrideGlobalObjects: false }) as Server;
  const url = await listen(server, config);
  tell(`session log: ${logger.path ?? 'disabled (session_log_path is empty)'}`);
  tell(`roster: ${summary}`);
  tell(`listening on ${url}`);

  let stopping: Promise<void> | undefined;
  return {
    url,
    stop() {
      if (stopping) app.abort('validatord is stopping at once');
      stopping ??= shutDown(server, app, logger, config.limits.shutdownGraceMs, tell);
      return stopping;
    },
  };
}

function listen(server: Server, config: Config): Promise<string> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const where = `${config.host}:${config.port}`;
      const next = `choose another address in validatord.listen of ${config.file}`;
      reject(new LakelogError(`cannot listen: ${messageOf(error)}`, { where, next }));
    });
    server.listen(config.port, config.host, () => {
      const { address, port, family } = server.address() as AddressInfo;
      resolve(`http://${family === 'IPv6' ? `[${address}]` : address}:${port}`);
    });
  });
}

async function shutDown(
  server: Server,
  app: App,
  logger: SessionLogger,
  graceMs: number,
  tell: Tell,
): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  const grace = setTimeout(
    () => app.abort(`validatord is stopping: the call did not end within ${graceMs} ms`),
    graceMs,
  );
  await app.drain();
  clearTimeout(grace);
  server.closeIdleConnections();
  const lingering = setTimeout(() => server.closeAllConnections(), LAST_BYTES_MS);
  await closed;
  clearTimeout(lingering);
  await logger.close();
  const { written, dropped } = logger.stats();
  tell(`stopped; session log: ${written} written, ${dropped} dropped`);
}

/** For answers that are on their way when the last call has ended. */
const LAST_BYTES_MS = 2000;
