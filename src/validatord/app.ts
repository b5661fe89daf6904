import { setMaxListeners } from 'node:events';
import { Hono } from 'hono';
import {
  fillValidator,
  type IterateOptions,
  type IterateResult,
  iterate,
  type LoggerStats,
  type Prompt,
  rosterCheckFor,
  type SessionLogger,
  TRACE_HEADER,
  traceIdOf,
  type Validation,
  workersFromFunction,
} from '../log/index.js';
import { version } from '../version.js';
import { NotText, readText, TooLong } from './body.js';
import type { Config } from './config.js';
import { type Ask, ModelBusy } from './model.js';
import { BadRequest, type IterateRequest, iterateRequest } from './request.js';
import type { RosterFile } from './roster-file.js';
import { type Ending, STATUS, Traffic } from './traffic.js';

export interface Deps {
  readonly config: Config;
  readonly logger: SessionLogger;
  readonly roster: RosterFile;
  readonly ask: Ask;
  /** Told of every accepted artifact that is withheld, and why. */
  readonly onWithheld: (sessionId: string, why: string) => void;
  /** Told of what should not happen; the client only learns that it did. */
  readonly onDefect: (error: Error) => void;
}

export interface App {
  readonly fetch: (request: Request) => Response | Promise<Response>;
  readonly traffic: Traffic;
  /** From now on calls are refused; resolves when the ones in flight have ended. */
  drain(): Promise<void>;
  /** Ends the calls in flight as infra errors. */
  abort(reason: string): void;
}

/** The service without its socket: what to answer to a request. */
export function createApp(deps: Deps): App {
  const traffic = new Traffic();
  const draining = new AbortController();
  const hardStop = new AbortController();
  // Every request listens to both.
  setMaxListeners(0, draining.signal, hardStop.signal);
  const app = new Hono();

  app.use(async (c, next) => {
    const host = c.req.header('host') ?? new URL(c.req.url).host;
    // A page in a browser may reach loopback under a name of its own.
    if (!deps.config.hosts.includes(hostName(host))) {
      c.res = refusal(421, 'this host name is not served: see validatord.hosts', { connection: 'close' });
      return;
    }
    await next();
  });
  app.get('/healthz', async (c) => c.json(await health(deps, traffic, draining.signal.aborted)));
  app.post('/v1/iterate', async (c) => {
    try {
      return await answerTo(c.req.raw, deps, traffic, {
        draining: draining.signal,
        hardStop: hardStop.signal,
      });
    } catch (error) {
      const asked = traceIdOf(c.req.header(TRACE_HEADER));
      const refused = refusalFor(error, asked === undefined ? {} : { [TRACE_HEADER]: asked });
      if (!refused) throw error;
      return refused;
    }
  });
  app.notFound(() => refusal(404, 'there are POST /v1/iterate and GET /healthz'));
  app.onError((error, c) => {
    // A client that leaves while it sends its request is no defect.
    if (!c.req.raw.signal.aborted) deps.onDefect(error);
    return refusal(500, 'internal error');
  });

  return {
    fetch: (request) => app.fetch(request),
    traffic,
    drain() {
      draining.abort(new Error('shutting down'));
      return traffic.quiet();
    },
    abort: (reason) => hardStop.abort(new Error(reason)),
  };
}

/** The name in a Host header, as people write it. */
function hostName(host: string): string {
  const [name = ''] = /^(?:\[[^\]]*\]|[^:]*)/.exec(host) ?? [];
  return name.toLowerCase().replace(/\.$/, '');
}

interface Stops {
  /** New calls are refused. */
  readonly draining: AbortSignal;
  /** Calls in flight end. */
  readonly hardStop: AbortSignal;
}

