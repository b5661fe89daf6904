import { randomBytes } from 'node:crypto';
import type { AttemptInput, CallInput, Prompt } from './build.js';

/** A span of `@opentelemetry/api`, as far as it is used. */
export interface OtelSpan {
  spanContext(): OtelSpanContext;
  setAttribute(name: string, value: string | number | boolean | string[]): unknown;
  setStatus(status: { code: number; message?: string }): unknown;
  recordException(error: Error): unknown;
  addEvent?(name: string, attributes: Record<string, string | number>): unknown;
  isRecording?(): boolean;
  end(): void;
}

export interface OtelSpanContext {
  traceId: string;
  spanId: string;
  traceFlags: number;
  isRemote?: boolean;
  traceState?: { serialize(): string } | undefined;
}

/**
 * What is used of `@opentelemetry/api` 1.x. Written down here, because neither the code nor the types of this
 * package may need an optional peer.
 */
export interface OtelApi {
  readonly context: {
    active(): unknown;
    with(context: unknown, run: () => unknown): unknown;
  };
  readonly trace: {
    getTracer(name: string): { startSpan(name: string, options: object, context: unknown): OtelSpan };
    getSpanContext(context: unknown): OtelSpanContext | undefined;
    setSpan(context: unknown, span: OtelSpan): unknown;
    setSpanContext(context: unknown, spanContext: OtelSpanContext): unknown;
  };
  createTraceState?(header: string): { serialize(): string };
}

/** Headers of a request: a `Headers` object, or the plain one of node:http. */
export type HeaderSource =
  | { get(name: string): string | null | undefined }
  | Readonly<Record<string, string | readonly string[] | undefined>>;

export interface TraceOptions {
  /** Headers of the request that led to the call. */
  readonly headers?: HeaderSource | undefined;
  /** Put prompts, raw outputs and reasons on the spans; they may hold personal data. Default: false. */
  readonly content?: boolean | undefined;
  /** The OpenTelemetry API to use. Default: `@opentelemetry/api`, if it is installed; null = none. */
  readonly api?: OtelApi | null | undefined;
}

/** Header that carries a session id between lakehouse services. */
export const TRACE_HEADER = 'X-Lakehouse-Trace-Id';

export interface CallTrace {
  /** The trace id: 32 lower-case hex digits. */
  readonly sessionId: string;
  /** Runs `work` with the call's span active. */
  run<T>(work: () => T): T;
  startAttempt(number: number, prompt: Prompt): AttemptTrace;
  /** @param checked its artifact was handed to a roster check. */
  end(call: CallInput, checked: boolean): void;
}

export interface AttemptTrace {
  /** Id of the span `iterate.attempt[N]`; undefined where nobody exports one. */
  readonly spanId: string | undefined;
  /** What to send along to the model's endpoint, so that its spans join the trace. */
  readonly headers: Readonly<Record<string, string>>;
  /** Runs `work` with the attempt's span active. */
  run<T>(work: () => T): T;
  end(attempt: AttemptInput, responseModel: string | undefined): void;
}

interface CallNames {
  readonly kind: string;
  readonly model: string;
  readonly provider?: string | null | undefined;
  readonly maxIterations: number;
}

/**
 * Opens span `iterate`. The session id is the id of the active trace; without one that of the header
 * `X-Lakehouse-Trace-Id`, of the header `traceparent`, of the new span, or a fresh one, in this order.
 * Throws nothing: a trace that cannot be written never keeps a call from running.
 */
export async function openCallTrace(names: CallNames, options: TraceOptions = {}): Promise<CallTrace> {
  const api = options.api === undefined ? await installedApi() : options.api;
  const remote = remoteParent(options.headers);
  return (
    quietly(() => api && tracedCall(api, names, remote, options.content === true)) ??
    untracedCall(remote?.traceId ?? freshTraceId(), remote)
  );
}

function untracedCall(sessionId: string, remote: RemoteParent | undefined): CallTrace {
  const attempt: AttemptTrace = {
    spanId: undefined,
    headers: { [TRACE_HEADER]: sessionId, ...passedOn(remote) },
    run: (work) => work(),
    end() {},
  };
  return { sessionId, run: (work) => work(), startAttempt: () => attempt, end() {} };
}

