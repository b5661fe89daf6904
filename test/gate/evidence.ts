import type { Evidence } from '../../src/gate/rules.js';
import type { FileAccount, InputProblem } from '../../src/schema/result.js';

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
    newest_record: loaded === 0 ? null : at(-60_000),
    ...changes,
  };
}

export const problem = (kind: InputProblem['problem'], path: string): InputProblem => ({
  path,
  problem: kind,
  detail: `${kind} it is`,
});

export function reject(reason: string, count = 1, blocks = true): Evidence['rejects'][number] {
  return { reason, count, first: 'sessions.jsonl:2', detail: `what ${reason} means`, blocks };
}

export const rows = (...values: readonly string[]): Evidence['values'] =>
  new Map(values.map((value) => [value, { count: 2, first: 'sessions.jsonl:7', firstSession: 'trace-7' }]));

/** Evidence of a clear verdict without a notice, with what the test changes. */
export function evidence(changes: Partial<Evidence> = {}): Evidence {
  return {
    gate: {
      column: 'reason',
      fires: [{ value: 'ungrounded', note: 'the stamp is false' }],
      cannotVouch: [{ value: 'unjudged', note: 'nobody checked', unless: 'allow_unjudged' }],
      judges: 'gated',
      canaries: [{ value: 'ungrounded', fields: { grounded_in_roster: false } }],
    },
    values: new Map(),
    allowed: new Set(),
    judged: 3,
    selected: null,
    gatedKinds: ['fill'],
    readsGatedKinds: true,
    files: [fileAccount()],
    problems: [],
    inputNotices: [],
    rejects: [],
    conflicts: 0,
    firstConflict: null,
    kinds: [{ kind: 'fill', calls: 3, accepted_false: 0 }],
    gaps: [],
    newest: { time: at(-60_000), where: 'sessions.jsonl:3' },
    now: NOW,
    minJudged: 1,
    maxRejects: 0,
    maxAgeMs: null,
    acknowledgements: { used: [], findings: [] },
    showTrace: (sessionId) => `lakelog show ${sessionId} logs`,
    lacksReplayRuns: false,
    listRejects: 'lakelog validate sessions.jsonl',
    ...changes,
  };
}
