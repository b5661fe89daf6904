/** `drift` as a decision: which calls stand before and after a change, and whether their rate fell. */
import { LakelogError, stepWith } from '../errors.js';
import { describeAcks, type SettledDrift, settleDrift } from '../gate/acks.js';
import { concludeDrift, type DriftAsked, type Stratum } from '../gate/drift.js';
import { plural } from '../gate/rule.js';
import { instant } from '../gate/words.js';
import type { Filters, Lake } from '../lake/lake.js';
import type { AckFile } from '../query/acks.js';
import { rowsOf } from '../query/arms.js';
import type { Decided, Decision } from '../query/decision.js';
import { DUCKDB_LITERALS, sha256Of } from '../query/decision-sql.js';
import { isSliding, type Selection, selectionText } from '../query/selection.js';
import { driftTarget } from '../schema/ack.js';
import { VERSION_FIELDS, type VersionField } from '../schema/counts.js';
import type { Metric } from '../schema/decision.js';
import type { Cell, Epoch, Finding } from '../schema/result.js';
import type { Day } from '../stats/drift.js';
import { type DecisionContext, withExample } from './compare-decision.js';
import { driftResult } from './drift-result.js';
import { nextCommand, REASON } from './next.js';

/** What is looked for, as the command line or the policy has it. */
export interface DriftEntry {
  readonly name: string;
  readonly metric: Metric;
  readonly margin: number;
  /** A date or RFC 3339. */
  readonly changeAt?: string | undefined;
  readonly sinceChange?: string | undefined;
  readonly filters: Filters;
}

export interface DriftContext extends DecisionContext {
  readonly acks: AckFile | null;
}

export const DRIFT_QUERIES = [
  'drift-days',
  'drift-moment',
  'drift-version',
  'never-first',
  'failure',
  'first-since',
] as const;

/** @throws LakelogError (exit 2) for a window or a moment that slides, two changes, or a version that is none. */
export function driftOf(entry: DriftEntry, context: DriftContext): Decision {
  const change = changeOf(entry);
  const files = DRIFT_QUERIES.map((name) => context.queries.get(name)!);
  return {
    name: entry.name,
    title: 'Whether a rate has fallen',
    asks: files.map(({ widest }) => widest),
    sha256: sha256Of(files),
    params: {
      metric: entry.metric,
      margin: entry.margin,
      change_at: entry.changeAt ?? null,
      since_change: entry.sinceChange ?? null,
    },
    decide: (lake, alpha) => decideDrift({ ...entry, alpha, change }, lake, context),
  };
}

type Change =
  | { readonly at: 'moment'; readonly time: string }
  | { readonly at: 'version'; readonly field: VersionField }
  | { readonly at: 'any day' };

function changeOf({ changeAt, sinceChange, filters: { since } }: DriftEntry): Change {
  if (isSliding(since)) {
    throw new LakelogError(
      `--since ${since} slides: each look would forget calls that the last one counted`,
      {
        detail:
          'What drift says holds however often one looks, as long as calls are only added. A window that moves is a new test each day, and one of them fires in the end.',
        next: 'name a moment: --since 2026-09-01',
      },
    );
  }
  if (isSliding(changeAt)) {
    throw new LakelogError(`--change-at ${changeAt} slides: the change would move with the clock`, {
      next: 'name the moment of the change: --change-at 2026-09-01T08:00:00Z',
    });
  }
  if (changeAt !== undefined && sinceChange !== undefined) {
    throw new LakelogError('--change-at and --since-change name two changes', {
      next: 'keep one of the two',
    });
  }
  if (changeAt !== undefined) return { at: 'moment', time: changeAt };
  if (sinceChange === undefined) return { at: 'any day' };
  const field = VERSION_FIELDS.find((name) => name === sinceChange);
  if (field !== undefined) return { at: 'version', field };
  throw new LakelogError(`--since-change ${sinceChange}: there is no such version`, {
    next: `use one of ${VERSION_FIELDS.join(', ')}`,
  });
}

interface Asked extends DriftEntry {
  readonly alpha: number;
  readonly change: Change;
}

async function decideDrift(asked: Asked, lake: Lake, context: DriftContext): Promise<Decided> {
  const { metric, margin, alpha, filters } = asked;
  const selection = selectionText(filterSelection(filters));
  const settled = await settledDrift(asked, selection, lake, context);
  const epoch = settled.epoch && epochOf(settled.epoch);
  const { series, findings: doubts } = await seriesOf(asked, epoch, lake, context);
  const unjudged = await neverFirst(since(epoch), lake, context);
  const concluded = concludeDrift({
    ...{ metric, margin, alpha, epoch },
    ...series,
    settle: (changed_at) =>
      nextCommand(
        'ack',
        [driftTarget({ metric, changed_at: instant(changed_at), selection })],
        context.next,
        REASON,
      ),
  });
  const { changed_at } = concluded.facts;
  const changed = changed_at === null ? null : `s.timestamp >= ${DUCKDB_LITERALS.instant(changed_at)}`;
  const { fired, cannot_vouch, notices } = await withExample(
    concluded.findings,
    lake,
    changed,
    metric,
    context,
  );
  return {
    ...concluded,
    result: driftResult(series.strata, concluded.period),
    findings: {
      fired,
      // Without a change there is nothing to count.
      cannot_vouch: [
        ...doubts.cannot_vouch,
        ...(series.strata.length === 0 && doubts.cannot_vouch.length > 0 ? [] : cannot_vouch),
        ...unjudged,
      ],
      notices: [
        ...describeAcks(settled.used).map((message) => ({ code: 'acknowledged', message })),
        ...settled.findings.map((finding) => ({ code: 'acknowledgements', ...finding })),
        ...doubts.notices,
        ...notices,
      ],
    },
  };
}

