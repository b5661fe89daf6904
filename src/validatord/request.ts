import type { ChatMessage, Prompt } from '../log/index.js';
import type { Config } from './config.js';

/** A request of POST /v1/iterate. */
export interface IterateRequest {
  readonly kind: string;
  readonly prompt: Prompt;
  readonly model: string;
  readonly maxIterations: number;
}

/** What is wrong with a request; safe to send back. */
export class BadRequest extends Error {
  override name = 'BadRequest';
}

const KNOWN = ['kind', 'prompt', 'model', 'max_iterations'];

/** @throws BadRequest naming the field. */
export function iterateRequest(body: string, config: Config): IterateRequest {
  const fields = jsonObject(body);
  const unknown = Object.keys(fields).find((name) => !KNOWN.includes(name));
  if (unknown !== undefined) {
    throw new BadRequest(
      `${JSON.stringify(unknown.slice(0, 40))}: unknown field; known are ${KNOWN.join(', ')}`,
    );
  }
  const { kind, prompt, model = config.model.name, max_iterations = config.maxIterations } = fields;
  if (typeof kind !== 'string' || !config.kinds.has(kind)) {
    throw new BadRequest(`kind: not one of ${[...config.kinds.keys()].join(', ')}`);
  }
  const task = promptOf(prompt);
  if (typeof model !== 'string' || !/^[^\p{Cc}]{1,200}$/u.test(model)) {
    throw new BadRequest('model: not a name of 1 to 200 characters');
  }
  const most = config.limits.maxIterations;
  if (
    !Number.isSafeInteger(max_iterations) ||
    (max_iterations as number) < 1 ||
    (max_iterations as number) > most
  ) {
    throw new BadRequest(`max_iterations: not an integer from 1 to ${most}`);
  }
  return { kind, prompt: task, model, maxIterations: max_iterations as number };
}

const ROLES = ['system', 'developer', 'user', 'assistant', 'tool'];

/** A text, or the messages of a chat. */
function promptOf(prompt: unknown): Prompt {
  if (typeof prompt === 'string' && prompt.trim() !== '') return prompt;
  if (!Array.isArray(prompt)) throw new BadRequest('prompt: not a text, and not an array of chat messages');
  if (prompt.length === 0) throw new BadRequest('prompt: an array without a message');
  if (!canBeSent(prompt)) throw new BadRequest('prompt: nested too deep');
  for (const [i, message] of (prompt as ChatMessage[]).entries()) {
    const { role, content } = message ?? {};
    if (!ROLES.includes(role as string)) {
      throw new BadRequest(`prompt[${i}].role: not one of ${ROLES.join(', ')}`);
    }
    if (!isContent(content) && !(role === 'assistant' && Array.isArray(message.tool_calls))) {
      throw new BadRequest(`prompt[${i}].content: neither a text nor an array of parts`);
    }
  }
  return prompt;
}

function canBeSent(prompt: unknown): boolean {
  try {
    return JSON.stringify(prompt) !== undefined;
  } catch {
    return false;
  }
}

function isContent(content: unknown): boolean {
  if (typeof content === 'string') return true;
  return (
    Array.isArray(content) && content.length > 0 && content.every((part) => typeof part?.type === 'string')
  );
}

function jsonObject(body: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch {
    throw new BadRequest('the body is not JSON');
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new BadRequest('the body is not a JSON object');
  }
  return value as Record<string, unknown>;
}
