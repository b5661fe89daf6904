import { BASE_TABLES, type BaseColumn, type BaseName } from './base.js';
import type { Needs } from './needs.js';
import { tableUses, type UseOptions } from './views.js';

/** The base tables that must exist for a run, each with the columns that it must have, in the order of BASE_TABLES. */
export type LoadPlan = Readonly<Partial<Record<BaseName, readonly BaseColumn[]>>> &
  Readonly<Record<'calls' | 'runs' | 'batches', readonly BaseColumn[]>>;

/** Account, derived columns and gates rest on these. */
const ALWAYS: Readonly<Record<'calls' | 'runs' | 'batches', readonly string[]>> = {
  calls: [
    'batch',
    'line',
    'session_id',
    'timestamp',
    'kind',
    'model',
    'iterations',
    'final_verdict',
    'grounded_in_roster',
    'daemon',
    'call_id',
    'writer_id',
    'seq',
    'inconsistent',
    'not_judgeable',
  ],
  runs: ['batch', 'line', 'session_id', 'timestamp', 'run_id', 'task_id'],
  batches: BASE_TABLES.batches.map(({ name }) => name),
};
/** Of a table that is needed. */
const PLACES: Partial<Record<BaseName, readonly string[]>> = {
  attempts: ['batch', 'line', 'attempt_number'],
  attempt_reasons: ['batch', 'line', 'attempt_number', 'reason_number'],
  documents: ['batch', 'line', 'position'],
  rejects: BASE_TABLES.rejects.map(({ name }) => name),
  twins: BASE_TABLES.twins.map(({ name }) => name),
};
/** What a base table is made of, where that is another one. */
const SOURCE: Partial<Record<BaseName, 'calls' | 'runs'>> = {
  attempts: 'calls',
  attempt_reasons: 'calls',
  documents: 'runs',
};

/** What the loader must fill: what the views of the needs read, and what is always kept. */
export function loadPlan(needs: Needs, options: UseOptions): LoadPlan {
  const held = new Map<BaseName, Set<string>>();
  const hold = (base: BaseName, columns: Iterable<string>) => {
    const before = held.get(base) ?? new Set(PLACES[base]);
    held.set(base, new Set([...before, ...columns]));
  };
  for (const [base, columns] of Object.entries(ALWAYS)) hold(base as BaseName, columns);
  // The account counts what the filters select, whatever the views read.
  hold('calls', options.alsoColumns ?? []);
  for (const { reads } of tableUses(needs, options)) for (const [base, columns] of reads) hold(base, columns);
  for (const [base, source] of Object.entries(SOURCE)) {
    const names = new Set<string>(BASE_TABLES[source].map(({ name }) => name));
    // An attempt has a prompt, a duration and an error of its own.
    const own = ['prompt', 'duration_ms', 'error', ...PLACES[base as BaseName]!];
    hold(
      source,
      [...(held.get(base as BaseName) ?? [])].filter((name) => names.has(name) && !own.includes(name)),
    );
  }
  const tables = [...held].map(([base, columns]) => [
    base,
    BASE_TABLES[base].filter(({ name }) => columns.has(name)),
  ]);
  return Object.fromEntries(tables);
}
