import { type Edit, type Edited, edited, type Token, tokensOf } from './sql-tokens.js';
import { lower, type Node, nodes } from './tables/parse.js';

/**
 * `SELECT unnest(list) AS part, COUNT(*) FROM t GROUP BY part`, which other engines run and DuckDB does not: it is
 * written anew with the list in FROM.
 * @returns null where there is nothing of the kind, or where it stands in a way that is not understood here.
 */
export function liftUnnest(sql: string, statements: readonly Node[]): Edited | null {
  const lists = [...nodes(statements)].filter(({ type }) => type === 'SELECT_NODE').map(groupedLists);
  if (lists.every(({ length }) => length === 0)) return null;
  const tokens = tokensOf(sql);
  const edits: Edit[] = [];
  for (const [i, places] of lists.entries()) {
    if (places.length === 0) continue;
    const own = editsFor(sql, tokens, places, `unnested_${i}`);
    if (own === null) return null;
    edits.push(...own);
  }
  return edited(
    sql,
    edits.sort((a, b) => a.from - b.from),
  );
}

const isUnnest = ({ class: kind, function_name }: Node) =>
  kind === 'FUNCTION' && /^(unnest|unlist)$/.test(lower(function_name ?? ''));

/** Where a SELECT unnests what it groups by, in bytes. */
function groupedLists(select: Node): number[] {
  const list = select.select_list as readonly Node[];
  const groups = select.group_expressions as readonly Node[];
  const isGrouped = (item: Node, i: number) =>
    select.aggregate_handling === 'FORCE_AGGREGATES' ||
    groups.some(
      (group) =>
        (group.value as Node | undefined)?.value === i + 1 ||
        (item.alias !== '' &&
          lower((group.column_names as string[] | undefined)?.at(-1)) === lower(item.alias)) ||
        isUnnest(group),
    );
  const found = list.filter((item, i) => isUnnest(item) && isGrouped(item, i));
  // The same once more, as GROUP BY has it.
  const again = found.length === 0 ? [] : groups.filter(isUnnest);
  return [...found, ...again].map(({ query_location }) => Number(query_location));
}

const FROM = /^from$/;
const BEHIND_FROM = /^(where|group|having|window|qualify|order|limit|offset|union|intersect|except)$/;

function editsFor(
  sql: string,
  tokens: readonly Token[],
  places: readonly number[],
  name: string,
): Edit[] | null {
  const columns: string[] = [];
  const edits: Edit[] = [];
  let first: number | undefined;
  for (const place of places) {
    const start = Buffer.from(sql).subarray(0, place).toString().length;
    const at = tokens.findIndex(({ from }) => from === start);
    const close = tokens.findIndex(
      ({ text, depth }, i) => i > at && text === ')' && depth === tokens[at]?.depth,
    );
    if (at < 0 || close < 0) return null;
    first ??= at;
    const call = sql.slice(start, tokens[close]!.to);
    if (!columns.includes(call)) columns.push(call);
    edits.push({ from: start, to: tokens[close]!.to, text: `${name}.part_${columns.indexOf(call)}` });
  }
  const { depth } = tokens[first!]!;
  const behind = (from: number, fits: (token: Token) => boolean) =>
    tokens.findIndex(
      (token, i) => i > from && (token.depth < depth || (token.depth === depth && fits(token))),
    );
  const from = behind(first!, ({ isWord, text }) => isWord && FROM.test(text));
  if (from < 0 || !FROM.test(tokens[from]!.text)) return null;
  const end = behind(from, ({ isWord, text }) => text === ';' || (isWord && BEHIND_FROM.test(text)));
  if (end < 0) {
    // GROUP BY would stand there.
    return null;
  }
  const list = columns.map((call, i) => `${call} AS part_${i}`).join(', ');
  const before = tokens[end - 1]!.to;
  return [...edits, { from: before, to: before, text: `, LATERAL (SELECT ${list}) AS ${name}` }];
}