/** @throws what `refusalFor` knows. */
async function answerTo(raw: Request, deps: Deps, traffic: Traffic, stops: Stops): Promise<Response> {
  const { limits } = deps.config;
  const checkRoom = () => {
    if (stops.draining.aborted) throw new Refused(503, 'shutting down', { 'retry-after': '5' });
    if (traffic.callsInFlight < limits.maxConcurrent) return;
    throw new Refused(429, `${traffic.callsInFlight} calls are in flight`, { 'retry-after': '1' });
  };
  checkRoom();
  if (!/^application\/json\s*(?:;|$)/i.test(raw.headers.get('content-type') ?? '')) {
    throw new Refused(415, 'content-type: not application/json');
  }
  const body = await traffic.read(() => bodyOf(raw, limits, stops.draining));
  const request = iterateRequest(body, deps.config);
  // Others came while the body did.
  checkRoom();
  return traffic.call(async () => {
    const result = await runCall(request, raw, deps, stops.hardStop);
    const ending = endingOf(result, isGated(request.kind, deps.config));
    traffic.ended(ending, result);
    // Who kills the process must not take along what a client was told.
    await deps.logger.whenWritten();
    const withheld = ending === 'ungrounded' || ending === 'unjudged';
    if (withheld) deps.onWithheld(result.sessionId, whyWithheld(result));
    const { status, headers } = headOf(result, ending);
    return Response.json(answer(request, result, ending), { status, headers });
  });
}

/** No slot is taken meanwhile, so that who sends slowly is in nobody's way; and not for ever. */
async function bodyOf(raw: Request, limits: Config['limits'], draining: AbortSignal): Promise<string> {
  // The rest of the body is still to come.
  const close = { connection: 'close' };
  const late = new Refused(408, `the body did not come within ${limits.bodyTimeoutMs} ms`, close);
  const stopping = new Refused(503, 'shutting down', { ...close, 'retry-after': '5' });
  let release = () => {};
  const interrupted = new Promise<never>((_, reject) => {
    const stop = () => reject(stopping);
    const timer = setTimeout(reject, limits.bodyTimeoutMs, late);
    draining.addEventListener('abort', stop);
    release = () => {
      clearTimeout(timer);
      draining.removeEventListener('abort', stop);
    };
  });
  try {
    return await Promise.race([readText(raw.body, limits.maxBodyBytes), interrupted]);
  } finally {
    release();
  }
}

