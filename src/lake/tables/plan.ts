import { REPLAY_FIELDS, SESSION_FIELDS } from '../../schema/fields.js';
import { BASE_TABLES, type BaseColumn, type BaseName } from './base.js';
import type { Needs } from './needs.js';
import { tableUses, type UseOptions } from './views.js';

/** What the loader must fill for a run: what the views of its needs read, and what is always kept. */
export interface LoadPlan {
  /** The base tables that must exist, each with the columns that it must have, in the order of BASE_TABLES. */
  readonly tables: Readonly<Partial<Record<BaseName, readonly BaseColumn[]>>>;
  /** Declared fields of base_calls / base_runs to be filled, always with what account and gates rest on. */
  readonly calls: readonly string[];
  readonly runs: readonly string[];
  /** Derived columns of base_calls: `rejections`, `longest_rejection_run` … */
  readonly derived: ReadonlySet<string>;
  /** `extra` of either record. */
  readonly extra: boolean;
  /** Columns of base_attempts, base_attempt_reasons and base_documents beyond place and number; null = table not needed. */
  readonly attempts: readonly string[] | null;
  readonly reasons: readonly string[] | null;
  readonly documents: readonly string[] | null;
  /** run_reasons or failure_run_reasons. */
  readonly runReasons: boolean;
  /** document_count or best_score. */
  readonly documentStats: boolean;
  /** call_key anywhere. */
  readonly keys: boolean;
  readonly rejects: boolean;
  readonly files: boolean;
}

/** Account, derived columns and gates rest on these. */
const ALWAYS: Partial<Record<BaseName, readonly string[]>> = {
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
  rejects: ['batch', 'line'],
  twins: ['batch', 'line'],
};

export function loadPlan(needs: Needs, options: UseOptions): LoadPlan {
  const held = new Map<BaseName, Set<string>>();
  const hold = (base: BaseName, columns: Iterable<string>) => {
    const before = held.get(base) ?? new Set(PLACES[base]);
    held.set(base, new Set([...before, ...columns]));
  };
  for (const [base, columns] of Object.entries(ALWAYS)) hold(base as BaseName, columns);
  for (const { reads } of tableUses(needs, options)) for (const [base, columns] of reads) hold(base, columns);
  const has = (base: BaseName, ...names: string[]) => names.some((name) => held.get(base)?.has(name));
  const among = (base: BaseName, names: readonly { name: string }[]) =>
    names.map(({ name }) => name).filter((name) => has(base, name));
  const beyond = (base: BaseName) =>
    held.has(base) ? among(base, BASE_TABLES[base]).filter((name) => !PLACES[base]!.includes(name)) : null;
  const calls = among('calls', SESSION_FIELDS);
  const derived = among('calls', BASE_TABLES.calls).filter(
    (name) => !calls.includes(name) && !['batch', 'line', 'extra', 'call_key_base'].includes(name),
  );
  const tables = [...held].map(([base, columns]) => [
    base,
    BASE_TABLES[base].filter(({ name }) => columns.has(name)),
  ]);
  return {
    tables: Object.fromEntries(tables),
    calls,
    runs: among('runs', REPLAY_FIELDS),
    derived: new Set(derived),
    extra: has('calls', 'extra') || has('runs', 'extra'),
    attempts: beyond('attempts'),
    reasons: beyond('attempt_reasons'),
    documents: beyond('documents'),
    runReasons: has('calls', 'run_reasons', 'failure_run_reasons'),
    documentStats: has('runs', 'document_count', 'best_score'),
    keys: held.has('twins'),
    rejects: held.has('rejects'),
    files: needs.tables.has('files'),
  };
}
