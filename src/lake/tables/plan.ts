import { BASE_TABLES, type BaseColumn, type BaseName, CARRIED } from './base.js';
import type { Needs } from './needs.js';
import { tableUses, type UseOptions } from './views.js';

/** The base tables that must exist for a run, each with the columns that it must have, in the order of BASE_TABLES. */
export type LoadPlan = Readonly<Partial<Record<BaseName, readonly BaseColumn[]>>> &
  Readonly<Record<'calls' | 'runs' | 'batches', readonly BaseColumn[]>>;

const words = (text: string) => text.split(/\s+/);
const all = (base: BaseName) => BASE_TABLES[base].map(({ name }) => name);

/** Account, derived columns and gates rest on these. */
const ALWAYS = {
  calls: words(
    `batch line session_id timestamp kind model iterations final_verdict grounded_in_roster daemon
     call_id writer_id seq inconsistent not_judgeable`,
  ),
  runs: words('batch line session_id timestamp run_id task_id'),
  batches: all('batches'),
};
/** Of a table that is needed. */
const PLACES: Partial<Record<BaseName, readonly string[]>> = {
  attempts: words('batch line attempt_number'),
  attempt_reasons: words('batch line attempt_number reason_number'),
  documents: words('batch line position'),
  rejects: all('rejects'),
  twins: all('twins'),
};

/** What the loader must fill: what the views of the needs read, and what is always kept. */
export function loadPlan(needs: Needs, options: UseOptions): LoadPlan {
  const held = new Map<BaseName, Set<string>>();
  const hold = (base: BaseName, columns: Iterable<string>) =>
    held.set(base, new Set([...(held.get(base) ?? PLACES[base] ?? []), ...columns]));
  for (const [base, columns] of Object.entries(ALWAYS)) hold(base as BaseName, columns);
  // The account counts what the filters select, whatever the views read.
  hold('calls', options.alsoColumns ?? []);
  for (const { reads } of tableUses(needs, options)) for (const [base, columns] of reads) hold(base, columns);
  for (const [base, { of, columns }] of Object.entries(CARRIED)) {
    hold(
      of,
      columns.map(({ name }) => name).filter((name) => held.get(base as BaseName)?.has(name)),
    );
  }
  const tables = [...held].map(([base, columns]) => [
    base,
    BASE_TABLES[base].filter(({ name }) => columns.has(name)),
  ]);
  return Object.fromEntries(tables);
}