/** The calls that the filters name, as a selection; the window is no part of what is acknowledged. */
export function filterSelection({ model, kind, daemon, environment }: Filters): Selection {
  const named = Object.entries({ model, kind, daemon, environment }).filter(
    ([, values]) => values.length > 0,
  );
  return {
    values: Object.fromEntries(named.map(([field, values]) => [field, [...values].sort()])),
    since: undefined,
    until: undefined,
  };
}

async function settledDrift(
  { metric }: Asked,
  selection: string,
  lake: Lake,
  { acks, now }: DriftContext,
): Promise<SettledDrift> {
  const entries = acks?.entries ?? [];
  const keys = entries.flatMap(({ ack }) => (ack.what === 'drift' ? [ack.call_key] : []));
  const calls = keys.length === 0 ? [] : await lake.calls({ keys: [...new Set(keys)] });
  return settleDrift(entries, { metric, selection }, calls, now, acks?.file ?? '');
}

const epochOf = ({ changed_at, author, expires, reason }: NonNullable<SettledDrift['epoch']>): Epoch => ({
  since: changed_at,
  author,
  expires,
  reason,
});

type Series = Pick<DriftAsked, 'strata' | 'change' | 'days'>;
interface Found {
  readonly series: Series;
  readonly findings: { readonly cannot_vouch: readonly Finding[]; readonly notices: readonly Finding[] };
}

const since = (epoch: Epoch | null) =>
  epoch === null ? 'TRUE' : `r.ended >= ${DUCKDB_LITERALS.instant(epoch.since)}`;

/** Of kinds that always follow another one in their traces there is nothing to be counted, and no silence is a proof. */
async function neverFirst(epoch: string, lake: Lake, { queries, next }: DriftContext): Promise<Finding[]> {
  const rows = await rowsOf(lake, queries.get('never-first')!, { epoch });
  return rows.map(({ kind, calls }) => ({
    code: 'never_first',
    message: `no trace begins with the kind ${JSON.stringify(kind)} (${plural(Number(calls), 'call')}), so nothing is said of it`,
    next: stepWith([String(kind)], (word) => nextCommand('drift', [], next, [`--kind ${word}`])),
  }));
}

const NOTHING_ODD: Found['findings'] = { cannot_vouch: [], notices: [] };

/** Calls before and after the change; a change that the epoch begins with is settled, so that any day since then may be one. */
async function seriesOf(
  asked: Asked,
  epoch: Epoch | null,
  lake: Lake,
  context: DriftContext,
): Promise<Found> {
  const { change } = asked;
  const from = since(epoch);
  if (change.at === 'any day') return anyDay(asked, from, lake, context);
  if (change.at === 'version') {
    const found = await sinceVersion(asked, change.field, from, lake, context);
    return found.hasChange || epoch === null ? found : settledChange(asked, from, lake, context);
  }
  const at = (await lake.windowOf(change.time, undefined, ['--change-at', ''])).since!;
  if (epoch !== null && Date.parse(at) <= Date.parse(epoch.since))
    return settledChange(asked, from, lake, context);
  return atMoment(asked, at, from, lake, context);
}

async function settledChange(asked: Asked, since: string, lake: Lake, context: DriftContext): Promise<Found> {
  const found = await anyDay(asked, since, lake, context);
  const notice = {
    code: 'new_epoch',
    message:
      'the change that was asked about is acknowledged: what is judged is whether the rate has fallen since then, on any day',
  };
  return { ...found, findings: { ...found.findings, notices: [notice, ...found.findings.notices] } };
}

type Row = Readonly<Record<string, Cell>>;

const dayOf = (row: Row, metric: Metric): Day => ({
  n: Number(row.firsts),
  x: Number(metric === 'first-shot-rate' ? row.first_shots : row.accepted),
});

const NO_CALLS: Day = { n: 0, x: 0 };

/** @param periodOf where in the series of its stratum a row stands. */
function strataOf(
  rows: readonly Row[],
  periods: number,
  { metric, keepsModel }: { readonly metric: Metric; readonly keepsModel: boolean },
  periodOf: (row: Row) => number,
): Stratum[] {
  const strata = new Map<
    string,
    { kind: string; model: string | null; days: Day[]; changedAt: string | null }
  >();
  for (const row of rows) {
    const model = keepsModel ? String(row.model) : null;
    const key = JSON.stringify([row.kind, model]);
    const stratum = strata.get(key) ?? {
      kind: String(row.kind),
      model,
      days: Array.from({ length: periods }, () => NO_CALLS),
      changedAt: (row.changed_at ?? null) as string | null,
    };
    const at = periodOf(row);
    const [before, more] = [stratum.days[at]!, dayOf(row, metric)];
    stratum.days[at] = { n: before.n + more.n, x: before.x + more.x };
    strata.set(key, stratum);
  }
  return [...strata.values()];
}