function tracedCall(
  api: OtelApi,
  names: CallNames,
  remote: RemoteParent | undefined,
  content: boolean,
): CallTrace | undefined {
  const active = api.context.active();
  const current = valid(api.trace.getSpanContext(active));
  const parent = current || !remote ? active : api.trace.setSpanContext(active, contextOf(remote, api));
  const tracer = api.trace.getTracer('lakelog');
  const span = tracer.startSpan('iterate', {}, parent);
  if (!current && remote?.invented) makeRoot(span);
  const sessionId = valid(span.spanContext())?.traceId ?? current?.traceId;
  if (sessionId === undefined) return undefined;
  const inCall = api.trace.setSpan(parent, span);
  const naming = { 'gen_ai.request.model': names.model, 'gen_ai.provider.name': names.provider };
  setAttributes(span, {
    ...naming,
    'lakelog.kind': names.kind,
    'lakelog.max_iterations': names.maxIterations,
  });

  function startAttempt(number: number, prompt: Prompt): AttemptTrace {
    const attemptSpan = tracer.startSpan(`iterate.attempt[${number}]`, {}, inCall);
    setAttributes(attemptSpan, {
      ...naming,
      'gen_ai.operation.name': 'chat',
      'gen_ai.input.messages': content ? inputMessages(prompt) : undefined,
      'lakelog.attempt_number': number,
    });
    const own = exportedContext(attemptSpan);
    return {
      spanId: own?.spanId,
      headers: {
        [TRACE_HEADER]: sessionId!,
        ...(own ? propagated(own) : current ? propagated(current) : passedOn(remote)),
      },
      run: (work) => within(api, api.trace.setSpan(inCall, attemptSpan), work),
      end: (attempt, responseModel) =>
        quietly(() => endAttempt(attemptSpan, attempt, responseModel, content)),
    };
  }

  return {
    sessionId,
    run: (work) => within(api, inCall, work),
    startAttempt: (number, prompt) =>
      quietly(() => startAttempt(number, prompt)) ??
      untracedCall(sessionId, remote).startAttempt(number, prompt),
    end: (call, checked) => quietly(() => endCall(span, call, checked, content)),
  };
}

/** The context of a span that reaches a collector; without an SDK, or not sampled, it has none that leads anywhere. */
function exportedContext(span: OtelSpan): OtelSpanContext | undefined {
  const context = valid(span.spanContext());
  const isExported = (context?.traceFlags ?? 0) & 1 && span.isRecording?.() !== false;
  return isExported ? context : undefined;
}

/** An SDK continues a trace from a span only; the one that was made up for it is nobody's parent. */
function makeRoot(span: object): void {
  for (const name of ['parentSpanContext', 'parentSpanId']) {
    if (name in span) quietly(() => Object.assign(span, { [name]: undefined }));
  }
}

function endAttempt(
  span: OtelSpan,
  attempt: AttemptInput,
  responseModel: string | undefined,
  content: boolean,
): void {
  setAttributes(span, {
    'lakelog.verdict': attempt.verdict,
    'gen_ai.response.model': responseModel,
    'gen_ai.response.finish_reasons': attempt.finishReason ? [attempt.finishReason] : undefined,
    'gen_ai.usage.input_tokens': attempt.inputTokens,
    'gen_ai.usage.output_tokens': attempt.outputTokens,
    'gen_ai.output.messages':
      content && attempt.raw != null ? messages('assistant', attempt.raw, attempt.finishReason) : undefined,
    'lakelog.reasons': content && attempt.reasons ? [...attempt.reasons] : undefined,
  });
  const failed = attempt.verdict === 'infra_error';
  evaluated(span, 'lakelog.validation', attempt.verdict, {
    score: failed ? undefined : attempt.verdict === 'accepted' ? 1 : 0,
    explanation: content ? attempt.reasons?.join('\n') : undefined,
    errorType: failed ? 'infra_error' : undefined,
  });
  if (failed) setError(span, attempt.error ?? 'infra error', 'infra_error');
  span.end();
}

