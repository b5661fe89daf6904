import type { Account, BlockingGroup, KindCount, Newest } from '../schema/account.js';
import type { GateSpec } from '../schema/gate.js';
import type { FileAccount, Finding, InputProblem, LakeReceipt, Recomputed } from '../schema/result.js';
import type { Awaited } from './silent.js';

/** All that a verdict rests on, in groups by where it comes from. */
export interface Evidence {
  readonly inputs: InputEvidence;
  readonly calls: CallEvidence;
  /** Null where only the inputs are examined. */
  readonly gate: GateEvidence | null;
  readonly limits: Limits;
  readonly acknowledgements: {
    /** What was settled, in words. */
    readonly used: readonly string[];
    /** Those that no longer hold. */
    readonly findings: readonly Omit<Finding, 'code'>[];
  };
  readonly commands: Commands;
}

/** What was read. */
export interface InputEvidence {
  readonly files: readonly FileAccount[];
  readonly problems: readonly InputProblem[];
  readonly notices: readonly string[];
  readonly rejects: readonly BlockingGroup[];
  /** Files that may hold no record where others hold some: whoever rotates logs leaves such ones. */
  readonly mayBeEmpty: ReadonlySet<string>;
  /** What the lake did; null without one. */
  readonly lake: LakeReceipt | null;
  /** The question rests on replay runs, and none was loaded. */
  readonly lacksReplayRuns: boolean;
}

/** What is known of the loaded calls, whatever the filters if nothing else is said. */
export interface CallEvidence {
  /** Calls that pass the filters, and all calls; null where nothing was asked of them. */
  readonly selected: { readonly calls: number; readonly of: number } | null;
  /** Values of the filters that no loaded call has, with all values that seem to be meant by those of the filter. */
  readonly absent: readonly {
    readonly filter: string;
    readonly value: string;
    readonly meant: readonly string[] | null;
  }[];
  /** Calls that a question about attempts cannot judge, and file:line of the first. */
  readonly unjudgeable: Account['unjudgeable'];
  readonly kinds: readonly KindCount[];
  readonly conflicts: number;
  readonly firstConflict: string | null;
  readonly gaps: Account['gaps'];
  readonly unknownTraces: Account['unknownTraces'];
  readonly firstLate: string | null;
  readonly newest: Newest | null;
  /** Of the calls that pass the filters; for a gate with gated kinds, of those kinds. */
  readonly newestAsked: Newest | null;
  /** Who must be heard of, whatever the filters. */
  readonly awaited: readonly Awaited[];
}

/** What a gate found and judged. */
export interface GateEvidence {
  readonly spec: GateSpec;
  /** How many rows carry which value of the gate's column, and where the first of them stands. */
  readonly values: ReadonlyMap<string, { count: number; first: string; firstSession: string }>;
  /** Flags of the query that are set. */
  readonly allowed: ReadonlySet<string>;
  readonly judged: number;
  /** Null for a gate that has no notion of gated kinds. */
  readonly gatedKinds: GatedKinds | null;
  /** What rosters say of the stamps; null where they are believed. */
  readonly recomputed: Recomputed | null;
}

export interface GatedKinds {
  readonly names: readonly string[];
  /** Selected calls that the SQL held for gated. */
  readonly calls: number;
  /** Other kinds that a person would read as a gated one, with that one. */
  readonly lookAlikes: ReadonlyMap<string, string>;
}

export interface Limits {
  readonly now: Date;
  readonly minJudged: number;
  readonly maxRejects: number;
  readonly maxAgeMs: number | null;
}

/** Commands over the same inputs, as they can be pasted. */
export interface Commands {
  /** Shows one trace. */
  readonly showTrace: (sessionId: string) => string;
  /** Settles what `lakelog ack` takes as its target. */
  readonly settle: (target: string) => string;
  /** How such calls are accepted, by the flag of the gate that does it. */
  readonly allow: (flag: string) => string;
  /** Lists every reject. */
  readonly listRejects: string;
  /** Settles those that can be; where they are being listed already. */
  readonly settleRejects?: string;
}
