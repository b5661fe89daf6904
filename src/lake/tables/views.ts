import { type BaseName, baseTable } from './base.js';
import { type Dialect, DUCKDB } from './dialect.js';
import { type Needs, visibleColumns } from './needs.js';
import { TABLES, type TableColumn, type TableInfo } from './published.js';
import { fillSlots, pruned, type Reads, readsOf, type Templates } from './templates.js';

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
export function composeView(
  table: string,
  { templates, slots, columns }: { templates: Templates; slots: Slots; columns?: Iterable<string> },
): string {
  const template = templates(table);
  const { dialect } = slots;
  const kinds = slots.gatedKinds.map((kind) => dialect.quote(kind)).join(', ') || dialect.quote('');
  return fillSlots(pruned(template, columns ?? template.columns.keys()), (name, argument) => {
    switch (name) {
      case 'gated':
        return `s.kind IN (${kinds})`;
      case 'day':
        return dialect.day('s.timestamp', slots.tz);
      case 'selected':
        return `(${slots.selects})`;
      case 'selected_runs':
        return `(${slots.selectsRun})`;
      case 'text':
        return dialect.text(argument);
      default:
        return slots.base(name.replace('base.', '') as BaseName);
    }
  });
}

export interface TableUse {
  readonly table: string;
  readonly columns: readonly string[];
  readonly reads: Reads;
}

export interface UseOptions {
  readonly templates: Templates;
  readonly showContent: boolean;
  /** Columns of a call that filters read. */
  readonly alsoColumns?: readonly string[];
}

/** The published tables that are needed, with the columns they shall have and what those read of the base tables. */
export function tableUses(
  needs: Needs,
  { templates, showContent, alsoColumns = [] }: UseOptions,
): TableUse[] {
  return TABLES.filter(({ name }) => needs.tables.has(name) && name !== 'params').map((table) => {
    const readsFor = (columns: readonly string[]) =>
      readsOf(pruned(templates(table.name), columns), alsoColumns);
    const wanted = visibleColumns(table, needs, showContent);
    // A view without columns cannot be, and COUNT(*) names none: the one that costs least.
    const columns = wanted.length > 0 ? wanted : [cheapest(table, readsFor)];
    return { table: table.name, columns, reads: readsFor(columns) };
  });
}

/** Reads the fewest columns, and no text if it can be helped. */
function cheapest({ columns }: TableInfo, readsFor: (columns: string[]) => Reads): string {
  const cost = ({ name, type }: TableColumn) =>
    [...readsFor([name]).values()].reduce((sum, read) => sum + read.size, type === 'VARCHAR' ? 1 : 0);
  return columns.reduce((best, column) => (cost(column) < cost(best) ? column : best)).name;
}

export interface ViewContext extends UseOptions, Omit<Slots, 'dialect' | 'base'> {
  readonly needs: Needs;
}

/** The statements that make the needed tables in DuckDB; the base tables hold what the load plan of the same needs says. */
export function viewStatements(context: ViewContext): string[] {
  const slots = { ...context, dialect: DUCKDB, base: baseTable };
  return tableUses(context.needs, context).map(
    ({ table, columns }) =>
      `CREATE OR REPLACE VIEW main.${table} AS ${composeView(table, { templates: context.templates, slots, columns })}`,
  );
}
