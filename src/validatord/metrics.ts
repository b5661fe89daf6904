/** GET /metrics in the text format of Prometheus, on an address of its own. */
import { createServer, type Server } from 'node:http';
import type { SessionLogger } from '../log/index.js';
import { version } from '../version.js';
import type { Traffic } from './traffic.js';

/** A page of numbers as they are when it is asked for. */
export interface Metrics {
  readonly contentType: string;
  text(): Promise<string>;
}

type Values = () => Readonly<Record<string, number>>;

/** Loaded only when metrics are asked for. */
export async function metricsOf(traffic: Traffic, logger: Pick<SessionLogger, 'stats'>): Promise<Metrics> {
  const { Counter, Gauge, Registry } = await import('prom-client');
  const registry = new Registry();
  const registers = [registry];

  function gauge(name: string, help: string, value: () => number): void {
    new Gauge({
      name,
      help,
      registers,
      collect() {
        this.set(value());
      },
    });
  }

  function counter(name: string, help: string, value: () => number): void {
    new Counter({
      name,
      help,
      registers,
      collect() {
        this.reset();
        this.inc(value());
      },
    });
  }

  function counterBy<L extends string>(label: L, name: string, help: string, values: Values): void {
    new Counter({
      name,
      help,
      registers,
      labelNames: [label],
      collect() {
        this.reset();
        for (const [value, count] of Object.entries(values())) this.labels(value).inc(count);
      },
    });
  }

  new Gauge({
    name: 'validatord_build_info',
    help: 'Version of the service.',
    registers,
    labelNames: ['version'],
  })
    .labels(version)
    .set(1);
  counterBy('outcome', 'validatord_calls_total', 'Calls that have ended.', () => traffic.callsEnded);
  counterBy('verdict', 'validatord_attempts_total', 'Attempts of ended calls.', () => traffic.attemptsEnded);
  gauge('validatord_calls_in_flight', 'Calls that run.', () => traffic.callsInFlight);
  gauge('validatord_bodies_being_read', 'Requests that are being received.', () => traffic.bodiesBeingRead);
  counter(
    'validatord_log_written_total',
    'Records written to the session log.',
    () => logger.stats().written,
  );
  counterBy(
    'cause',
    'validatord_log_dropped_total',
    'Records that are lost.',
    () => logger.stats().droppedBy,
  );
  gauge('validatord_log_queued', 'Records that wait to be written.', () => logger.stats().queued);
  gauge('validatord_log_queued_bytes', 'Bytes that wait to be written.', () => logger.stats().queuedBytes);
  return { contentType: registry.contentType, text: () => registry.metrics() };
}

export function metricsServer(metrics: Metrics, onDefect: (error: Error) => void): Server {
  return createServer(async (request, response) => {
    const [path] = (request.url ?? '').split('?', 1);
    if (path !== '/metrics' || (request.method !== 'GET' && request.method !== 'HEAD')) {
      response.writeHead(404, { 'content-type': 'text/plain' }).end('there is GET /metrics\n');
      return;
    }
    try {
      const text = await metrics.text();
      response.writeHead(200, { 'content-type': metrics.contentType }).end(text);
    } catch (error) {
      onDefect(error as Error);
      response.writeHead(500).end();
    }
  });
}
