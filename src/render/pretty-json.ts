import { isJson } from './json.js';

const TOKEN = /"(?:[^"\\]|\\.)*"|[{}[\],:]|[^\s{}[\],:"]+/g;

/** Indentation of deeper nesting would take more room than the text itself. */
const DEEPEST = 64;
/** An object or array that holds no other stays on a line of this many characters. */
const ONE_LINE = 60;

/**
 * JSON text laid out to be read and compared line by line, or null where it is none or too deep. By tokens, because
 * a number that went through JSON.parse may come back as another one.
 */
export function prettyJson(text: string): string | null {
  if (!isJson(text)) return null;
  const tokens = text.match(TOKEN) ?? [];
  const parts: string[] = [];
  let depth = 0;
  for (let i = 0; i < tokens.length; i += 1) {
    const token = tokens[i] ?? '';
    const leaf = isOpening(token) ? shortLeaf(tokens, i) : null;
    if (leaf !== null) {
      parts.push(leaf.text);
      i = leaf.end;
    } else if (isOpening(token)) {
      depth += 1;
      if (depth > DEEPEST) return null;
      parts.push(token, newline(depth));
    } else if (isClosing(token)) {
      depth -= 1;
      parts.push(newline(depth), token);
    } else parts.push(token === ',' ? token + newline(depth) : token === ':' ? ': ' : token);
  }
  return parts.join('');
}

/** What begins at `start`, on one line: `{ "shift": 1 }`, `[1, 2]`, `{}`; null where it is nested or too long. */
function shortLeaf(tokens: readonly string[], start: number): { text: string; end: number } | null {
  let inside = '';
  for (let i = start + 1; i < tokens.length && inside.length <= ONE_LINE; i += 1) {
    const token = tokens[i] ?? '';
    if (isOpening(token)) return null;
    if (isClosing(token)) {
      const gap = token === '}' && inside !== '' ? ' ' : '';
      return { text: `${tokens[start]}${gap}${inside}${gap}${token}`, end: i };
    }
    inside += token === ',' || token === ':' ? `${token} ` : token;
  }
  return null;
}

function newline(depth: number): string {
  return `\n${'  '.repeat(depth)}`;
}

function isOpening(token: string): boolean {
  return token === '{' || token === '[';
}

function isClosing(token: string): boolean {
  return token === '}' || token === ']';
}
