import { type Edit, type Edited, edited, type Token, tokensOf } from './sql-tokens.js';

/**
 * What only reads, and yet is no SELECT to the engine's parse: EXPLAIN, and PIVOT without its values, which DuckDB
 * makes three statements of (make a type of the values, select, drop the type). Written anew, the rest is one SELECT
 * that can be looked into; what is run is the text that was looked into, never the one that was given.
 */
export interface Rewritten extends Edited {
  /** What stands before the text when it is run. */
  readonly prefix: string;
  readonly pivots: readonly Pivot[];
}

/** A PIVOT whose columns are what the data holds. */
export interface Pivot {
  /** The type that stands for its values. */
  readonly type: string;
  /** The SELECT that `IN (SELECT …)` gives for them; null = what the pivoted expression is in the data. */
  readonly values: string | null;
}

/** @returns null where there is nothing to write anew. */
export function rewrite(sql: string): Rewritten | null {
  const tokens = tokensOf(sql);
  const explain = explainAt(tokens);
  const { edits, pivots } = pivotsIn(sql, tokens);
  if (explain === null && pivots.length === 0) return null;
  const cut = explain === null ? [] : [{ from: 0, to: explain.end, text: '' }];
  return { ...edited(sql, [...cut, ...edits]), prefix: explain?.prefix ?? '', pivots };
}

const FORMATS = ['text', 'json', 'yaml', 'html', 'graphviz', 'mermaid'];

/** `EXPLAIN`, `EXPLAIN ANALYZE` or `EXPLAIN (ANALYZE, FORMAT json)` at the beginning, in words of our own. */
function explainAt(tokens: readonly Token[]): { readonly prefix: string; readonly end: number } | null {
  if (tokens[0]?.text !== 'explain') return null;
  const options = new Set<string>();
  let next = 1;
  if (tokens[1]?.text === '(' && ['analyze', 'format'].includes(tokens[2]?.text ?? '')) {
    const close = tokens.findIndex(({ text, depth }) => text === ')' && depth === 0);
    if (close < 0) return null;
    for (const { text } of tokens.slice(2, close)) options.add(text);
    next = close + 1;
  } else if (tokens[1]?.text === 'analyze') {
    options.add('analyze');
    next = 2;
  }
  const format = FORMATS.find((name) => options.has(name));
  const words = [
    ...(options.has('analyze') ? ['ANALYZE'] : []),
    ...(format === undefined ? [] : [`FORMAT ${format}`]),
  ];
  const end = tokens[next]?.from;
  if (end === undefined) return null;
  return { prefix: words.length === 0 ? 'EXPLAIN ' : `EXPLAIN (${words.join(', ')}) `, end };
}

/** Words that end the SELECT, or the part of it, that a PIVOT is. */
const ENDS = new Set(['union', 'intersect', 'except', 'order', 'limit', 'offset', 'group']);

function pivotsIn(sql: string, tokens: readonly Token[]): { edits: Edit[]; pivots: Pivot[] } {
  const edits: Edit[] = [];
  const pivots: Pivot[] = [];
  for (const [i, token] of tokens.entries()) {
    if (!token.isWord || !['pivot', 'pivot_wider'].includes(token.text)) continue;
    if (edits.some(({ from, to }) => token.from >= from && token.from < to)) continue;
    const behind = tokens.slice(i + 1);
    if (namesItsValues(behind)) continue;
    const end = behind.findIndex(
      ({ text, isWord, depth }) =>
        depth < token.depth || (depth === token.depth && (text === ';' || (isWord && ENDS.has(text)))),
    );
    const own = end < 0 ? behind : behind.slice(0, end);
    // The source may be a join, with an ON of its own before this one.
    const on = own.findLastIndex((one) => one.isWord && one.text === 'on' && one.depth === token.depth);
    if (on < 0) continue;
    for (const element of elementsOf(own.slice(on + 1), token.depth)) {
      const type = `lakelog_pivot_${pivots.length}`;
      const edit = editFor(sql, element, type);
      if (edit === null) continue;
      pivots.push({ type, values: edit.values });
      edits.push(edit);
    }
  }
  return { edits: edits.sort((a, b) => a.from - b.from), pivots };
}

/** `FROM t PIVOT (COUNT(*) FOR kind IN ('fill'))` */
function namesItsValues([open, ...rest]: readonly Token[]): boolean {
  if (open?.text !== '(') return false;
  const end = rest.findIndex(({ depth }) => depth === open.depth);
  return rest.slice(0, end).some((one) => one.isWord && one.text === 'for' && one.depth === open.depth + 1);
}

/** What stands between the commas behind ON, up to USING. */
function elementsOf(tokens: readonly Token[], depth: number): Token[][] {
  const elements: Token[][] = [[]];
  for (const token of tokens) {
    const isOwn = token.depth === depth;
    if (isOwn && token.isWord && token.text === 'using') break;
    if (isOwn && token.text === ',') elements.push([]);
    else elements.at(-1)!.push(token);
  }
  return elements.filter((element) => element.length > 0);
}

/** @returns null for an element that names its values. */
function editFor(sql: string, element: readonly Token[], type: string) {
  const last = element.at(-1)!;
  const depth = element[0]!.depth;
  const at = element.findIndex((one) => one.isWord && one.text === 'in' && one.depth === depth);
  if (at < 0) return { from: last.to, to: last.to, text: ` IN ${type}`, values: null };
  const [open, first] = element.slice(at + 1);
  if (open?.text !== '(' || !/^(select|with|from)$/.test(first?.text ?? '')) return null;
  return { from: open.from, to: last.to, text: type, values: sql.slice(open.to, last.from) };
}
