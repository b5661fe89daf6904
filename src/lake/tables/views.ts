import { type BaseName, baseTable } from './base.js';
import { type Dialect, DUCKDB } from './dialect.js';
import { type Needs, wants } from './needs.js';
import { shippedTemplates } from './shipped.js';
import { fillSlots, selectOf, TABLE_NAMES, type Template } from './templates.js';

/** What the slots of the templates are filled with. */
export interface Slots {
  readonly dialect: Dialect;
  readonly base: (name: BaseName) => string;
  readonly gatedKinds: readonly string[];
  readonly tz: string;
  /** Condition over a call `s`, from the filters; `TRUE` without any. It decides, it never hides a call from the health checks. */
  readonly selects: string;
  /** Condition over a replay run `r`: its own timestamp in the window. */
  readonly selectsRun: string;
}

/** One published table as a SELECT over the base tables, of some of its columns. */
export function composeView({ columns, from }: Pick<Template, 'columns' | 'from'>, slots: Slots): string {
  const { dialect } = slots;
  const kinds = slots.gatedKinds.map((kind) => dialect.quote(kind)).join(', ') || dialect.quote('');
  const fillings: Readonly<Record<string, string>> = {
    gated: `s.kind IN (${kinds})`,
    day: dialect.day('s.timestamp', slots.tz),
    selected: `(${slots.selects})`,
    selected_runs: `(${slots.selectsRun})`,
  };
  return fillSlots(selectOf(columns, from), (name, argument) =>
    name === 'text'
      ? dialect.text(argument)
      : (fillings[name] ?? slots.base(name.replace('base.', '') as BaseName)),
  );
}

export interface UseOptions {
  readonly showContent: boolean;
  /** Columns of a call that filters read. */
  readonly alsoColumns?: readonly string[];
}

/** The columns of base tables that some SQL reads. */
type Reads = ReadonlyMap<BaseName, ReadonlySet<string>>;

/** A published table that is needed, with the columns it shall have and what those read. */
interface TableUse extends Template {
  readonly reads: Reads;
}

/** Content that was not asked for does not exist. */
export function tableUses(needs: Needs, { showContent, alsoColumns = [] }: UseOptions): TableUse[] {
  const needed = TABLE_NAMES.filter((name) => needs.tables.includes(name) && name !== 'params');
  return needed.map(shippedTemplates).map((table) => {
    const columns = table.columns.filter(
      ({ name, content }) => (showContent || !content) && wants(needs, name),
    );
    return { ...table, columns, reads: readsOf(selectOf(columns, table.from), alsoColumns) };
  });
}

/** @param filtered columns of a call that the filters read. */
function readsOf(sql: string, filtered: readonly string[]): Reads {
  const reads = new Map<BaseName, Set<string>>();
  const aliases = new Map<string, Set<string>>();
  for (const [, base, alias] of sql.matchAll(/\{\{base\.(\w+)\}\} (\w+)/g)) {
    const columns = reads.get(base as BaseName) ?? new Set();
    reads.set(base as BaseName, columns);
    aliases.set(alias!, columns);
  }
  const means: Record<string, string> = {
    gated: 's.kind',
    day: 's.timestamp',
    selected: filtered.map((name) => `s.${name}`).join(' '),
    selected_runs: 'r.timestamp',
  };
  const spoken = fillSlots(sql, (name, argument) => means[name] ?? argument);
  for (const [, alias, column] of spoken.matchAll(/\b(\w+)\.(\w+)/g)) aliases.get(alias!)?.add(column!);
  return reads;
}

export interface ViewContext extends UseOptions, Omit<Slots, 'dialect' | 'base'> {
  readonly needs: Needs;
}

/** The statements that make the needed tables in DuckDB; the base tables hold what the load plan of the same needs says. */
export function viewStatements(context: ViewContext): string[] {
  const slots = { ...context, dialect: DUCKDB, base: baseTable };
  return tableUses(context.needs, context).map(
    (use) => `CREATE OR REPLACE VIEW main.${use.name} AS ${composeView(use, slots)}`,
  );
}
