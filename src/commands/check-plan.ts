/** What `lakelog check` judges, and what each verdict is worth: every gate, and the entries of lakelog.toml. */
import { LakelogError } from '../errors.js';
import type { Catalogue } from '../query/catalogue.js';
import type { Decision } from '../query/decision.js';
import { nearestOf } from '../query/nearest.js';
import { bindParams } from '../query/params.js';
import type { PolicyEntry } from '../query/policy.js';
import { withPolicyParams } from '../query/policy-params.js';
import type { Query } from '../query/question.js';
import type { Question } from '../query/run.js';
import { DEFAULT_ALPHA, type Settings } from '../query/settings.js';
import type { PartKind, Worth } from '../schema/check.js';
import { METRICS, type Metric } from '../schema/decision.js';
import type { GateSpec } from '../schema/gate.js';
import type { Asking } from './asking.js';
import { compareOf, type DecisionContext } from './compare-decision.js';
import { driftOf } from './drift-decision.js';
import { filtersOf } from './options.js';

interface Named extends Worth {
  readonly name: string;
  readonly title: string;
}

export interface PlannedGate extends Named {
  readonly kind: 'gate';
  readonly question: Question;
  readonly gate: GateSpec;
}

export interface PlannedDecision extends Named {
  readonly kind: 'compare' | 'drift';
  readonly entry: PolicyEntry;
  /** Its share of the family's. */
  readonly alpha: number;
}

/** What cannot be judged keeps nothing else from being judged, and is never silent. */
export interface Unplanned extends Named {
  readonly kind: PartKind;
  readonly error: LakelogError;
}

export type Planned = PlannedGate | PlannedDecision | Unplanned;

const FAIL: Worth = { level: 'fail', undecided: 'fail' };

export function planOf({ queries, broken, usualGate }: Catalogue, settings: Settings): Planned[] {
  const gates = queries.filter((query) => query.gate !== null);
  const entries = settings.entries.filter(({ kind }) => kind === 'gates');
  const decisions = settings.entries.filter(({ kind }) => kind !== 'gates');
  const worthOf = (name: string): Worth =>
    (name === usualGate?.name ? undefined : entries.find((entry) => entry.name === name)) ?? FAIL;
  const names = [...gates, ...broken].map(({ name }) => name);
  const alpha = (settings.get('alpha') ?? DEFAULT_ALPHA) / Math.max(decisions.length, 1);
  return [
    ...gates.map((query) => planGate(query, worthOf(query.name), settings)),
    ...brokenOnes(broken, gates, worthOf),
    ...entries.flatMap((entry) => wrongEntry(entry, { queries, names, usual: usualGate?.name })),
    ...decisions.map((entry) => planDecision(entry, names, alpha)),
  ];
}

/** What the run as a whole is called where each part has a name. */
const ALL_TOGETHER = 'check';

/** A file that is left out because another has its name stands beside that one. */
function brokenOnes(
  broken: Catalogue['broken'],
  gates: readonly Query[],
  worthOf: (name: string) => Worth,
): Unplanned[] {
  const taken = new Set([...gates.map(({ name }) => name), ALL_TOGETHER]);
  return broken.map(({ name, error }) => {
    let own = name;
    for (let i = 1; taken.has(own); i++) own = i === 1 ? `${name}.sql` : `${name}.sql-${i}`;
    taken.add(own);
    return unplanned('gate', own, error, worthOf(name));
  });
}

function unplanned(kind: PartKind, name: string, error: LakelogError, worth = FAIL): Unplanned {
  const { level, undecided } = worth;
  return { kind, name, title: error.message, level, undecided, error };
}

function planGate(query: Query, { level, undecided }: Worth, settings: Settings): Planned {
  const { name, title, gate } = query;
  try {
    const params = bindParams(
      query,
      withPolicyParams(query, {}, settings.entries),
      settings.get('gated_kinds'),
    );
    return { kind: 'gate', name, title, level, undecided, question: { query, params }, gate: gate! };
  } catch (error) {
    if (error instanceof LakelogError) return unplanned('gate', name, error, { level, undecided });
    throw error;
  }
}

/** An entry that means nothing would leave somebody in the belief that it does. */
function wrongEntry(
  entry: PolicyEntry,
  known: {
    readonly queries: readonly Query[];
    readonly names: readonly string[];
    readonly usual?: string | undefined;
  },
): Planned[] {
  const { name } = entry;
  const wrong = (what: string, next: string, key?: string) => [
    unplanned('entry', `gates.${name}`, new LakelogError(what, { where: entry.where(key), next })),
  ];
  if (name === known.usual) {
    const key = entry.level === 'warn' ? 'level' : entry.undecided === 'warn' ? 'undecided' : null;
    if (key === null) return [];
    return wrong(
      `${name} ships with lakelog and cannot be a warning`,
      `take ${key} out of [gates.${name}]`,
      key,
    );
  }
  if (known.names.includes(name)) return [];
  if (known.queries.some((query) => query.name === name))
    return wrong(`${name} is a question and no gate`, `take [gates.${name}] out`);
  const nearest = nearestOf(name, known.names);
  const others = `use one of ${known.names.join(', ')}, or name the folder that it is in: queries = ["queries/"]`;
  return wrong(`[gates.${name}] names no gate`, nearest === null ? others : `did you mean ${nearest}?`);
}

function planDecision(entry: PolicyEntry, gates: readonly string[], alpha: number): Planned {
  const { kind, name, level, undecided } = entry;
  if (kind === 'gates') throw new Error('a gate is no decision');
  const title =
    kind === 'compare' ? 'The candidate is not worse than the baseline' : 'The rate has not fallen';
  const isTaken = gates.includes(name) || name === ALL_TOGETHER;
  if (!isTaken) return { kind, name, title, level, undecided, entry, alpha };
  const what = `the name "${name}" is taken: it is ${name === ALL_TOGETHER ? 'that of all together' : 'a gate'}`;
  const error = new LakelogError(what, { where: entry.where('name'), next: 'give it another name' });
  return unplanned('entry', `${kind}.${name}`, error);
}

/** @throws LakelogError (exit 2) for a metric, a selection, a file or a version that is none. */
export async function decisionOf(
  { entry }: PlannedDecision,
  { settings, flags, acks }: Asking,
  context: DecisionContext,
): Promise<Decision> {
  const { name, values } = entry;
  const { baseline, candidate, change_at: changeAt, since_change: sinceChange } = values as Texts;
  const own = values.not_worse_than ?? values.margin;
  const margin = typeof own === 'number' ? own : settings.get('margin');
  const metric = metricOf(entry);
  if (entry.kind === 'drift') {
    const filters = filtersOf(flags, settings);
    return driftOf({ name, metric, margin, changeAt, sinceChange, filters }, { ...context, acks });
  }
  return compareOf(
    { name, baseline: baseline!, candidate: candidate!, metric, margin, isGate: true },
    context,
  );
}

type Texts = Readonly<Record<string, string | undefined>>;

function metricOf(entry: PolicyEntry): Metric {
  const { metric: given = METRICS[0] } = entry.values;
  const metric = METRICS.find((one) => one === given);
  if (metric !== undefined) return metric;
  const nearest = nearestOf(String(given), METRICS);
  throw new LakelogError(`"${given}" is no metric that can be decided`, {
    where: entry.where('metric'),
    next: nearest === null ? `use ${METRICS.join(' or ')}` : `did you mean ${nearest}?`,
  });
}
