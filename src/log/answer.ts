const FENCED = /^```[\w-]*[ \t]*\r?\n([\s\S]*?)\r?\n```$/;

/**
 * The JSON object or array that a model's answer consists of, perhaps inside a Markdown code fence. JSON inside
 * prose is not looked for: what was meant would be a guess.
 *
 * @throws SyntaxError when there is none; its message tells the model what is wrong.
 */
export function parseJsonAnswer(raw: string): unknown {
  const text = raw.trim();
  const [, inside] = FENCED.exec(text) ?? [];
  let value: unknown;
  try {
    value = JSON.parse(inside ?? text);
  } catch {
    throw new SyntaxError('the answer is not one JSON value and nothing else');
  }
  if (typeof value !== 'object' || value === null) {
    throw new SyntaxError('the answer is no JSON object or array');
  }
  return value;
}
