/** Whether each row of a gate hangs on one record alone, so that planted records among the real ones change nothing of these. */
import { lower, type Node, nodes, readParse } from '../lake/tables/parse.js';

/** Of the parse of a SELECT: FROM one table, perhaps with `params`, and no clause that looks at several rows. */
export function isRowWise(serialized: string): boolean {
  const parsed = readParse(serialized);
  if (parsed.error) return false;
  const all = [...nodes(parsed.statements)];
  const selects = all.filter((node) => node.type === 'SELECT_NODE');
  return selects.length === 1 && isPlain(selects[0]!) && !all.some(looksAtSeveral);
}

function isPlain(select: Node): boolean {
  const groups = (select.group_expressions as unknown[] | undefined) ?? [];
  const modifiers = (select.modifiers as readonly Node[] | undefined) ?? [];
  return (
    groups.length === 0 &&
    !select.having &&
    !select.qualify &&
    !select.sample &&
    modifiers.every(({ type }) => type === 'ORDER_MODIFIER') &&
    sourcesIn(select.from_table as Node) === 1
  );
}

/** Tables that are read, `params` not counted; a join of any other kind than with that counts as many. */
function sourcesIn(from: Node): number {
  if (from.sample) return 9;
  if (from.type === 'BASE_TABLE') return lower(from.table_name) === 'params' ? 0 : 1;
  if (from.type !== 'JOIN') return 9;
  return sourcesIn(from.left as Node) + sourcesIn(from.right as Node);
}

/** One of its own row each, whatever else is called like them. */
const SCALARS = new Set('coalesce nullif sqrt abs round + - * / %'.split(' '));

const looksAtSeveral = (node: Node): boolean =>
  node.class === 'WINDOW' ||
  node.class === 'SUBQUERY' ||
  (node.class === 'FUNCTION' && !SCALARS.has(lower(node.function_name)));
