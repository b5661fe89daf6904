import type { Head } from './head.js';

/**
 * What the beginning of a file shows: records (also of later versions, so that they are refused by name and not passed
 * over), acknowledgements, other JSON objects, or nothing of these.
 */
export type Content = 'records' | 'acks' | 'objects' | 'unclear';

const RECORD = /^(session\.iterate|replay\.run)\.v\d+$/;
const ACK = 'lakelog.ack.v1';
/** UTF-8, and UTF-16 whose NUL bytes are taken out. */
const BYTE_ORDER_MARK = /^(\xef\xbb\xbf|\xff\xfe|\xfe\xff)/;

/**
 * One line that says it is a record is enough, whatever the others are: torn, of NUL bytes, of another kind. It need
 * not be whole or valid JSON, because a file whose every line is a reject must be read too.
 */
export function contentOf(head: Head): Content {
  // Byte by byte: names and values that matter are ASCII, and a character may be cut.
  const lines = head.bytes.toString('latin1').split('\n');
  const last = lines.length - 1;
  let wholeLines = 0;
  let acks = true;
  let objects = true;
  for (const [i, line] of lines.entries()) {
    if (schemasIn(line).some((schema) => RECORD.test(schema))) return 'records';
    if (line.trim() === '' || !(acks || objects)) continue;
    const object = objectOf(line);
    // The last one may be cut, by us or by whoever writes it.
    if (object === null && i === last) continue;
    wholeLines++;
    acks &&= object?.schema === ACK;
    objects &&= object !== null && !('schema' in object);
  }
  if (wholeLines === 0) return 'unclear';
  if (acks) return 'acks';
  return objects ? 'objects' : 'unclear';
}

function objectOf(line: string): { readonly schema?: unknown } | null {
  try {
    const value: unknown = JSON.parse(line.replace(BYTE_ORDER_MARK, ''));
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : null;
  } catch {
    return null;
  }
}

/** A string, a sign, or whatever else stands between them; a string that does not end is a mere quote. */
const TOKEN = /"[^"\\]*(?:\\.[^"\\]*)*"|[{}[\],:"]|[^\s{}[\],:"]+/g;

/** Values of `schema` in the object that the line begins, not in one inside it, nor in a text; the line may be torn. */
function schemasIn(line: string): readonly string[] {
  const text = line.replaceAll('\0', '').replace(BYTE_ORDER_MARK, '');
  if (!text.includes('schema') && !text.includes('\\u')) return [];
  if (!text.trimStart().startsWith('{')) return [];
  const found: string[] = [];
  let depth = 0;
  let [beforeLast, last] = ['', ''];
  for (const [token] of text.matchAll(TOKEN)) {
    if (token === '"') break;
    if (token === '{' || token === '[') depth++;
    else if (token === '}' || token === ']') depth--;
    else if (depth === 1 && last === ':' && token.startsWith('"') && unquoted(beforeLast) === 'schema') {
      found.push(unquoted(token));
    }
    [beforeLast, last] = [last, token];
  }
  return found;
}

function unquoted(token: string): string {
  try {
    return String(JSON.parse(token));
  } catch {
    return '';
  }
}
