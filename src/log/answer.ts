import { MOST_VALUES } from '../roster/named.js';

/** What a model's answer may be at most; beyond, the attempt is rejected. */
export interface AnswerBounds {
  /** UTF-8 bytes of the raw answer. Default: 4 MiB. */
  readonly bytes?: number | undefined;
  /** Values in the candidate, containers too. Default and most: 100,000. */
  readonly values?: number | undefined;
  /** Containers inside of each other. Default and most: 90, since records end at 100. */
  readonly depth?: number | undefined;
}

export const ANSWER_BYTES = 4 * 1024 * 1024;
export const MOST_DEPTH = 90;

/**
 * Why an answer is too large to be judged, in words that the model understands; undefined when it is not. What a
 * check could not get through must not be accepted in the first place.
 */
export function tooLarge(raw: string, candidate: unknown, bounds: AnswerBounds = {}): string | undefined {
  const { bytes = ANSWER_BYTES, values = MOST_VALUES, depth = MOST_DEPTH } = bounds;
  if (raw.length > bytes || Buffer.byteLength(raw) > bytes) return `the answer has more than ${bytes} bytes`;
  return tooManyValues(candidate, Math.min(values, MOST_VALUES), Math.min(depth, MOST_DEPTH));
}

/** Level by level, so that neither depth nor a cycle harms. */
export function tooManyValues(value: unknown, most: number, deepest: number): string | undefined {
  const many = `the answer has more than ${most} values`;
  let level: unknown[] = [value];
  let count = 0;
  for (let depth = 0; level.length > 0; depth++) {
    const next: unknown[] = [];
    for (const one of level) {
      if (++count > most) return many;
      if (typeof one !== 'object' || one === null) continue;
      if (depth >= deepest) return `the answer is nested deeper than ${deepest} levels`;
      if (Array.isArray(one) && one.length > most) return many;
      for (const member of Array.isArray(one) ? one : Object.values(one)) next.push(member);
    }
    level = next;
  }
  return undefined;
}

/**
 * The JSON object or array that a model's answer consists of, perhaps inside a Markdown code span or fence. JSON
 * inside prose is not looked for: what was meant would be a guess.
 *
 * @throws SyntaxError when there is none; its message tells the model what is wrong.
 */
export function parseJsonAnswer(raw: string): unknown {
  const text = raw.trim();
  const inside = unfenced(text);
  const value = jsonOf(inside) ?? (inside === text ? undefined : jsonOf(withoutInfo(inside)));
  if (value === undefined) throw new SyntaxError('the answer is not one JSON value and nothing else');
  if (typeof value.json !== 'object' || value.json === null) {
    throw new SyntaxError('the answer is no JSON object or array');
  }
  return value.json;
}

function jsonOf(text: string): { readonly json: unknown } | undefined {
  try {
    return { json: JSON.parse(text) };
  } catch {
    return undefined;
  }
}

/** The inside of a fence of any length, of backticks or tildes, on one line or many, glued to its content or not. */
function unfenced(text: string): string {
  const mark = text[0];
  if (mark !== '`' && mark !== '~') return text;
  let from = 0;
  while (text[from] === mark) from++;
  let to = text.length;
  while (to > from && text[to - 1] === mark) to--;
  return text.slice(from, to).trim();
}

/**
 * Without the info string of a fence: a word in front of the content, or the whole first line. It begins with a
 * letter, or is an attribute like `{.json}`, so that no part of the content is ever taken for one.
 */
function withoutInfo(inside: string): string {
  const [line = ''] = inside.split('\n', 1);
  const [word] = /^[\w.+-]*/.exec(line)!;
  const glued = inside.slice(word.length).trimStart();
  if (word !== '' && jsonOf(glued)) return glued;
  return /^(?:[A-Za-z]|\{ *[.#:])/.test(line) ? inside.slice(line.length) : inside;
}
