/** DuckDB's own parse of SQL, or why it has none. */
export type Parsed =
  | {
      readonly error: true;
      readonly error_type: string;
      readonly error_message: string;
      readonly position?: string;
    }
  | { readonly error: false; readonly statements: readonly Node[] };

const DIGITS = '\u0001digits:';

/**
 * Of what `json_serialize_sql` says; whole numbers that JavaScript cannot hold, and the Infinity that it makes of 1e400,
 * become texts, which `writeParse` knows.
 */
export function readParse(json: string): Parsed {
  const held = json.replace(
    /"(?:[^"\\]|\\.)*"|(?<![\d.eE+])-?(?:\d{16,}(?![\d.eE])|Infinity|NaN)/g,
    (token) => (token.startsWith('"') ? token : JSON.stringify(`${DIGITS}${token}`)),
  );
  return JSON.parse(held) as Parsed;
}

export function writeParse(parsed: unknown): string {
  return JSON.stringify(parsed).replace(/"\\u0001digits:(-?(?:\d+|Infinity|NaN))"/g, '$1');
}

/** An object of the parse; every kind has keys of its own. */
export interface Node {
  readonly [key: string]: unknown;
}

/** Every object and list of the parse, whatever its depth. */
export function* nodes(root: unknown): Generator<Node> {
  const pending: unknown[] = [root];
  while (pending.length > 0) {
    const next = pending.pop();
    if (typeof next !== 'object' || next === null) continue;
    yield next as Node;
    pending.push(...Object.values(next));
  }
}

/** Only what stands in a FROM has a sample. */
export function isTableRef(node: Node): node is Node & { type: string } {
  return typeof node.type === 'string' && 'sample' in node && 'alias' in node && node.class === undefined;
}

export const lower = (text: unknown): string => String(text).toLowerCase();