/** Days without any call are left out: when they were is nothing to the rate. */
async function anyDay(
  { metric, filters }: Asked,
  epoch: string,
  lake: Lake,
  { queries }: DriftContext,
): Promise<Found> {
  const rows = await rowsOf(lake, queries.get('drift-days')!, { epoch });
  const labels = [...new Set(rows.map(({ day }) => String(day)))].sort();
  const days = await Promise.all(
    labels.map(async (day) =>
      filters.tz === 'UTC' ? `${day}T00:00:00.000Z` : (await lake.windowOf(day, undefined)).since!,
    ),
  );
  const place = new Map(labels.map((day, i) => [day, i]));
  const strata = strataOf(
    rows,
    labels.length,
    { metric, keepsModel: true },
    ({ day }) => place.get(String(day))!,
  );
  return { series: { strata, change: null, days }, findings: NOTHING_ODD };
}

async function atMoment(
  { metric }: Asked,
  at: string,
  epoch: string,
  lake: Lake,
  { queries }: DriftContext,
): Promise<Found> {
  const filling = { epoch, change: DUCKDB_LITERALS.instant(at) };
  const rows = await rowsOf(lake, queries.get('drift-moment')!, filling);
  const label = ({ is_after, day }: Row) => `${is_after} ${day}`;
  const labels = [...new Set(rows.map(label))].sort();
  const place = new Map(labels.map((one, i) => [one, i]));
  const period = labels.filter((one) => one.startsWith('0')).length;
  const strata = strataOf(rows, labels.length, { metric, keepsModel: true }, (row) => place.get(label(row))!);
  return { series: { strata, change: { words: instant(at), at, period }, days: [] }, findings: NOTHING_ODD };
}

/** Of each kind the calls before its present version came, and those with it. */
async function sinceVersion(
  { metric }: Asked,
  field: VersionField,
  epoch: string,
  lake: Lake,
  { queries }: DriftContext,
): Promise<Found & { readonly hasChange: boolean }> {
  const rows = await rowsOf(lake, queries.get('drift-version')!, { epoch, version: `s.${field}` });
  const changed = rows.filter(({ changed_at }) => changed_at !== null);
  // A change of model has another one before it.
  const shape = { metric, keepsModel: field !== 'model' };
  const judged = changed.filter(({ part }) => Number(part) < 2);
  const strata = strataOf(judged, 2, shape, ({ part }) => Number(part));
  const moments = [...new Set(changed.map(({ changed_at }) => String(changed_at)))].sort();
  const at = moments.at(-1) ?? null;
  const words = `the change of ${field}${at === null ? '' : ` ${moments.length === 1 ? 'at' : 'of each kind, the last at'} ${instant(at)}`}`;
  return {
    hasChange: changed.length > 0,
    series: { strata, change: { words, at, period: 1 }, days: [] },
    findings: versionFindings(field, rows),
  };
}

function versionFindings(field: VersionField, rows: readonly Row[]): Found['findings'] {
  const calls = (some: readonly Row[]) => some.reduce((sum, { firsts }) => sum + Number(firsts), 0);
  const kinds = (some: readonly Row[]) => [...new Set(some.map(({ kind }) => String(kind)))].join(', ');
  const changed = rows.filter(({ changed_at }) => changed_at !== null);
  const unrecorded = rows.filter(
    ({ present_version, changed_at, part }) =>
      present_version === null || (changed_at !== null && Number(part) === 3),
  );
  const unchanged = rows.filter(
    ({ present_version, changed_at }) => present_version !== null && changed_at === null,
  );
  const others = changed.filter(({ part }) => Number(part) === 2);
  return {
    cannot_vouch: [
      ...(calls(unrecorded) === 0
        ? []
        : [
            {
              code: 'not_recorded',
              message: `${calls(unrecorded)} calls of ${kinds(unrecorded)} do not record ${field}: whether they fell with it cannot be told`,
              next: `have the service record ${field}, or look at kinds that do: --kind NAME`,
            },
          ]),
      ...(changed.length > 0 || rows.length === 0 || calls(unrecorded) === calls(rows)
        ? []
        : [
            {
              code: 'no_change',
              message: `${field} did not change: there is nothing before and after`,
              next: 'name more of the log, or a moment: --change-at TIME',
            },
          ]),
    ],
    notices: [
      ...(unchanged.length === 0 || changed.length === 0
        ? []
        : [
            {
              code: 'unchanged',
              message: `${field} did not change in ${kinds(unchanged)}: these are not judged`,
            },
          ]),
      ...(others.length === 0
        ? []
        : [
            {
              code: 'other_versions',
              message: `${calls(others)} calls of ${kinds(others)} since then have another ${field}: they are not judged`,
            },
          ]),
    ],
  };
}
