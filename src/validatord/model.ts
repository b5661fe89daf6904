import type { AttemptContext, Generation } from '../log/index.js';
import { readText, TooLong } from './body.js';
import type { Config } from './config.js';

/** The model's endpoint gave no answer that could be used. Never holds the API key or a part of the answer. */
class ModelError extends Error {
  override name = 'ModelError';
}

/** Asks the endpoint once. @throws ModelError, or the reason of the attempt's signal. */
export type Ask = (model: string, prompt: string, attempt: AttemptContext) => Promise<Generation>;

/** A client of one OpenAI-compatible chat completions endpoint. */
export function chatCompletions(config: Config['model'], maxAnswerBytes: number): Ask {
  const { url, apiKey, systemPrompt } = config;
  const system = systemPrompt === undefined ? [] : [{ role: 'system', content: systemPrompt }];
  return async (model, prompt, { signal, headers }) => {
    const response = await fetch(url, {
      method: 'POST',
      headers: {
        ...headers,
        'content-type': 'application/json',
        accept: 'application/json',
        ...(apiKey === undefined ? {} : { authorization: `Bearer ${apiKey}` }),
      },
      body: JSON.stringify({
        model,
        messages: [...system, { role: 'user', content: prompt }],
        stream: false,
      }),
      // A redirect could carry the prompt to a host that nobody configured.
      redirect: 'manual',
      signal,
    }).catch((error: unknown) => {
      throw signal.aborted ? signal.reason : new ModelError(`model endpoint not reachable${causeOf(error)}`);
    });
    if (!response.ok) {
      await response.body?.cancel();
      throw new ModelError(`model endpoint answered ${response.status}`);
    }
    return generationOf(await jsonOf(response, maxAnswerBytes, signal));
  };
}

function causeOf(error: unknown): string {
  const { code } = ((error as Error | undefined)?.cause ?? {}) as NodeJS.ErrnoException;
  return typeof code === 'string' ? `: ${code}` : '';
}

async function jsonOf(response: Response, maxBytes: number, signal: AbortSignal): Promise<unknown> {
  try {
    return JSON.parse(await readText(response.body, maxBytes));
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    if (error instanceof TooLong) throw new ModelError(`model endpoint answered ${error.message}`);
    throw new ModelError('model endpoint answered no whole JSON');
  }
}

/** https://platform.openai.com/docs/api-reference/chat/object; a refusal or a tool call has no content. */
function generationOf(answer: unknown): Generation {
  const choice = at(at(answer, 'choices'), 0);
  const message = at(choice, 'message');
  if (message === undefined) throw new ModelError('model endpoint answered without choices[0].message');
  const content = at(message, 'content');
  const usage = at(answer, 'usage');
  return {
    raw: typeof content === 'string' ? content : '',
    inputTokens: count(at(usage, 'prompt_tokens')),
    outputTokens: count(at(usage, 'completion_tokens')),
    finishReason: text(at(choice, 'finish_reason')),
    responseModel: text(at(answer, 'model')),
  };
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
