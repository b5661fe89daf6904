import { randomUUID } from 'node:crypto';
import type { AttemptVerdict, SessionRecord, Unstamped } from '../schema/types.js';
import { type AnswerBounds, parseJsonAnswer, tooLarge } from './answer.js';
import {
  type AttemptInput,
  buildSessionRecord,
  type CallFacts,
  type CallInput,
  type Prompt,
} from './build.js';
import { bounded, type Deadline, startDeadline } from './deadline.js';
import { type AttemptTrace, type CallTrace, openCallTrace, type TraceOptions } from './trace.js';

/** What `generate` gets besides the prompt. */
export interface AttemptContext {
  /** From 1. */
  readonly number: number;
  /** Aborts when the call is aborted or the attempt's time is over. The call goes on without waiting for it. */
  readonly signal: AbortSignal;
  readonly sessionId: string;
  /** Headers for the model's endpoint: X-Lakehouse-Trace-Id, and traceparent where OpenTelemetry runs. */
  readonly headers: Readonly<Record<string, string>>;
}

/** What the model answered, where the text alone does not tell all. */
export interface Generation {
  /** Raw output of the model. */
  readonly raw: string;
  readonly inputTokens?: number | null | undefined;
  readonly outputTokens?: number | null | undefined;
  readonly finishReason?: string | null | undefined;
  /** Model that answered, as the provider names it. */
  readonly responseModel?: string | null | undefined;
}

/** The validator's word. Nothing but `accepted: true` accepts. */
export type Validation =
  | { readonly accepted: true }
  | { readonly accepted: false; readonly reasons: readonly string[] };

/** What a roster check found out about an accepted artifact. */
export interface RosterStamp {
  /** Every worker the artifact names is in the roster; null = it could not be judged. */
  readonly groundedInRoster: boolean | null;
  /** Worker ids the artifact names, each once, in its order. */
  readonly proposedWorkerIds: readonly string[];
  /** Hash of the roster that was checked against; null where it has none. */
  readonly rosterHash: string | null;
}

export interface RosterCheckContext {
  /** Aborts when the call is aborted or the time of the check is over. The call does not wait for it. */
  readonly signal: AbortSignal;
}

/** An attempt that was not accepted, as the next prompt is made from it. */
export interface FailedAttempt {
  readonly number: number;
  readonly verdict: 'rejected' | 'no_candidate';
  readonly raw: string;
  readonly reasons: readonly string[];
}

/** Facts that go into the record as they are. */
type PassedOn = Pick<
  CallFacts,
  'daemon' | 'provider' | 'environment' | 'promptVersion' | 'validatorVersion' | 'extra'
>;

export interface IterateOptions<C, P extends Prompt = string> extends PassedOn {
  /** Kind of artifact: `fill`, `email`, `playbook`, … */
  readonly kind: string;
  /** Model asked for. */
  readonly model: string;
  /** The task; the first prompt. */
  readonly prompt: P;
  /** Asks the model. What it throws ends the call as an infra error. */
  readonly generate: (
    prompt: P,
    attempt: AttemptContext,
  ) => string | Generation | Promise<string | Generation>;
  /** Judges a candidate. What it throws ends the call as an infra error, never as an acceptance. */
  readonly validate: (candidate: C) => Validation | Promise<Validation>;
  /**
   * Finds the candidate in the model's answer. Undefined, null or a throw: no candidate, and the thrown message is
   * fed back. Default: `parseJsonAnswer`.
   */
  readonly parse?: ((raw: string) => C | null | undefined) | undefined;
  /** What an answer may be at most. A larger one is a rejected attempt, before `validate` sees it. */
  readonly answerBounds?: AnswerBounds | undefined;
  /** Attempts allowed, from 1. Default: 3. */
  readonly maxIterations?: number | undefined;
  /** Ends the call as an infra error. */
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds for generation and validation of one attempt. Default: 120,000; Infinity = no bound. */
  readonly attemptTimeoutMs?: number | undefined;
  /** Makes the next prompt from the task and the attempts so far. Default: `feedbackPrompt`. */
  readonly feedback?: ((prompt: P, failed: readonly FailedAttempt[]) => P) | undefined;
  /**
   * Stamps the accepted artifact, independently of `validate`. A check that throws, gives no verdict or takes longer
   * than an attempt may leaves the call unjudged, with the field `roster_check_error`.
   */
  readonly rosterCheck?:
    | ((
        artifact: C,
        context: RosterCheckContext,
      ) => RosterStamp | null | undefined | Promise<RosterStamp | null | undefined>)
    | undefined;
  /** Gets the record of the call, e.g. a SessionLogger. What it throws or returns changes nothing. */
  readonly logger?: { append(record: Unstamped<SessionRecord>): unknown } | null | undefined;
  readonly trace?: TraceOptions | undefined;
  /** Time the call ended. Default: the system's clock. */
  readonly clock?: (() => Date) | undefined;
}

