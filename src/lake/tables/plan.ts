import { BASE_TABLES, type BaseColumn, type BaseName, CARRIED } from './base.js';
import type { Needs } from './needs.js';
import { tableUses, type UseOptions } from './views.js';

/** The base tables that must exist for a run, each with the columns that it must have, in the order of BASE_TABLES. */
export type LoadPlan = Readonly<Partial<Record<BaseName, readonly BaseColumn[]>>> &
  Readonly<Record<'calls' | 'runs' | 'batches', readonly BaseColumn[]>>;

const dotted = (base: BaseName, names: readonly string[]) => names.map((name) => `${base}.${name}`);
const words = (base: BaseName, text: string) => dotted(base, text.split(/\s+/));
const all = (base: BaseName) => BASE_TABLES[base].map(({ name }) => `${base}.${name}`);

/** Account, derived columns and gates rest on these. */
const ALWAYS = [
  ...words(
    'calls',
    `batch line session_id timestamp kind model iterations final_verdict grounded_in_roster daemon
     call_id writer_id seq inconsistent not_judgeable`,
  ),
  ...words('runs', 'batch line session_id timestamp run_id task_id'),
  ...all('batches'),
];
/** Of a table that is needed. */
const PLACES: Partial<Record<BaseName, readonly string[]>> = {
  attempts: words('attempts', 'batch line attempt_number'),
  attempt_reasons: words('attempt_reasons', 'batch line attempt_number reason_number'),
  documents: words('documents', 'batch line position'),
  rejects: words('rejects', 'batch line'),
  named_workers: all('named_workers'),
  recomputed: [...all('recomputed'), ...all('named_workers'), ...words('calls', 'roster_hash')],
  twins: all('twins'),
};

/** What the loader must fill: what the views of the needs read, and what is always kept. */
export function loadPlan(needs: Needs, options: UseOptions): LoadPlan {
  const read = tableUses(needs, options).flatMap(({ reads }) => reads);
  // The account counts what the filters select, whatever the views read.
  const held = new Set([...ALWAYS, ...dotted('calls', options.alsoColumns ?? []), ...read]);
  const names = Object.keys(BASE_TABLES) as BaseName[];
  const isHeld = (base: BaseName) => [...held].some((column) => column.startsWith(`${base}.`));
  for (const base of names.filter(isHeld)) for (const column of PLACES[base] ?? []) held.add(column);
  const bases = names.filter(isHeld);
  for (const [base, { of, columns }] of Object.entries(CARRIED)) {
    for (const { name } of columns) if (held.has(`${base}.${name}`)) held.add(`${of}.${name}`);
  }
  const columnsOf = (base: BaseName) => BASE_TABLES[base].filter(({ name }) => held.has(`${base}.${name}`));
  return Object.fromEntries(bases.map((base) => [base, columnsOf(base)])) as unknown as LoadPlan;
}
