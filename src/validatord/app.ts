import { Hono } from 'hono';
import {
  fillValidator,
  type IterateOptions,
  type IterateResult,
  iterate,
  type LoggerStats,
  rosterCheckFor,
  type SessionLogger,
  TRACE_HEADER,
  traceIdOf,
  type Validation,
  type WorkerLookup,
  workersFromFunction,
} from '../log/index.js';
import { version } from '../version.js';
import { NotText, readText, TooLong } from './body.js';
import type { Config, KindRule } from './config.js';
import type { Ask } from './model.js';
import { BadRequest, type IterateRequest, iterateRequest } from './request.js';
import type { RosterFile } from './roster-file.js';

export interface Deps {
  readonly config: Config;
  readonly logger: SessionLogger;
  readonly roster: RosterFile;
  readonly ask: Ask;
  /** Told of every accepted call that is not grounded. */
  readonly onUngrounded: (sessionId: string) => void;
  /** Told of what should not happen; the client only learns that it did. */
  readonly onDefect: (error: Error) => void;
}

export interface App {
  readonly fetch: (request: Request) => Response | Promise<Response>;
  /** From now on calls are refused; resolves when the ones in flight have ended. */
  drain(): Promise<void>;
  /** Ends the calls in flight as infra errors. */
  abort(reason: string): void;
}

/** How a call answers; the record says the same in every case. */
const STATUS = { accepted: 200, ungrounded: 409, max_iter_exhausted: 422, infra_error: 502 } as const;
type Ending = keyof typeof STATUS;

/** The service without its socket: what to answer to a request. */
export function createApp(deps: Deps): App {
  const { config, logger } = deps;
  const ended: Record<Ending, number> = { accepted: 0, ungrounded: 0, max_iter_exhausted: 0, infra_error: 0 };
  const hardStop = new AbortController();
  let inFlight = 0;
  let drained: (() => void) | undefined;

  function tellWhenDrained(): void {
    if (inFlight === 0) drained?.();
  }

  const app = new Hono();

  app.use(async (c, next) => {
    await next();
    // A connection that is kept alive would keep the process alive.
    if (drained) c.res.headers.set('connection', 'close');
  });

  app.get('/healthz', async (c) => {
    const roster = await deps.roster.current().then(
      ({ size, hash }) => ({ workers: size, hash }),
      () => ({ workers: null, hash: null }),
    );
    return c.json({
      status: drained ? 'draining' : roster.hash === null ? 'no roster' : 'ok',
      version,
      calls_in_flight: inFlight,
      calls_ended: ended,
      roster,
      session_log: { path: logger.path, ...logCounts(logger.stats()) },
    });
  });

  app.post('/v1/iterate', async (c) => {
    if (drained) return refusal(503, 'shutting down', { 'retry-after': '5' });
    if (inFlight >= config.limits.maxConcurrent) {
      return refusal(429, `${inFlight} calls are in flight`, { 'retry-after': '1' });
    }
    if (!/^application\/json\s*(?:;|$)/i.test(c.req.header('content-type') ?? '')) {
      return refusal(415, 'content-type: not application/json');
    }
    inFlight++;
    try {
      const body = await readText(c.req.raw.body, config.limits.maxBodyBytes);
      const request = iterateRequest(body, config);
      const result = await call(request, c.req.raw);
      const ending = endingOf(result);
      ended[ending]++;
      if (ending === 'ungrounded') deps.onUngrounded(result.sessionId);
      return c.json(answer(request, result, ending), STATUS[ending], { [TRACE_HEADER]: result.sessionId });
    } catch (error) {
      const asked = traceIdOf(c.req.header(TRACE_HEADER));
      const echo = asked === undefined ? undefined : { [TRACE_HEADER]: asked };
      if (error instanceof TooLong) return refusal(413, `the body has ${error.message}`, echo);
      if (error instanceof BadRequest) return refusal(400, error.message, echo);
      if (error instanceof NotText) return refusal(400, `the body is ${error.message}`, echo);
      throw error;
    } finally {
      inFlight--;
      tellWhenDrained();
    }
  });

  app.notFound(() => refusal(404, 'there are POST /v1/iterate and GET /healthz'));
  app.onError((error, c) => {
    // A client that leaves while it sends its request is no defect.
    if (!c.req.raw.signal.aborted) deps.onDefect(error);
    return refusal(500, 'internal error');
  });

  async function call(request: IterateRequest, raw: Request): Promise<IterateResult<unknown>> {
    const stop = either(hardStop.signal, raw.signal, 'the client went away');
    try {
      return await iterate({
        ...request,
        ...(await judging(request.kind, config.kinds.get(request.kind)!, deps.roster)),
        generate: (prompt, attempt) => deps.ask(request.model, prompt, attempt),
        attemptTimeoutMs: config.limits.attemptTimeoutMs,
        signal: stop.signal,
        daemon: config.daemon,
        environment: config.environment,
        provider: config.model.provider,
        validatorVersion: version,
        logger,
        trace: { headers: raw.headers, content: config.traceContent },
      });
    } finally {
      stop.release();
    }
  }

  return {
    fetch: (request) => app.fetch(request),
    drain: () =>
      new Promise((resolve) => {
        drained = resolve;
        tellWhenDrained();
      }),
    abort: (reason) => hardStop.abort(new Error(reason)),
  };
}