interface Ended {
  /** Langfuse / W3C trace id. */
  readonly sessionId: string;
  readonly callId: string;
  /** Attempts made, in order. */
  readonly attempts: readonly AttemptInput[];
  /** The record of the call, whether it could be logged or not. */
  readonly record: Unstamped<SessionRecord>;
}

export interface IterateAccepted<C> extends Ended {
  readonly outcome: 'accepted';
  readonly artifact: C;
  /**
   * False: the validator accepted workers who are not in the roster. Null: nobody checked, or nobody could. Of a kind
   * that must be grounded, act on the artifact when this is true and never else.
   */
  readonly groundedInRoster: boolean | null;
  /** Why the roster check gave no verdict; null when it gave one, named nobody, or was not asked for. */
  readonly rosterCheckError: string | null;
  readonly proposedWorkerIds: readonly string[] | null;
}

export interface IterateExhausted extends Ended {
  readonly outcome: 'max_iter_exhausted';
  /** Why the last attempt was not accepted. */
  readonly reasons: readonly string[];
}

export interface IterateFailed extends Ended {
  readonly outcome: 'infra_error';
  /** Named `AbortError` for an aborted call and `TimeoutError` for an attempt that took too long. */
  readonly error: Error;
}

/** How a call ended; `outcome` tells which. */
export type IterateResult<C> = IterateAccepted<C> | IterateExhausted | IterateFailed;

const DEFAULT_ITERATIONS = 3;
const DEFAULT_ATTEMPT_MS = 120_000;

/**
 * One iterate call: generate, parse, validate, and again with the reasons until a candidate is accepted or the
 * tries run out. Every end is recorded through `buildSessionRecord` and handed to `logger`; the result is the same
 * whether that works, throws or is left out.
 *
 * @throws TypeError or RangeError for options that make no call; nothing else, whatever the callbacks do.
 */
export async function iterate<C = unknown>(options: IterateOptions<C>): Promise<IterateResult<C>>;
export async function iterate<C = unknown>(options: IterateOptions<C, Prompt>): Promise<IterateResult<C>>;
export async function iterate<C, P extends Prompt>(options: IterateOptions<C, P>): Promise<IterateResult<C>> {
  const settings = checked(options);
  const started = performance.now();
  const { kind, model, provider } = options;
  const { maxIterations } = settings;
  const trace = await openCallTrace({ kind, model, provider, maxIterations }, options.trace);
  const progress: Progress = { attempts: [], responseModel: undefined };
  const ending = await run(settings, trace, progress);
  const stamped = ending.outcome === 'accepted' ? await stamp(settings, trace, ending.artifact) : UNSTAMPED;
  const call = callInput(settings, ending, {
    sessionId: trace.sessionId,
    callId: randomUUID(),
    attempts: progress.attempts,
    responseModel: progress.responseModel,
    stamped,
    timestamp: timeOf(options.clock),
    durationMs: Math.round(performance.now() - started),
  });
  trace.run(() => log(options.logger, call));
  trace.end(call, ending.outcome === 'accepted' && settings.rosterCheck !== undefined);
  const ended: Ended = {
    sessionId: call.sessionId,
    callId: call.callId!,
    attempts: call.attempts,
    record: buildSessionRecord(call),
  };
  if (ending.outcome !== 'accepted') return { ...ended, ...ending };
  return {
    ...ended,
    ...ending,
    groundedInRoster: stamped.groundedInRoster,
    rosterCheckError: stamped.why ?? null,
    proposedWorkerIds: stamped.proposedWorkerIds,
  };
}

/**
 * The default feedback: the task again, with what was wrong with the last answer. A chat goes on: the last answer,
 * and what was wrong with it.
 */
