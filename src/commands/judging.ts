import { randomUUID } from 'node:crypto';
import { LakelogError } from '../errors.js';
import {
  describeAcks,
  placeOf,
  remainingConflicts,
  remainingGaps,
  remainingRejects,
  type Settled,
  settle,
  settledMissing,
} from '../gate/acks.js';
import { type CanaryRoster, instantInside, plantCanary, proveCanary } from '../gate/canary.js';
import type { Evidence, GateEvidence, Limits } from '../gate/evidence.js';
import { judge } from '../gate/judge.js';
import { lookAlikesOf } from '../gate/look-alikes.js';
import { awaited, wasHeard } from '../gate/silent.js';
import { parseAge } from '../instant.js';
import type { Lake } from '../lake/lake.js';
import type { AckFile } from '../query/acks.js';
import type { Query } from '../query/header.js';
import { nearestOf } from '../query/nearest.js';
import { type BoundParams, gatingOf } from '../query/params.js';
import type { RosterFlags } from '../query/roster.js';
import type { Answer, Session } from '../query/run.js';
import type { Settings } from '../query/settings.js';
import type { GivenPaths } from '../query/sources.js';
import type { Account } from '../schema/account.js';
import { callersOf, type Expected } from '../schema/expected.js';
import type { GateSpec } from '../schema/gate.js';
import type { Receipt, Result, Verdict } from '../schema/result.js';
import { knownTo } from './acks.js';
import { questionEvidence } from './evidence.js';
import { chosenParams, nextCommand, REASON, rosterFlagsOf } from './next.js';
import type { ReadFlags } from './options.js';

export interface GateFlags {
  readonly minJudged?: number;
  readonly maxRejects?: number;
  readonly maxAge?: string;
  readonly acks?: string;
  readonly expect?: string;
}

/** What was said on the command line, checked before anything is read. */
export interface Asked {
  readonly query: Query;
  readonly params: BoundParams;
  readonly inputs: GivenPaths;
  /** Folders of --queries. */
  readonly folders: readonly string[];
  readonly flags: Pick<ReadFlags, 'model' | 'kind' | 'daemon' | 'environment'> &
    GateFlags &
    RosterFlags & { readonly strict?: true };
  readonly limits: Limits;
  readonly acks: AckFile | null;
  /** As --acks or LAKELOG_ACKS has it. */
  readonly namedAcks: string | undefined;
  /** How a flag of the gate is set, where it has no option. */
  readonly allow?: (flag: string) => string;
  /** Null where nobody must be heard of. */
  readonly expected: Expected | null;
}

export interface Judged {
  readonly verdict: Verdict;
  /** The rows that nobody settled or allowed. */
  readonly result: Result;
  readonly acknowledged: Receipt['acknowledged'];
  readonly expected: Receipt['expected'];
}

export function limitsOf(settings: Settings, now: Date): Limits {
  const age = settings.get('max_age');
  return {
    now,
    minJudged: settings.get('min_judged'),
    maxRejects: settings.get('max_rejects'),
    maxAgeMs: age === undefined ? null : parseAge(age),
  };
}

/**
 * What the gate must find in lines that are planted for it.
 * @throws LakelogError (exit 2) where the filters leave nothing to plant.
 */
export function plantSelfTest(
  { query, params, flags, limits }: Asked,
  gate: GateSpec,
  session: Session,
): () => Promise<{ planted: number; found: number }> {
  const { kind: only = [] } = flags;
  const { gatedKinds } = params;
  const kinds = gatedKinds.filter((kind) => only.length === 0 || only.includes(kind));
  if (kinds.length === 0) {
    throw new LakelogError(
      `--kind ${only.join(', ')} leaves none of the gated kinds (${gatedKinds.join(', ')})`,
      { next: 'drop --kind, or correct it' },
    );
  }
  const canary = plantCanary(gate, {
    gatedKinds: kinds,
    model: flags.model?.[0],
    daemon: flags.daemon?.[0],
    environment: flags.environment?.[0],
    roster: canaryRoster(session.lake),
    timestamp: instantInside(session.lake.window, limits.now),
    nonce: randomUUID(),
  });
  return async () =>
    proveCanary(canary, gate, await session.askLines({ query, params }, 'canary', canary.lines), query.file);
}

function canaryRoster({ rosters }: Lake): CanaryRoster | null {
  if (rosters === null) return null;
  const { hash, workers } = rosters.sample;
  const worker = [...workers.values()].find(({ active }) => active)?.id ?? null;
  return { isFolder: rosters.only === null, hash, worker, phantom: `canary-${randomUUID()}` };
}

