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

/** One metric: its values by the value of its label, or one. */
interface Metric {
  readonly type: 'Counter' | 'Gauge';
  readonly name: string;
  readonly help: string;
  readonly label?: string;
  readonly values: () => number | Readonly<Record<string, number>>;
}

function metricsFor(traffic: Traffic, logger: Pick<SessionLogger, 'stats'>): readonly Metric[] {
  const counter = (name: string, help: string, label: string, values: Metric['values']): Metric => {
    return { type: 'Counter', name: `validatord_${name}_total`, help, label, values };
  };
  const gauge = (name: string, help: string, values: Metric['values'], label?: string): Metric => {
    return { type: 'Gauge', name: `validatord_${name}`, help, values, ...(label ? { label } : {}) };
  };
  return [
    gauge('build_info', 'Version of the service.', () => ({ [version]: 1 }), 'version'),
    counter('calls', 'Calls that have ended.', 'outcome', () => traffic.callsEnded),
    counter('attempts', 'Attempts of ended calls.', 'verdict', () => traffic.attemptsEnded),
    gauge('calls_in_flight', 'Calls that run.', () => traffic.callsInFlight),
    gauge('bodies_being_read', 'Requests that are being received.', () => traffic.bodiesBeingRead),
    counter('log_written', 'Records written to the session log.', '', () => logger.stats().written),
    counter('log_dropped', 'Records that are lost.', 'cause', () => logger.stats().droppedBy),
    gauge('log_queued', 'Records that wait to be written.', () => logger.stats().queued),
    gauge('log_queued_bytes', 'Bytes that wait to be written.', () => logger.stats().queuedBytes),
  ];
}

/** The library is loaded only when metrics are asked for. */
export async function metricsOf(traffic: Traffic, logger: Pick<SessionLogger, 'stats'>): Promise<Metrics> {
  const client = await import('prom-client');
  const registry = new client.Registry();
  for (const { type, name, help, label = '', values } of metricsFor(traffic, logger)) {
    new client[type]({
      name,
      help,
      registers: [registry],
      labelNames: label === '' ? [] : [label],
      collect() {
        this.reset();
        const now = values();
        if (typeof now === 'number') this.inc(now);
        else for (const [value, count] of Object.entries(now)) this.labels(value).inc(count);
      },
    });
  }
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