export function feedbackPrompt(prompt: string, failed: readonly FailedAttempt[]): string;
export function feedbackPrompt(prompt: Prompt, failed: readonly FailedAttempt[]): Prompt;
export function feedbackPrompt(prompt: Prompt, failed: readonly FailedAttempt[]): Prompt {
  const last = failed.at(-1);
  if (!last) return prompt;
  const correction = correctionOf(last);
  if (typeof prompt === 'string') return `${prompt}\n\n${correction}`;
  return [
    ...prompt,
    { role: 'assistant', content: last.raw.slice(0, LONGEST_ANSWER) || '(no answer)' },
    { role: 'user', content: correction },
  ];
}

function correctionOf(last: FailedAttempt): string {
  const said =
    last.verdict === 'rejected'
      ? 'Your previous answer was rejected'
      : 'Your previous answer could not be read';
  const listed = last.reasons.slice(0, MOST_REASONS).map((reason) => `- ${shortened(reason)}`);
  const more = last.reasons.length - listed.length;
  if (more > 0) listed.push(`- and ${more} more reasons`);
  const because = listed.length > 0 ? `${said}:\n${listed.join('\n')}` : `${said}.`;
  return `${because}\n\nAnswer the task again, whole, with all of this put right.`;
}

const MOST_REASONS = 50;
const LONGEST_REASON = 500;
/** Characters of a wrong answer that is shown to the model again. */
const LONGEST_ANSWER = 20_000;

function shortened(reason: string): string {
  return reason.length > LONGEST_REASON ? `${reason.slice(0, LONGEST_REASON)}…` : reason;
}

type Ending<C> =
  | { readonly outcome: 'accepted'; readonly artifact: C }
  | { readonly outcome: 'max_iter_exhausted'; readonly reasons: readonly string[] }
  | { readonly outcome: 'infra_error'; readonly error: Error };

interface Progress {
  readonly attempts: AttemptInput[];
  responseModel: string | undefined;
}

type Settings<C> = IterateOptions<C, Prompt> & {
  readonly maxIterations: number;
  readonly attemptTimeoutMs: number;
};

function checked<C, P extends Prompt>(options: IterateOptions<C, P>): Settings<C> {
  const { maxIterations = DEFAULT_ITERATIONS, attemptTimeoutMs = DEFAULT_ATTEMPT_MS } = options;
  for (const name of ['kind', 'model'] as const) {
    if (typeof options[name] !== 'string' || options[name] === '') {
      throw new TypeError(`iterate: ${name} is not a string of at least one character`);
    }
  }
  if (!isPrompt(options.prompt)) {
    throw new TypeError('iterate: prompt is neither a string nor an array of messages');
  }
  for (const name of ['generate', 'validate'] as const) {
    if (typeof options[name] !== 'function') throw new TypeError(`iterate: ${name} is not a function`);
  }
  if (options.signal && typeof options.signal.addEventListener !== 'function') {
    throw new TypeError('iterate: signal is not an AbortSignal');
  }
  if (!Number.isSafeInteger(maxIterations) || maxIterations < 1) {
    throw new RangeError(`iterate: maxIterations is ${maxIterations}, not an integer of at least 1`);
  }
  if (!(attemptTimeoutMs > 0)) {
    throw new RangeError(`iterate: attemptTimeoutMs is ${attemptTimeoutMs}, not above 0`);
  }
  // Callbacks get the prompt of their own type back: the first one, or what `feedback` made of it.
  const general = options as unknown as IterateOptions<C, Prompt>;
  return { ...general, maxIterations, attemptTimeoutMs };
}

function isPrompt(value: unknown): value is Prompt {
  return (
    typeof value === 'string' ||
    (Array.isArray(value) &&
      value.length > 0 &&
      value.every((message) => typeof message === 'object' && message !== null))
  );
}