/**
 * The validator judges by the roster as it is when the call starts, the stamp by the roster as it is when the call
 * ends: who left in between is in no accepted fill that calls itself grounded.
 */
async function judging(
  kind: string,
  rule: KindRule,
  roster: RosterFile,
): Promise<Pick<IterateOptions<unknown>, 'validate' | 'rosterCheck' | 'parse'>> {
  return {
    validate: rule === 'fill' ? fillValidator(await asOfNow(roster)) : (): Validation => ({ accepted: true }),
    parse: rule === 'text' ? (raw) => (raw.trim() === '' ? undefined : raw) : undefined,
    rosterCheck: rosterCheckFor(kind, () => roster.current()),
  };
}

/** A roster that cannot be read fails the call when the first worker is looked up, so that there is a record. */
function asOfNow(roster: RosterFile): Promise<WorkerLookup> {
  return roster.current().catch((error: unknown) => workersFromFunction(() => Promise.reject(error)));
}

function endingOf(result: IterateResult<unknown>): Ending {
  return result.outcome === 'accepted' && result.groundedInRoster === false ? 'ungrounded' : result.outcome;
}

/** An artifact that is not grounded is recorded as accepted, which fires the alarm, and is not handed out. */
function answer(request: IterateRequest, result: IterateResult<unknown>, ending: Ending) {
  return {
    session_id: result.sessionId,
    call_id: result.callId,
    kind: request.kind,
    model: request.model,
    final_verdict: result.outcome,
    iterations: result.attempts.length,
    ...(result.outcome === 'accepted'
      ? {
          grounded_in_roster: result.groundedInRoster,
          proposed_worker_ids: result.proposedWorkerIds,
          ...(ending === 'accepted' ? { artifact: result.artifact } : {}),
        }
      : {}),
    attempts: result.attempts.map(({ verdict, reasons, error }) => ({ verdict, reasons, error })),
    ...(ending === 'ungrounded'
      ? { error: { type: 'Ungrounded', message: 'accepted, but a worker is not in the roster any more' } }
      : {}),
    ...(result.outcome === 'infra_error'
      ? { error: { type: result.error.name, message: result.error.message } }
      : {}),
  };
}

function logCounts({ queuedBytes, droppedBy, lastError, ...counts }: LoggerStats) {
  return {
    ...counts,
    queued_bytes: queuedBytes,
    dropped_by: droppedBy,
    last_error: lastError?.message ?? null,
  };
}

function refusal(status: number, message: string, headers: Record<string, string> = {}): Response {
  return Response.json({ error: { type: 'Refused', message } }, { status, headers });
}

/** Aborts when the service stops or the client goes. AbortSignal.any would need Node 20.3. */
function either(service: AbortSignal, client: AbortSignal, goneMessage: string) {
  const controller = new AbortController();
  const onStop = () => controller.abort(service.reason);
  const onGone = () => controller.abort(new Error(goneMessage));
  if (service.aborted) onStop();
  if (client.aborted) onGone();
  service.addEventListener('abort', onStop);
  client.addEventListener('abort', onGone);
  return {
    signal: controller.signal,
    release() {
      service.removeEventListener('abort', onStop);
      client.removeEventListener('abort', onGone);
    },
  };
}