/** Judges what a gate answered, without what was settled or is allowed. */
export async function judgeGate(asked: Asked, gate: GateSpec, answer: Answer, lake: Lake): Promise<Judged> {
  const { query, params, inputs, folders, flags, limits, acks, namedAcks, expected } = asked;
  const { account } = answer;
  const settled = await settledBy(acks, query, account, lake, limits.now);
  const open = withoutSettled(answer.result, gate, settled);
  const evidence = questionEvidence(account, inputs, limits.now, query.needs, gatingOf(query, params));
  const found = await gateEvidence(asked, gate, { ...answer, result: open });
  const newestAsked = found.gatedKinds === null ? account.newestSelected : account.newestSelectedGated;
  const roster = rosterFlagsOf(flags);
  const waited =
    expected === null ? [] : awaited(expected.all, await lake.heardOf(callersOf(expected)), nearestOf);
  const context = { inputs, folders, gatedKinds: params.gatedKinds, acks: namedAcks, roster };
  const verdict = judge({
    ...evidence,
    ...(settled && settledEvidence(evidence, settled)),
    calls: {
      ...evidence.calls,
      ...(settled && settled.conflicts.size > 0 && remainingConflicts(settled)),
      ...(settled && settled.holes.length > 0 && { gaps: remainingGaps(settled) }),
      newestAsked,
      awaited: waited,
    },
    gate: found,
    limits,
    commands: {
      ...evidence.commands,
      showTrace: (sessionId) =>
        nextCommand('show', [sessionId], { ...context, params: chosenParams(query, params) }),
      settle: (target) => nextCommand('ack', [target], context, REASON),
      ...(asked.allow && { allow: asked.allow }),
    },
  });
  const acknowledged = {
    calls: answer.result.rows.length - open.rows.length,
    rejects: settled?.rejects.size ?? 0,
    conflicts: settled?.conflicts.size ?? 0,
    missing: settled ? settledMissing(settled) : 0,
    changed_files: settled?.changes.size ?? 0,
    file: acks?.file ?? null,
  };
  const heard = waited.filter((one) => wasHeard(one, limits.now)).length;
  return {
    verdict,
    result: withoutAllowed(open, gate, found.allowed),
    acknowledged,
    expected: expected && { file: expected.file, named: expected.all.length, heard },
  };
}

/** Matches the acknowledgements with what was loaded; only who has some pays for looking them up. */
async function settledBy(
  acks: AckFile | null,
  query: Query,
  account: Account,
  lake: Lake,
  now: Date,
): Promise<Settled | null> {
  if (acks === null || acks.entries.length === 0) return null;
  return settle(acks.entries, query.name, await knownTo(acks.entries, account, lake), now, acks.file);
}

export function settledEvidence(
  { inputs }: Evidence,
  settled: Settled,
): Pick<Evidence, 'inputs' | 'acknowledgements'> {
  const { used, findings, rejects, changes } = settled;
  return {
    acknowledgements: { used: describeAcks(used), findings },
    inputs: {
      ...inputs,
      ...(rejects.size > 0 && { rejects: remainingRejects(settled) }),
      ...(changes.size > 0 && { problems: inputs.problems.filter((problem) => !changes.has(problem)) }),
    },
  };
}

function withoutSettled(result: Result, gate: GateSpec, settled: Settled | null): Result {
  if (settled === null || settled.calls.size === 0) return result;
  const { file, line, value } = columnsOf(result, gate);
  const rows = result.rows.filter((row) => {
    const ack = settled.calls.get(placeOf({ file: String(row[file]), line: Number(row[line]) }));
    // Settled for one reason is not settled for another.
    return ack === undefined || !ack.values.includes(String(row[value]));
  });
  return { columns: result.columns, rows };
}

/** Rows that a flag allows are counted in a notice; what remains is what keeps the gate from being clear. */
function withoutAllowed(result: Result, gate: GateSpec, allowed: ReadonlySet<string>): Result {
  const values = new Set(
    gate.cannotVouch
      .filter(({ unless }) => unless !== undefined && allowed.has(unless))
      .map(({ value }) => value),
  );
  const { value } = columnsOf(result, gate);
  return { columns: result.columns, rows: result.rows.filter((row) => !values.has(String(row[value]))) };
}

function columnsOf({ columns }: Result, gate: GateSpec) {
  const at = (name: string) => columns.findIndex((column) => column.name === name);
  return { value: at(gate.column), file: at('file'), line: at('line'), session: at('session_id') };
}

async function gateEvidence(
  { query, params: { columns, gatedKinds } }: Asked,
  spec: GateSpec,
  { result, account, judged, gated, recomputed }: Answer,
): Promise<GateEvidence> {
  const readsKinds = query.params.some((param) => param.of.type === 'kinds');
  const kinds = account.kinds.map(({ kind }) => kind);
  return {
    spec,
    values: valuesOf(result, spec),
    allowed: new Set(Object.keys(columns).filter((name) => columns[name] === true)),
    judged: judged ?? 0,
    gatedKinds: readsKinds
      ? { names: gatedKinds, calls: gated ?? 0, lookAlikes: await lookAlikesOf(kinds, gatedKinds) }
      : null,
    recomputed,
  };
}

function valuesOf(result: Result, gate: GateSpec): GateEvidence['values'] {
  const { value, file, line, session } = columnsOf(result, gate);
  const values = new Map<string, { count: number; first: string; firstSession: string }>();
  for (const row of result.rows) {
    const before = values.get(String(row[value]));
    if (before) before.count++;
    else {
      values.set(String(row[value]), {
        count: 1,
        first: `${row[file] ?? ''}:${row[line] ?? ''}`,
        firstSession: String(row[session] ?? ''),
      });
    }
  }
  return values;
}
