/** Asks a lake what the arms of a comparison came to. */
import type { Lake } from '../lake/lake.js';
import {
  type ArmCounts,
  COUNTS,
  type Counts,
  type KindCounts,
  NOTHING,
  type VersionCount,
} from '../schema/counts.js';
import type { Metric } from '../schema/decision.js';
import type { Cell } from '../schema/result.js';
import { type DecisionQuery, DUCKDB_LITERALS, type Filling, filled } from './decision-sql.js';
import { nearestOf } from './nearest.js';
import {
  type Between,
  possibleSql,
  SELECTED_FIELDS,
  type SelectedField,
  type Selection,
  selectionSql,
} from './selection.js';
import { sqlError } from './sql-error.js';

export type Queries = ReadonlyMap<string, DecisionQuery>;

/** A selection whose times are known. */
export interface Chosen {
  readonly selection: Selection;
  readonly between: Between;
}

/** @param option that the selection was given with, for the words of an error. */
export async function chosenBy(lake: Lake, selection: Selection, option: string): Promise<Chosen> {
  const names = [`${option} since`, `${option} until`] as const;
  const { since, until } = await lake.windowOf(selection.since, selection.until, names);
  return { selection, between: { since, until } };
}

export const conditionOf = ({ selection, between }: Chosen): string =>
  selectionSql(selection, between, DUCKDB_LITERALS);

/** Of an arm that is not asked for. */
const NOBODY = 'FALSE';

const fillingOf = ({ baseline, candidate }: Readonly<Record<'baseline' | 'candidate', Chosen | null>>) => ({
  baseline: baseline === null ? NOBODY : conditionOf(baseline),
  candidate: candidate === null ? NOBODY : conditionOf(candidate),
});

/** What both arms came to; one that is null has no calls. */
export async function countArms(
  lake: Lake,
  queries: Queries,
  chosen: { readonly baseline: Chosen | null; readonly candidate: Chosen | null },
): Promise<Record<'baseline' | 'candidate', ArmCounts>> {
  const filling = fillingOf(chosen);
  const counts = await rowsOf(lake, queries.get('compare')!, filling);
  const versions = await rowsOf(lake, queries.get('versions')!, filling);
  const arm = (name: string): ArmCounts => {
    const own = counts.filter((row) => row.arm === name);
    const all = own.find(({ kind }) => kind === null);
    return {
      kinds: own
        .filter(({ kind }) => kind !== null)
        .map((row): KindCounts => ({ kind: String(row.kind), ...countsIn(row) })),
      all: all === undefined ? NOTHING : countsIn(all),
      versions: versions
        .filter((row) => row.arm === name)
        .map(({ field, value, calls }) => ({ field, value, calls }) as unknown as VersionCount),
      oldest: (all?.oldest ?? null) as string | null,
      newest: (all?.newest ?? null) as string | null,
    };
  };
  return { baseline: arm('baseline'), candidate: arm('candidate') };
}

type Row = Readonly<Record<string, Cell>>;

const countsIn = (row: Row): Counts =>
  Object.fromEntries(COUNTS.map((name) => [name, Number(row[name])])) as Counts;

export async function rowsOf(lake: Lake, query: DecisionQuery, filling: Filling): Promise<Row[]> {
  const { names, cells } = await lake.query(filled(query.sql, filling)).catch((error) => {
    throw sqlError(query.file, error);
  });
  return cells.map((row) => Object.fromEntries(names.map((name, i) => [name, row[i] as Cell])));
}

/** Calls that both selections take, and the first of them; null where there is none. */
export async function overlapOf(
  lake: Lake,
  queries: Queries,
  baseline: Chosen,
  candidate: Chosen,
): Promise<{ readonly calls: number; readonly where: string } | null> {
  const filling = fillingOf({ baseline, candidate });
  const [first] = await rowsOf(lake, queries.get('overlap')!, filling);
  return placeOf(first);
}

/** Answered calls in neither arm that would be in one if they recorded what is selected by; null where there is none. */
export async function unrecordedIn(
  lake: Lake,
  queries: Queries,
  chosen: { readonly baseline: Chosen | null; readonly candidate: Chosen | null },
): Promise<{ readonly calls: number; readonly where: string } | null> {
  const arms = [chosen.baseline, chosen.candidate].flatMap((arm) => arm ?? []);
  const possible = arms.map(({ selection, between }) => possibleSql(selection, between, DUCKDB_LITERALS));
  const [first] = await rowsOf(lake, queries.get('unrecorded')!, {
    ...fillingOf(chosen),
    possible: `(${[NOBODY, ...possible].join(' OR ')})`,
  });
  return placeOf(first);
}

/** How many calls, and where the first of them stands. */
const placeOf = (first: Row | undefined) =>
  first === undefined ? null : { calls: Number(first.calls), where: `${first.file}:${first.line}` };

/** Keys of the calls that come first by them: two arms that share calls share some of these. */
export async function sampleOf(lake: Lake, queries: Queries, arm: Chosen): Promise<string[]> {
  const rows = await rowsOf(lake, queries.get('sample')!, { arm: conditionOf(arm) });
  return rows.map(({ call_key }) => String(call_key));
}

/** The newest answered call of an arm that failed by the metric. */
export async function failureOf(
  lake: Lake,
  queries: Queries,
  arm: string,
  metric: Metric,
): Promise<{ readonly where: string; readonly sessionId: string } | null> {
  const failed =
    metric === 'first-shot-rate' ? 'COALESCE(s.first_shot, FALSE) = FALSE' : "s.final_verdict <> 'accepted'";
  const [first] = await rowsOf(lake, queries.get('failure')!, { arm, failed });
  return first === undefined
    ? null
    : { where: `${first.file}:${first.line}`, sessionId: String(first.session_id) };
}

/** A value that no loaded call has, with one that looks as if it was meant. */
export interface AbsentChoice {
  readonly field: SelectedField;
  readonly value: string;
  readonly nearest: string | null;
}

export async function absentIn(lake: Lake, { values }: Selection): Promise<AbsentChoice[]> {
  const absent: AbsentChoice[] = [];
  for (const field of SELECTED_FIELDS) {
    const wanted = values[field] ?? [];
    if (wanted.length === 0) continue;
    const { cells } = await lake.query(presentSql(field));
    const present = cells.map(([value]) => String(value));
    absent.push(
      ...wanted
        .filter((value) => !present.includes(value))
        .map((value) => ({ field, value, nearest: nearestOf(value, present) })),
    );
  }
  return absent;
}

export const presentSql = (field: SelectedField): string =>
  `SELECT DISTINCT s.${field} FROM sessions s WHERE s.${field} IS NOT NULL ORDER BY 1`;
