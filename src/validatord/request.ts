import type { Config } from './config.js';

/** A request of POST /v1/iterate. */
export interface IterateRequest {
  readonly kind: string;
  readonly prompt: string;
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
  if (typeof prompt !== 'string' || prompt.trim() === '') throw new BadRequest('prompt: not a text');
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
  return { kind, prompt, model, maxIterations: max_iterations as number };
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
