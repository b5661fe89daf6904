/**
 * Sentences that a program wrote, told from the values inside of them: a template is literal text with a `{}` where
 * any value stands and a `{n}` where a number does. Quotes tell nothing, since a model writes quotes as well, and
 * whoever cuts a long value takes its closing quote away.
 */
export type Sentence = (text: string, mask: (value: string) => string) => string | undefined;

interface Hole {
  readonly number: boolean;
  /** What stands behind it. */
  readonly literal: string;
}

const LONGEST_NUMBER = 9;

/**
 * The reader of one template: the text with each value masked, or undefined for a text of another form. What is not
 * masked is the template's own; a value that holds a piece of it only moves the masks. In time linear in the text.
 */
export function sentence(template: string): Sentence {
  // The split gives literals and names of holes in turn.
  const [start, ...rest] = template.split(/(\{n?\})/);
  const holes: Hole[] = [];
  for (let i = 0; i < rest.length; i += 2) holes.push({ number: rest[i] === '{n}', literal: rest[i + 1]! });
  return (text, mask) => (text.startsWith(start!) ? filled(text, start!, holes, mask) : undefined);
}

function filled(
  text: string,
  start: string,
  holes: readonly Hole[],
  mask: (value: string) => string,
): string | undefined {
  let masked = start;
  let at = start.length;
  for (const [i, { number, literal }] of holes.entries()) {
    const end = i === holes.length - 1 ? lastPlace(text, literal, at) : text.indexOf(literal, at);
    if (end < 0) return undefined;
    const value = text.slice(at, end);
    if (number && !isNumber(value)) return undefined;
    masked += (number ? value : mask(value)) + literal;
    at = end + literal.length;
  }
  return at === text.length ? masked : undefined;
}

/** Where the text's end must begin, or -1. */
function lastPlace(text: string, literal: string, from: number): number {
  const place = text.length - literal.length;
  return place >= from && text.endsWith(literal) ? place : -1;
}

function isNumber(text: string): boolean {
  return text.length <= LONGEST_NUMBER && /^[0-9]+$/.test(text);
}

/** What this package itself, and the Node under it, write into reasons and errors. */
export const OWN_SENTENCES: readonly string[] = [
  'a fill is an object with an array "assignments"',
  'a fill is an object with an array {}',
  'assignments is empty: a fill names at least one worker',
  '{} is empty: a fill names at least one worker',
  ...['assignments[{n}]', '{}[{n}]'].flatMap((place) => [
    `${place} has no worker id in "worker"`,
    `${place} has no worker id in {}`,
    `${place}: worker {} is already in assignments[{n}]`,
    `${place}: worker {} is already in {}[{n}]`,
    `${place}: worker {} is not in the roster`,
    `${place}: worker {} is not active`,
  ]),
  'the answer is not one JSON value and nothing else',
  'the answer is no JSON object or array',
  'the answer has more than {n} bytes',
  'the answer has more than {n} values',
  'the answer is nested deeper than {n} levels',
  'attempt {n} took longer than {n} ms',
  'the roster check took longer than {n} ms',
  'aborted',
  'aborted: {}',
  // Of Node, whose codes stay.
  'fetch failed',
  'socket hang up',
  'other side closed',
  'terminated',
  'This operation was aborted',
  'The operation was aborted due to timeout',
  'connect {} {}',
  'getaddrinfo {} {}',
  'read {}',
  'aborted: shutting down',
  'the model refused to answer',
  'the model answered without content',
  'the model answered without text',
  ...['tool_calls', 'function_call', '{}'].map((name) => `the model answered with ${name} instead of text`),
  'the model answered with a part that is not understood: {}',
  ...['length', 'content_filter', 'not understood', '{}'].map(
    (word) => `the answer of the model is not whole: finish_reason ${word}`,
  ),
  'model endpoint answered {n}',
  'model endpoint answered {n} and asks to wait {n} s',
  'model endpoint answered an error',
  'model endpoint answered no whole JSON',
  'model endpoint answered without choices[0].message',
  'model endpoint answered {}',
  'model endpoint not reachable',
  'model endpoint not reachable: {}',
];