interface Evaluation {
  readonly score: number | undefined;
  readonly explanation?: string | undefined;
  readonly errorType?: string | undefined;
}

/** https://opentelemetry.io/docs/specs/semconv/gen-ai/gen-ai-events/#event-gen_aievaluationresult */
function evaluated(span: OtelSpan, name: string, label: string, evaluation: Evaluation): void {
  const attributes = {
    'gen_ai.evaluation.name': name,
    'gen_ai.evaluation.score.label': label,
    'gen_ai.evaluation.score.value': evaluation.score,
    'gen_ai.evaluation.explanation': evaluation.explanation,
    'error.type': evaluation.errorType,
  };
  const present = Object.entries(attributes).filter(([, value]) => value !== undefined && value !== '');
  span.addEvent?.('gen_ai.evaluation.result', Object.fromEntries(present) as Record<string, string>);
}

const GROUNDED = { true: 'grounded', false: 'ungrounded', null: 'unjudged' } as const;

function endCall(span: OtelSpan, call: CallInput, checked: boolean, content: boolean): void {
  if (checked && call.outcome === 'accepted') {
    const { groundedInRoster = null } = call;
    const error = call.extra?.roster_check_error;
    evaluated(span, 'lakelog.roster', GROUNDED[`${groundedInRoster}`], {
      score: groundedInRoster === null ? undefined : Number(groundedInRoster),
      explanation: content && typeof error === 'string' ? error : undefined,
      errorType: error === undefined ? undefined : 'roster_check_error',
    });
  }
  setAttributes(span, {
    'lakelog.final_verdict': call.outcome,
    'lakelog.iterations': call.attempts.length,
    'lakelog.grounded_in_roster': call.outcome === 'accepted' ? call.groundedInRoster : undefined,
    'lakelog.call_id': call.callId,
  });
  if (call.outcome === 'infra_error') {
    const { error } = call;
    setError(
      span,
      error instanceof Error ? error.message : String(error),
      call.errorType ?? (error instanceof Error ? error.name : 'infra_error'),
    );
  }
  span.end();
}

/** https://opentelemetry.io/docs/specs/semconv/general/recording-errors/ */
function setError(span: OtelSpan, message: string, type: string): void {
  setAttributes(span, { 'error.type': type });
  span.setStatus({ code: STATUS_ERROR, message });
}

const STATUS_ERROR = 2;

type AttributeValue = string | number | boolean | string[] | null | undefined;

function setAttributes(span: OtelSpan, attributes: Readonly<Record<string, AttributeValue>>): void {
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== undefined && value !== null) span.setAttribute(name, value);
  }
}

/** The form of https://opentelemetry.io/docs/specs/semconv/gen-ai/gen-ai-spans/ for messages on a span. */
function messages(role: string, text: unknown, finishReason?: string | null): string {
  return JSON.stringify([message(role, text, finishReason)]);
}

function inputMessages(prompt: Prompt): string {
  if (typeof prompt === 'string') return messages('user', prompt);
  return JSON.stringify(prompt.map(({ role, content }) => message(String(role), content)));
}

function message(role: string, text: unknown, finishReason?: string | null): object {
  const content = typeof text === 'string' ? text : JSON.stringify(text);
  const finish = finishReason ? { finish_reason: finishReason } : {};
  return { role, parts: [{ type: 'text', content }], ...finish };
}

/** Runs `work` once, whatever the API does around it. */
function within<T>(api: OtelApi, context: unknown, work: () => T): T {
  let ran: { readonly result: T } | undefined;
  let thrown: { readonly error: unknown } | undefined;
  quietly(() =>
    api.context.with(context, () => {
      if (ran || thrown) return;
      try {
        ran = { result: work() };
      } catch (error) {
        thrown = { error };
      }
    }),
  );
  if (thrown) throw (thrown as { error: unknown }).error;
  return ran ? (ran as { result: T }).result : work();
}

let installed: Promise<OtelApi | null> | undefined;

/** A name that no bundler can follow: the optional peer is looked for where the package runs. */
const OTEL_API: string = ['@opentelemetry', 'api'].join('/');

