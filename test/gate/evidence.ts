import type { CallEvidence, Evidence, GateEvidence, InputEvidence, Limits } from '../../src/gate/evidence.js';
import type { KindCount } from '../../src/schema/account.js';
import type { Gap } from '../../src/schema/gap.js';
import type { FileAccount, InputProblem, Recomputed } from '../../src/schema/result.js';

export const NOW = new Date('2026-09-02T12:00:00.000Z');

export const at = (ms: number) => new Date(NOW.getTime() + ms).toISOString();

/** The account of a file that holds `loaded` calls, with what the test changes; its lines always add up. */
export function fileAccount(changes: Partial<FileAccount> = {}): FileAccount {
  const { loaded = 3, rejected = 0, duplicates = 0, blank = 0, pending = 0 } = changes;
  return {
    file: 'sessions.jsonl',
    bytes: 1000,
    lines: loaded + rejected + duplicates + blank + pending,
    loaded,
    rejected,
    duplicates,
    blank,
    pending,
    conflicts: 0,
    late: 0,
    newest_record: loaded === 0 ? null : at(-60_000),
    ...changes,
  };
}

export const problem = (kind: InputProblem['problem'], path: string): InputProblem => ({
  path,
  problem: kind,
  detail: `${kind} it is`,
});

export function reject(reason: string, count = 1, blocks = true): InputEvidence['rejects'][number] {
  return { reason, count, first: 'sessions.jsonl:2', detail: `what ${reason} means`, blocks };
}

export const rows = (...values: readonly string[]): GateEvidence['values'] =>
  new Map(values.map((value) => [value, { count: 2, first: 'sessions.jsonl:7', firstSession: 'trace-7' }]));

/** Numbers 3 to 5 of a writer, which stand in no record. */
export const gap = (writer_id: string, changes: Partial<Gap> = {}): Gap => ({
  writer_id,
  missing: 3,
  ranges: [{ from: 3, to: 5 }],
  more: 0,
  last: 5,
  where: 'sessions.jsonl:3',
  ...changes,
});

export const kind = (name: string, changes: Partial<KindCount> = {}): KindCount => ({
  kind: name,
  calls: 1,
  selected: 1,
  accepted_false: 0,
  first: 'sessions.jsonl:1',
  first_false: null,
  ...changes,
});

/** What the SQL and the rules say of the same calls of these kinds. */
export function kinds(
  all: readonly KindCount[],
  gated: readonly string[] = ['fill'],
  lookAlikes: ReadonlyMap<string, string> = new Map(),
): Changes {
  const sum = (some: readonly KindCount[]) => some.reduce((total, { selected }) => total + selected, 0);
  const calls = sum(all.filter(({ kind }) => gated.includes(kind)));
  return {
    calls: { kinds: all, selected: { calls: sum(all), of: sum(all) } },
    gate: { gatedKinds: { names: gated, calls, lookAlikes } },
  };
}

export const recomputed = (changes: Partial<Recomputed> = {}): Recomputed => ({
  ...{ roster: 'roster.csv', from: 'arguments', hash: 'sha256:5f0c3a1e', workers: 7 },
  ...{
    right: 3,
    wrong: 0,
    not_at_hand: 0,
    hashed: 0,
    unread: 0,
    nobody: 0,
    contradicted: 0,
    other_roster: 0,
  },
  ...changes,
});

/** What a test changes, group by group. */
export interface Changes {
  readonly inputs?: Partial<InputEvidence>;
  readonly calls?: Partial<CallEvidence>;
  readonly gate?: Partial<GateEvidence> | null;
  readonly limits?: Partial<Limits>;
  readonly acknowledgements?: Partial<Evidence['acknowledgements']>;
  readonly commands?: Partial<Evidence['commands']>;
}

const CLEAR: Evidence & { readonly gate: GateEvidence } = {
  inputs: {
    files: [fileAccount()],
    problems: [],
    notices: [],
    rejects: [],
    mayBeEmpty: new Set(['new.jsonl']),
    lake: null,
    lacksReplayRuns: false,
  },
  calls: {
    selected: { calls: 3, of: 3 },
    absent: [],
    unjudgeable: null,
    kinds: [kind('fill', { calls: 3, selected: 3 })],
    conflicts: 0,
    firstConflict: null,
    gaps: [],
    unknownTraces: null,
    firstLate: null,
    newest: { time: at(-60_000), where: 'sessions.jsonl:3' },
    newestAsked: { time: at(-60_000), where: 'sessions.jsonl:3' },
    awaited: [],
  },
  gate: {
    spec: {
      column: 'reason',
      fires: [{ value: 'ungrounded', note: 'the stamp is false' }],
      cannotVouch: [{ value: 'unjudged', note: 'nobody checked', unless: 'allow_unjudged' }],
      judges: 'gated',
      canaries: [{ value: 'ungrounded', fields: { grounded_in_roster: false } }],
    },
    values: new Map(),
    allowed: new Set(),
    judged: 3,
    gatedKinds: { names: ['fill'], calls: 3, lookAlikes: new Map() },
    recomputed: null,
  },
  limits: { now: NOW, minJudged: 1, maxRejects: 0, maxAgeMs: null },
  acknowledgements: { used: [], findings: [] },
  commands: {
    showTrace: (sessionId) => `lakelog show ${sessionId} logs`,
    settle: (target) => `lakelog ack ${target} logs`,
    allow: (flag) => `--${flag.replaceAll('_', '-')}`,
    listRejects: 'lakelog validate sessions.jsonl',
  },
};

/** Evidence of a clear verdict without a notice, with what the tests change; of two changes the later holds. */
export function evidence(...changes: readonly Changes[]): Evidence {
  return changes.reduce<Evidence>(
    (e, { inputs, calls, gate, limits, acknowledgements, commands }) => ({
      inputs: { ...e.inputs, ...inputs },
      calls: { ...e.calls, ...calls },
      gate: gate === null ? null : { ...(e.gate ?? CLEAR.gate), ...gate },
      limits: { ...e.limits, ...limits },
      acknowledgements: { ...e.acknowledgements, ...acknowledgements },
      commands: { ...e.commands, ...commands },
    }),
    CLEAR,
  );
}
