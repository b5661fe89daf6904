/** The client of a model's endpoint: what it asks, and what it makes of the answer. */
import type { IncomingMessage } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import type { AttemptContext, Generation, Prompt } from '../log/index.js';
import { readText, TooLong } from './body.js';
import type { Config } from './config.js';
import { poster } from './http-post.js';

/** The model's endpoint gave no answer that could be used. Never holds the API key or a part of the answer. */
export class ModelError extends Error {
  override name = 'ModelError';
}

/** The endpoint asks for patience, longer than the attempt has. */
export class ModelBusy extends ModelError {
  readonly status: 429 | 503;
  readonly retryAfterSeconds: number;
  constructor(status: 429 | 503, retryAfterSeconds: number) {
    super(`model endpoint answered ${status} and asks to wait ${retryAfterSeconds} s`);
    this.status = status;
    this.retryAfterSeconds = retryAfterSeconds;
  }
}

/** Asks the endpoint once. @throws ModelError, or the reason of the attempt's signal. */
export type Ask = (model: string, prompt: Prompt, attempt: AttemptContext) => Promise<Generation>;

export type AskLimits = Pick<Config['limits'], 'maxAnswerBytes' | 'attemptTimeoutMs'>;

/** A client of one OpenAI-compatible chat completions endpoint. */
export function chatCompletions(config: Config['model'], limits: AskLimits): Ask {
  const { url, apiKey, systemPrompt } = config;
  const post = poster();
  const system = systemPrompt === undefined ? [] : [{ role: 'system', content: systemPrompt }];
  return async (model, prompt, { signal, headers }) => {
    const started = performance.now();
    const messages = typeof prompt === 'string' ? [{ role: 'user', content: prompt }] : prompt;
    const request = {
      headers: {
        ...headers,
        'content-type': 'application/json',
        accept: 'application/json',
        'accept-encoding': 'identity',
        ...(apiKey === undefined ? {} : { authorization: `Bearer ${apiKey}` }),
      },
      body: JSON.stringify({ model, messages: [...system, ...messages], stream: false }),
      signal,
    };
    for (let tries = 0; ; tries++) {
      const response = await post(url, request).catch((error: NodeJS.ErrnoException) => {
        throw signal.aborted ? signal.reason : new ModelError(`model endpoint not reachable${codeOf(error)}`);
      });
      if (isOk(response)) {
        return generationOf(await jsonOf(response, bodyBytes(limits.maxAnswerBytes), signal));
      }
      // A redirect is not followed: it could carry the prompt to a host that nobody configured.
      const timeLeft = limits.attemptTimeoutMs - (performance.now() - started);
      const { status, ms } = waitOf(response);
      await wait({ status, ms: Math.max(ms, SHORTEST_WAIT_MS * 2 ** tries) }, timeLeft, signal);
    }
  };
}

/** JSON may write one byte of an answer as six, and says more than the answer. */
function bodyBytes(answerBytes: number): number {
  return 6 * answerBytes + 1024 * 1024;
}

function codeOf({ code }: NodeJS.ErrnoException): string {
  return typeof code === 'string' ? `: ${code}` : '';
}

interface Patience {
  readonly status: 429 | 503;
  readonly ms: number;
}

/** How long an answer asks to wait. @throws ModelError for one that does not ask. */
function waitOf(response: IncomingMessage): Patience {
  // What it says besides is not read: it may never end.
  response.on('error', () => {}).destroy();
  const { statusCode: status } = response;
  const ms = retryAfterMs(response.headers['retry-after']);
  if ((status === 429 || status === 503) && ms !== undefined) return { status, ms };
  throw new ModelError(`model endpoint answered ${status}`);
}

async function wait({ status, ms }: Patience, timeLeftMs: number, signal: AbortSignal): Promise<void> {
  if (ms >= timeLeftMs) throw new ModelBusy(status, Math.ceil(ms / 1000));
  await sleep(ms, undefined, { signal }).catch(() => {
    throw signal.reason;
  });
}

/** Twice as long each time: an endpoint that says "at once" over and over is not asked without a pause. */
const SHORTEST_WAIT_MS = 250;