async function run<C>(settings: Settings<C>, trace: CallTrace, progress: Progress): Promise<Ending<C>> {
  const { prompt, maxIterations, feedback = feedbackPrompt } = settings;
  const failed: FailedAttempt[] = [];
  for (let number = 1; ; number++) {
    let asked: Prompt = prompt;
    const deadline = startDeadline(settings.signal, settings.attemptTimeoutMs, `attempt ${number}`);
    try {
      deadline.signal.throwIfAborted();
      if (number > 1) asked = promptOf(trace.run(() => feedback(prompt, failed)));
    } catch (error) {
      deadline.release();
      return { outcome: 'infra_error', error: toError(error) };
    }
    const span = trace.startAttempt(number, asked);
    const attempt = await makeAttempt(settings, {
      number,
      asked,
      span,
      deadline,
      sessionId: trace.sessionId,
    });
    deadline.release();
    const { input, responseModel } = attempt;
    progress.attempts.push(input);
    progress.responseModel = responseModel ?? progress.responseModel;
    span.end(input, responseModel);
    if (attempt.verdict === 'accepted') return { outcome: 'accepted', artifact: attempt.candidate };
    if (attempt.verdict === 'infra_error') return { outcome: 'infra_error', error: attempt.error };
    const { verdict, reasons, raw } = attempt;
    failed.push({ number, verdict, reasons, raw });
    if (number === maxIterations) return { outcome: 'max_iter_exhausted', reasons };
  }
}

interface AttemptTask {
  readonly number: number;
  readonly asked: Prompt;
  readonly span: AttemptTrace;
  readonly deadline: Deadline;
  readonly sessionId: string;
}

type Judged<C> =
  | { readonly verdict: 'accepted'; readonly candidate: C }
  | {
      readonly verdict: 'rejected' | 'no_candidate';
      readonly reasons: readonly string[];
      readonly raw: string;
    }
  | { readonly verdict: 'infra_error'; readonly error: Error };

type AttemptEnd<C> = Judged<C> & { readonly input: AttemptInput; readonly responseModel: string | undefined };

async function makeAttempt<C>(settings: Settings<C>, task: AttemptTask): Promise<AttemptEnd<C>> {
  const { number, asked, span, deadline, sessionId } = task;
  const started = performance.now();
  let generation: Generation | undefined;
  const work = async (): Promise<Judged<C>> => {
    const context = { number, signal: deadline.signal, sessionId, headers: span.headers };
    generation = generationOf(await bounded(() => settings.generate(asked, context), deadline.signal));
    return judge(settings, generation.raw, deadline.signal);
  };
  const judged = await span
    .run(work)
    .catch((error: unknown): Judged<C> => ({ verdict: 'infra_error', error: toError(error) }));
  const verdict: AttemptVerdict = judged.verdict;
  const input: AttemptInput = {
    verdict,
    ...(asked === settings.prompt ? {} : { prompt: asked }),
    ...(generation && {
      raw: generation.raw,
      inputTokens: generation.inputTokens,
      outputTokens: generation.outputTokens,
      finishReason: generation.finishReason,
    }),
    ...('reasons' in judged ? { reasons: judged.reasons } : {}),
    ...('error' in judged ? { error: judged.error.message } : {}),
    spanId: span.spanId,
    durationMs: Math.round(performance.now() - started),
  };
  return { ...judged, input, responseModel: generation?.responseModel ?? undefined };
}

async function judge<C>(settings: Settings<C>, raw: string, signal: AbortSignal): Promise<Judged<C>> {
  let candidate: C | null | undefined;
  const long = tooLarge(raw, undefined, settings.answerBounds);
  if (long !== undefined) return { verdict: 'rejected', reasons: [long], raw };
  try {
    candidate = settings.parse ? settings.parse(raw) : (parseJsonAnswer(raw) as C);
  } catch (error) {
    return { verdict: 'no_candidate', reasons: [toError(error).message], raw };
  }
  if (candidate === undefined || candidate === null) return { verdict: 'no_candidate', reasons: [], raw };
  const large = tooLarge('', candidate, settings.answerBounds);
  if (large !== undefined) return { verdict: 'rejected', reasons: [large], raw };
  const proposal = candidate;
  const validation = await bounded(() => settings.validate(proposal), signal);
  if (validation?.accepted === true) return { verdict: 'accepted', candidate: proposal };
  if (validation?.accepted === false) {
    const given: unknown = validation.reasons;
    return { verdict: 'rejected', reasons: Array.isArray(given) ? given.map(String) : [], raw };
  }
  throw new TypeError('validate gave neither {accepted: true} nor {accepted: false, reasons}');
}

function generationOf(given: unknown): Generation {
  if (typeof given === 'string') return { raw: given };
  const generation = given as Generation | null | undefined;
  return { ...generation, raw: textOf(generation?.raw, 'generate') };
}