async function runCall(
  request: IterateRequest,
  raw: Request,
  deps: Deps,
  hardStop: AbortSignal,
): Promise<IterateResult<unknown>> {
  const { config, logger } = deps;
  const stop = either(hardStop, raw.signal, 'the client went away');
  const { rosterIsRead, validate, ...judges } = judging(request.kind, deps);
  try {
    return await iterate<unknown>({
      ...request,
      ...judges,
      // Here its time is bounded, as that of an attempt is.
      async generate(prompt: Prompt, attempt) {
        await rosterIsRead;
        return deps.ask(request.model, prompt, attempt);
      },
      async validate(candidate: unknown) {
        const validation = await validate(candidate);
        // What is recorded as accepted is judged: a client that leaves must not make a call that nobody can vouch for.
        if (validation.accepted) stop.forgetClient();
        return validation;
      },
      answerBounds: { bytes: config.limits.maxAnswerBytes },
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

/** Aborts when the service stops or the client goes. AbortSignal.any would need Node 20.3. */
function either(service: AbortSignal, client: AbortSignal, goneMessage: string) {
  const controller = new AbortController();
  const onStop = () => controller.abort(service.reason);
  const onGone = () => controller.abort(new Error(goneMessage));
  if (service.aborted) onStop();
  if (client.aborted) onGone();
  service.addEventListener('abort', onStop);
  client.addEventListener('abort', onGone);
  const forgetClient = () => client.removeEventListener('abort', onGone);
  return {
    signal: controller.signal,
    forgetClient,
    release() {
      service.removeEventListener('abort', onStop);
      forgetClient();
    },
  };
}

/** Whatever the rule, a fill is gated; and whatever its name, what is validated as one. */
function isGated(kind: string, config: Config): boolean {
  return kind === 'fill' || config.kinds.get(kind) === 'fill';
}

/**
 * The validator judges by the roster as it is when the call starts, the stamp by the roster as it is when the call
 * ends: who left in between is in no accepted fill that calls itself grounded.
 */
function judging(
  kind: string,
  { config, roster }: Deps,
): Pick<IterateOptions<unknown>, 'validate' | 'rosterCheck' | 'parse'> & {
  readonly rosterIsRead: Promise<unknown> | undefined;
} {
  const rule = config.kinds.get(kind)!;
  const gatedKinds = isGated(kind, config) ? [kind] : [];
  const atStart = rule === 'fill' ? roster.current() : undefined;
  return {
    // One that cannot be read fails the call when the first worker is looked up, so that there is a record.
    rosterIsRead: atStart?.catch(() => {}),
    validate: atStart
      ? fillValidator(workersFromFunction(async (id) => (await atStart).find(id)))
      : (): Validation => ({ accepted: true }),
    parse: rule === 'text' ? (raw) => (raw.trim() === '' ? undefined : raw) : undefined,
    rosterCheck: rosterCheckFor(kind, () => roster.current(), { gatedKinds, anyId: config.roster.anyId }),
  };
}

/** Of a gated kind, what could not be checked is not checked. */
function endingOf(result: IterateResult<unknown>, gated: boolean): Ending {
  if (result.outcome !== 'accepted' || !gated || result.groundedInRoster === true) return result.outcome;
  return result.groundedInRoster === false ? 'ungrounded' : 'unjudged';
}

function whyWithheld(result: IterateResult<unknown>): string {
  if (result.outcome !== 'accepted') return '';
  if (result.groundedInRoster === false) return 'a worker of an accepted artifact is not in the roster';
  return `an accepted artifact could not be checked against the roster: ${result.rosterCheckError ?? 'it names no worker'}`;
}

/** An endpoint that asks for patience asks the client for it. */
function headOf(result: IterateResult<unknown>, ending: Ending) {
  const headers = { [TRACE_HEADER]: result.sessionId };
  const busy =
    result.outcome === 'infra_error' && result.error instanceof ModelBusy ? result.error : undefined;
  return busy
    ? { status: busy.status, headers: { ...headers, 'retry-after': String(busy.retryAfterSeconds) } }
    : { status: STATUS[ending], headers };
}

/** An artifact that is not known to be grounded is recorded as accepted, which fires the alarm, and is not handed out. */
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
    ...errorOf(result, ending),
  };
}

function errorOf(result: IterateResult<unknown>, ending: Ending) {
  if (result.outcome === 'infra_error') {
    return { error: { type: result.error.name, message: result.error.message } };
  }
  if (ending === 'ungrounded') {
    return { error: { type: 'Ungrounded', message: 'accepted, but a worker is not in the roster any more' } };
  }
  if (ending === 'unjudged') {
    return { error: { type: 'Unjudged', message: 'accepted, but not checked against the roster' } };
  }
  return {};
}

async function health({ config: _, logger, roster }: Deps, traffic: Traffic, draining: boolean) {
  const { workers, hash } = await roster.current().then(
    ({ size, hash }) => ({ workers: size, hash }),
    () => ({ workers: null, hash: null }),
  );
  return {
    status: draining ? 'draining' : hash === null ? 'no roster' : 'ok',
    version,
    calls_in_flight: traffic.callsInFlight,
    bodies_being_read: traffic.bodiesBeingRead,
    calls_ended: traffic.callsEnded,
    roster: { workers, hash },
    session_log: { path: logger.path, ...logCounts(logger.stats()) },
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

/** A request that is no call. */
class Refused extends Error {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  constructor(status: number, message: string, headers: Readonly<Record<string, string>> = {}) {
    super(message);
    this.status = status;
    this.headers = headers;
  }
}

function refusalFor(error: unknown, echo: Readonly<Record<string, string>>): Response | undefined {
  if (error instanceof Refused) return refusal(error.status, error.message, { ...echo, ...error.headers });
  if (error instanceof TooLong) return refusal(413, `the body has ${error.message}`, echo);
  if (error instanceof BadRequest) return refusal(400, error.message, echo);
  if (error instanceof NotText) return refusal(400, `the body is ${error.message}`, echo);
  return undefined;
}

function refusal(status: number, message: string, headers: Readonly<Record<string, string>> = {}): Response {
  return Response.json({ error: { type: 'Refused', message } }, { status, headers });
}