function installedApi(): Promise<OtelApi | null> {
  installed ??= import(/* @vite-ignore */ OTEL_API).then(
    (module: OtelApi & { default?: OtelApi }) => (module.trace ? module : (module.default ?? null)),
    () => null,
  );
  return installed;
}

const TRACEPARENT = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;

/** Where a request says that its trace comes from. */
interface RemoteParent {
  readonly traceId: string;
  readonly spanId: string;
  readonly traceFlags: number;
  /** The header names a trace and no span: this one was made up, and is told to nobody. */
  readonly invented: boolean;
  /** Of the W3C header; empty = none. */
  readonly traceState: string;
}

/** https://www.w3.org/TR/trace-context/#traceparent-header */
function remoteParent(headers: HeaderSource | undefined): RemoteParent | undefined {
  const asked = traceIdOf(header(headers, TRACE_HEADER));
  const [, version, traceId, spanId, flags, more] =
    TRACEPARENT.exec(header(headers, 'traceparent') ?? '') ?? [];
  const parent = valid({ traceId: traceId ?? '', spanId: spanId ?? '', traceFlags: 0 });
  const known = parent && version !== 'ff' && !(version === '00' && more !== undefined);
  if (known && (asked === undefined || asked === parent.traceId)) {
    const traceState = header(headers, 'tracestate') ?? '';
    return { ...parent, traceFlags: Number.parseInt(flags!, 16) & 1, invented: false, traceState };
  }
  if (asked === undefined) return undefined;
  // OpenTelemetry continues a trace only from a span.
  const invented = randomBytes(8).toString('hex');
  return { traceId: asked, spanId: invented, traceFlags: 1, invented: true, traceState: '' };
}

function contextOf({ traceId, spanId, traceFlags, traceState }: RemoteParent, api: OtelApi): OtelSpanContext {
  const state = traceState === '' ? undefined : quietly(() => api.createTraceState?.(traceState));
  return { traceId, spanId, traceFlags, isRemote: true, ...(state ? { traceState: state } : {}) };
}

/** What came in goes on as it is where no span of ours stands between. */
function passedOn(remote: RemoteParent | undefined): Record<string, string> {
  if (!remote || remote.invented) return {};
  const { traceState } = remote;
  return { traceparent: traceparent(remote), ...(traceState === '' ? {} : { tracestate: traceState }) };
}

function propagated(context: OtelSpanContext): Record<string, string> {
  const tracestate = quietly(() => context.traceState?.serialize()) ?? '';
  return { traceparent: traceparent(context), ...(tracestate === '' ? {} : { tracestate }) };
}

/**
 * The trace id that a header value names: 32 hex digits in either case, or a UUID. Anything else is undefined, as
 * an unreadable `traceparent` is to W3C.
 */
export function traceIdOf(value: string | undefined): string | undefined {
  const text = value?.trim().toLowerCase() ?? '';
  const digits = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(text) ? text.replaceAll('-', '') : text;
  return isTraceId(digits) ? digits : undefined;
}

function header(headers: HeaderSource | undefined, name: string): string | undefined {
  const value = quietly(() => {
    if (typeof headers?.get === 'function') return headers.get(name);
    const found = Object.entries(headers ?? {}).find(
      ([key]) => key.toLowerCase() === name.toLowerCase(),
    )?.[1];
    // Several of them are one list (RFC 9110, 5.3).
    return Array.isArray(found) ? (name === 'tracestate' ? found.join(',') : found[0]) : found;
  });
  return typeof value === 'string' ? value : undefined;
}

function traceparent({ traceId, spanId, traceFlags }: Omit<OtelSpanContext, 'traceState'>): string {
  return `00-${traceId}-${spanId}-0${traceFlags & 1}`;
}

function valid(context: OtelSpanContext | undefined): OtelSpanContext | undefined {
  return context && isTraceId(context.traceId) && /^(?!0{16})[0-9a-f]{16}$/.test(context.spanId)
    ? context
    : undefined;
}

function isTraceId(text: string): boolean {
  return /^(?!0{32})[0-9a-f]{32}$/.test(text);
}

function freshTraceId(): string {
  return randomBytes(16).toString('hex');
}

function quietly<T>(run: () => T): T | undefined {
  try {
    return run();
  } catch {
    return undefined;
  }
}