/** Seconds or a date (RFC 9110, 10.2.3). */
function retryAfterMs(header: string | undefined): number | undefined {
  const text = header?.trim() ?? '';
  if (/^\d{1,9}$/.test(text)) return Number(text) * 1000;
  // Date.parse takes "-5" for a year.
  const ms = /^[A-Z][a-z]+, .* GMT$/.test(text) ? Date.parse(text) - Date.now() : Number.NaN;
  return Number.isNaN(ms) ? undefined : ms;
}

async function jsonOf(response: IncomingMessage, maxBytes: number, signal: AbortSignal): Promise<unknown> {
  try {
    return JSON.parse(await readText(response, maxBytes));
  } catch (error) {
    response.destroy();
    if (signal.aborted) throw signal.reason;
    if (error instanceof TooLong) throw new ModelError(`model endpoint answered ${error.message}`);
    throw new ModelError('model endpoint answered no whole JSON');
  }
}

/**
 * https://platform.openai.com/docs/api-reference/chat/object; content in parts as Mistral, Anthropic and others send
 * it. Whatever is not known to be the whole answer of the model is an error: never an answer without a candidate.
 */
function generationOf(answer: unknown): Generation {
  const failure = at(answer, 'error');
  if (failure !== undefined && failure !== null) throw new ModelError('model endpoint answered an error');
  const choice = at(at(answer, 'choices'), 0);
  const message = at(choice, 'message');
  if (message === undefined) throw new ModelError('model endpoint answered without choices[0].message');
  const finishReason = finishOf(at(choice, 'finish_reason'));
  if (isThere(at(message, 'refusal'))) throw new ModelError('the model refused to answer');
  for (const name of ['tool_calls', 'function_call']) {
    if (isThere(at(message, name))) throw new ModelError(`the model answered with ${name} instead of text`);
  }
  const usage = at(answer, 'usage');
  return {
    raw: textOf(at(message, 'content')),
    inputTokens: count(at(usage, 'prompt_tokens')),
    outputTokens: count(at(usage, 'completion_tokens')),
    finishReason,
    responseModel: text(at(answer, 'model')),
  };
}

/** What endpoints say of an answer that the model ended by itself. */
const ENDED = ['stop', 'end_turn', 'stop_sequence', 'eos', 'eos_token'];

function finishOf(reason: unknown): string | undefined {
  if (reason === undefined || reason === null || reason === '') return undefined;
  if (typeof reason === 'string' && ENDED.includes(reason.toLowerCase())) return reason;
  const word = typeof reason === 'string' && /^\w{1,40}$/.test(reason) ? reason : 'not understood';
  throw new ModelError(`the answer of the model is not whole: finish_reason ${word}`);
}

function isThere(value: unknown): boolean {
  return (
    value !== undefined && value !== null && value !== '' && !(Array.isArray(value) && value.length === 0)
  );
}

const TEXT_PARTS = ['text', 'output_text'];
const THOUGHT_PARTS = ['thinking', 'redacted_thinking', 'reasoning'];

/** The text of all text parts; thoughts are no part of the answer. */
function textOf(content: unknown): string {
  if (typeof content === 'string') return content;
  if (!Array.isArray(content)) throw new ModelError('the model answered without content');
  const texts: string[] = [];
  for (const part of content) {
    const type = at(part, 'type');
    const value = at(part, 'text');
    if (TEXT_PARTS.includes(type as string) && typeof value === 'string') texts.push(value);
    else if (!THOUGHT_PARTS.includes(type as string)) {
      const word = typeof type === 'string' && /^\w{1,40}$/.test(type) ? type : 'without a type';
      throw new ModelError(`the model answered with a part that is not understood: ${word}`);
    }
  }
  if (texts.length === 0) throw new ModelError('the model answered without text');
  return texts.join('');
}

function at(value: unknown, key: string | number): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, key)
    ? (value as Record<string | number, unknown>)[key]
    : undefined;
}

function count(value: unknown): number | undefined {
  return Number.isSafeInteger(value) && (value as number) >= 0 ? (value as number) : undefined;
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

function isOk({ statusCode = 0 }: IncomingMessage): boolean {
  return statusCode >= 200 && statusCode < 300;
}
