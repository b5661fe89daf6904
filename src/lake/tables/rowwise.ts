/** Whether each row of a statement hangs on one record alone. */
import { BASE_TABLES } from './base.js';
import { lower, type Node, nodes, readParse } from './parse.js';

/** Of the parse of a SELECT: FROM one table, perhaps with `params`, and no clause that looks at several rows. */
export function isRowWise(serialized: string): boolean {
  const parsed = readParse(serialized);
  return !parsed.error && isRowWiseIn([...nodes(parsed.statements)]);
}

/**
 * Whether it asks `sessions` for what each call says of itself, and nothing else: neither of other calls, which a
 * call_key hangs on, nor of clocks, which the engine takes for columns (`current_date`).
 * @param params names of columns of `params`.
 */
export function asksCallsAlone(serialized: string, params: readonly string[]): boolean {
  const parsed = readParse(serialized);
  if (parsed.error) return false;
  const all = [...nodes(parsed.statements)];
  const names = new Set([...OF_A_CALL, ...params].map((name) => name.toLowerCase()));
  const columns = all.filter((node) => node.class === 'COLUMN_REF');
  return (
    isRowWiseIn(all) &&
    all.every(
      (node) => node.type !== 'BASE_TABLE' || ['sessions', 'params'].includes(lower(node.table_name)),
    ) &&
    all.every((node) => node.class !== 'STAR') &&
    columns.every((node) => names.has(lower((node.column_names as readonly string[]).at(-1))))
  );
}

/** Columns of `sessions` that are of the record, of its place, or of what was asked. */
const OF_A_CALL = [
  ...BASE_TABLES.calls.map(({ name }) => name),
  ...'file line trace_id hour day week month gated roster_check phantoms'.split(' '),
];

function isRowWiseIn(all: readonly Node[]): boolean {
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
