/** The tables of a lake file: the base tables, all of them, and what a lake knows of its logs. */
import type { Database } from '../duckdb/connection.js';
import { ident, quote } from '../duckdb/sql.js';
import { SUMMARY_COLUMNS } from '../load/account.js';
import { CALL_KEY } from '../load/staging.js';
import { BASE_TABLES, type BaseColumn, type BaseName } from '../tables/base.js';
import { EVERYTHING } from '../tables/needs.js';
import type { LoadPlan } from '../tables/plan.js';
import { isContent } from '../tables/published.js';
import { viewStatements } from '../tables/views.js';

/** Of the tables below; a lake of a higher one is refused, one of a lower one is made anew. */
export const LAKE_FORMAT = 1;

const columns = (type: BaseColumn['type'], names: string): BaseColumn[] =>
  names.split(' ').map((name) => ({ name, type }));

/** Beside those that a batch has in memory. */
export const BATCH_COLUMNS = [
  ...columns('BIGINT', 'log byte_from lines_before late_line'),
  // Of its bytes; and of those of all batches of the log up to it, one after the other.
  ...columns('VARCHAR', 'sha256 head'),
];

export const OWN_TABLES = {
  /** One row: what the lake is. */
  lake: [
    ...columns('BIGINT', 'format max_line_bytes'),
    ...columns('BOOLEAN', 'keeps_content is_loading'),
    ...columns('VARCHAR', 'made_by last_sync'),
  ],
  /** Where to look for logs when nobody says. */
  lake_requests: columns('VARCHAR', 'path name kind'),
  /** What could not be read when it was looked at last. */
  lake_unread: columns('VARCHAR', 'path problem detail next found_by mark'),
  /** What was read of every log, and how it is known again. */
  lake_logs: [
    ...columns('BIGINT', 'log'),
    ...columns('VARCHAR', 'name path request kind form identity'),
    ...columns('BIGINT', 'size'),
    ...columns('VARCHAR', 'mtime_ns'),
    ...columns('BIGINT', 'read_to lines rest'),
    ...columns('VARCHAR', 'start_sha256 end_sha256 head state detail'),
    ...columns('BOOLEAN', 'is_settled'),
  ],
  /** Every call whose call_id another one carries too. */
  base_conflicts: [...columns('BIGINT', 'batch line'), ...columns('VARCHAR', 'call_id')],
  /** Replay runs of traces without a call, perhaps some of which one came since. */
  base_unknown_traces: [...columns('BIGINT', 'batch line'), ...columns('VARCHAR', 'session_id')],
  /** What the calls of a batch come to, kind by kind. */
  base_summary: [
    ...columns('BIGINT', 'batch'),
    ...columns('VARCHAR', 'kind'),
    ...columns('BIGINT', SUMMARY_COLUMNS.join(' ')),
  ],
  /** The findings of a gate when they were printed last. */
  lake_answers: columns('VARCHAR', 'question findings'),
} as const satisfies Record<string, readonly BaseColumn[]>;

/** What rosters say of calls is found anew each time. */
const bases = (Object.keys(BASE_TABLES) as BaseName[]).filter((base) => base !== 'recomputed');

/** What a lake has of each base table. */
export function lakePlan(keepsContent: boolean): LoadPlan {
  const columnsOf = (base: BaseName) =>
    BASE_TABLES[base].filter(({ name }) => keepsContent || !isContent(name));
  return Object.fromEntries(bases.map((base) => [base, columnsOf(base)])) as unknown as LoadPlan;
}

/** Columns of a base table of the lake, in their order. */
export function lakeColumns(plan: LoadPlan, base: BaseName): readonly BaseColumn[] {
  if (base === 'batches') return [...BASE_TABLES.batches, ...BATCH_COLUMNS];
  const held = plan[base] ?? [];
  return base === 'rejects' ? [...held, ...columns('BOOLEAN', 'blocks')] : held;
}

/** What stays as it is for the life of a lake, because lines are judged by it once. */
export interface Making {
  readonly keepsContent: boolean;
  readonly maxLineBytes: number;
  /** Of lakelog. */
  readonly version: string;
}

/** Makes the tables of a new lake in the current catalog, and the views that other programs see. */
export async function createLake(
  db: Database,
  { keepsContent, maxLineBytes, version }: Making,
): Promise<void> {
  const plan = lakePlan(keepsContent);
  const create = (name: string, held: readonly BaseColumn[]) =>
    `CREATE TABLE main.${name} (${held
      .map(
        (column) =>
          `${ident(column.name)} ${column.name === 'call_key_base' && name === 'base_calls' ? CALL_KEY : column.type}`,
      )
      .join(', ')})`;
  await db.run(
    [
      'BEGIN',
      ...bases.map((base) => create(`base_${base}`, lakeColumns(plan, base))),
      ...Object.entries(OWN_TABLES).map(([name, held]) => create(name, held)),
      `INSERT INTO main.lake VALUES (${LAKE_FORMAT}, ${maxLineBytes}, ${keepsContent}, FALSE, ${quote(version)}, NULL)`,
      ...publishedViews(keepsContent),
      'COMMIT',
    ].join('; '),
  );
}

/** As DuckDB's own shell, a notebook or a dashboard finds them: no filter, the usual gated kind, UTC. */
function publishedViews(keepsContent: boolean): string[] {
  return viewStatements({
    needs: EVERYTHING,
    showContent: keepsContent,
    gatedKinds: ['fill'],
    tz: 'UTC',
    selects: 'TRUE',
    selectsRun: 'TRUE',
    temporary: false,
  });
}