function promptOf(value: unknown): Prompt {
  if (!isPrompt(value)) throw new TypeError('feedback gave no text and no messages');
  return value;
}

function textOf(value: unknown, source: string): string {
  if (typeof value !== 'string') throw new TypeError(`${source} gave no text`);
  return value;
}

interface Stamped {
  readonly groundedInRoster: boolean | null;
  readonly proposedWorkerIds: readonly string[] | null;
  readonly rosterHash: string | null;
  /** Why there is no verdict. */
  readonly why?: string;
  /** The same for the record, where the check itself failed. */
  readonly error?: string;
}

const UNSTAMPED: Stamped = { groundedInRoster: null, proposedWorkerIds: null, rosterHash: null };

/** A failed check leaves the call unjudged, which keeps the alarm from vouching: it must never read as grounded. */
async function stamp<C>(settings: Settings<C>, trace: CallTrace, artifact: C): Promise<Stamped> {
  const { rosterCheck, attemptTimeoutMs, signal } = settings;
  if (!rosterCheck) return UNSTAMPED;
  const deadline = startDeadline(signal, attemptTimeoutMs, 'the roster check');
  const context = { signal: deadline.signal };
  try {
    const given = await trace.run(() => bounded(() => rosterCheck(artifact, context), deadline.signal));
    const { groundedInRoster, proposedWorkerIds, rosterHash } = given ?? {};
    const judged = typeof groundedInRoster === 'boolean' || groundedInRoster === null;
    return {
      ...(judged ? {} : { why: 'the roster check gave no verdict' }),
      groundedInRoster: typeof groundedInRoster === 'boolean' ? groundedInRoster : null,
      proposedWorkerIds: Array.isArray(proposedWorkerIds) ? proposedWorkerIds.map(String) : null,
      rosterHash: typeof rosterHash === 'string' ? rosterHash : null,
    };
  } catch (error) {
    const { message } = toError(error);
    return { ...UNSTAMPED, why: message, error: message };
  } finally {
    deadline.release();
  }
}

interface Facts {
  readonly sessionId: string;
  readonly callId: string;
  readonly attempts: readonly AttemptInput[];
  readonly responseModel: string | undefined;
  readonly stamped: Stamped;
  readonly timestamp: Date;
  readonly durationMs: number;
}

function callInput<C>(settings: Settings<C>, ending: Ending<C>, facts: Facts): CallInput {
  const { stamped, ...rest } = facts;
  const call: CallFacts = {
    ...rest,
    kind: settings.kind,
    model: settings.model,
    prompt: settings.prompt,
    maxIterations: settings.maxIterations,
    daemon: settings.daemon,
    provider: settings.provider,
    environment: settings.environment,
    promptVersion: settings.promptVersion,
    validatorVersion: settings.validatorVersion,
    rosterHash: stamped.rosterHash ?? undefined,
    extra: stamped.error ? { ...settings.extra, roster_check_error: stamped.error } : settings.extra,
  };
  switch (ending.outcome) {
    case 'accepted':
      return {
        ...call,
        ...ending,
        groundedInRoster: stamped.groundedInRoster,
        proposedWorkerIds: stamped.proposedWorkerIds ?? undefined,
      };
    case 'max_iter_exhausted':
      return { ...call, outcome: ending.outcome };
    case 'infra_error':
      return { ...call, ...ending };
  }
}

/** The logger gets a record of its own, so that nothing it does to it reaches the result. */
function log(logger: IterateOptions<never>['logger'], call: CallInput): void {
  try {
    const returned: unknown = logger?.append(buildSessionRecord(call));
    // A rejection that nobody handles would end the host.
    if (typeof returned === 'object' && returned !== null) Promise.resolve(returned).catch(() => {});
  } catch {
    // The logger counts what it lost; the call is worth more than its record.
  }
}

function timeOf(clock: (() => Date) | undefined): Date {
  try {
    const time = clock?.();
    if (time instanceof Date && Number.isFinite(time.getTime())) return time;
  } catch {
    // A clock that fails is no reason to lose the call.
  }
  return new Date();
}

function toError(thrown: unknown): Error {
  try {
    return thrown instanceof Error ? thrown : new Error(String(thrown));
  } catch {
    return new Error('unreadable error');
  }
}
