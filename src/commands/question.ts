import { LakelogError } from '../errors.js';
import { describeAck, placeOf, remaining, type Settled, settle } from '../gate/acks.js';
import { type Canary, instantInside, plantCanary, proveCanary } from '../gate/canary.js';
import { judge } from '../gate/judge.js';
import { type Evidence, INPUT_RULES, LENIENT_INPUT_RULES } from '../gate/rules.js';
import type { Io } from '../io.js';
import type { Account, Lake } from '../lake/lake.js';
import { type AckFile, readAcks } from '../query/acks.js';
import type { Query } from '../query/header.js';
import { bindParams, type Given } from '../query/params.js';
import { receiptOf } from '../query/receipt.js';
import { type Answer, openSession, type Session } from '../query/run.js';
import { chooseSources, namingDefaults, readsReplays, type Sources } from '../query/sources.js';
import { formatNames, gateFormatNames } from '../render/format-names.js';
import type { Report } from '../render/index.js';
import type { GateSpec } from '../schema/gate.js';
import type { ExitCode, Result } from '../schema/result.js';
import { notLogs, withHashes } from './acks.js';
import { copiesOf } from './copies.js';
import { inputEvidence } from './evidence.js';
import { chosenParams, nextCommand } from './next.js';
import { ageOf, filtersOf, type OutputFlags, pathsOf, type ReadFlags, runOptionsOf } from './options.js';
import { progressOn } from './terminal.js';

export interface QuestionFlags extends ReadFlags, OutputFlags {
  readonly strict?: true;
  readonly quiet?: true;
  readonly minJudged?: number;
  readonly maxRejects?: number;
  readonly maxAge?: string;
  readonly acks?: string;
}

/** Answers one question of the catalogue; a gate judges its own rows besides. */
export async function question(
  query: Query,
  given: Given,
  paths: readonly string[],
  flags: QuestionFlags,
  folders: readonly string[],
  io: Io,
): Promise<ExitCode> {
  const params = bindParams(query, given);
  const inputs = pathsOf(paths, flags);
  const copies = copiesOf(flags, query.gate ? gateFormatNames : formatNames);
  const filters = filtersOf(flags);
  const sources = await chooseSources(inputs, io.env, io.cwd, readsReplays(query.sql));
  const maxAgeMs = ageOf('--max-age', flags.maxAge);
  const acks = query.gate ? await readAcks(flags.acks, io.cwd) : null;
  const progress = progressOn(io);
  const options = {
    ...runOptionsOf(flags, filters, io, progress.report),
    notLogs: notLogs(flags.acks, io.cwd),
    matchesAcks: acks !== null && acks.entries.length > 0,
  };
  const session = await openSession(query, params, options);
  try {
    const { gate } = query;
    const planted = gate && canaryOf(session, gate, params.gatedKinds, flags, options.now);
    const [canary, answer, { showGate, showRows }] = await together(
      gate && planted && prove(session, query, gate, planted),
      session.ask(sources.requests),
      // Loaded while DuckDB works.
      import('./output.js'),
    );
    const account = namingDefaults(answer.account, sources);
    if (query.needsReplayRuns) ensureReplayRuns(query, account, sources);
    const settled = await settledBy(acks, query, account, session.lake, options.now);
    await progress.end();
    const { left, settledRows } = withoutSettled(answer.result, query.gate, settled);
    const receipt = receiptOf({
      account,
      query: { name: query.name, sha256: query.sha256 },
      from: sources.from,
      gatedKinds: params.gatedKinds,
      judged: answer.judged,
      canary,
      acknowledged: query.gate
        ? { calls: settledRows, rejects: settled?.rejects.size ?? 0, file: acks?.file ?? null }
        : null,
      now: options.now,
    });
    const allowed = new Set(Object.keys(params.columns).filter((name) => params.columns[name] === true));
    const evidence = {
      ...inputEvidence(account, inputs, options.now),
      showTrace: (sessionId: string) =>
        nextCommand('show', [sessionId], {
          inputs,
          folders,
          gatedKinds: params.gatedKinds,
          acks: flags.acks,
          params: chosenParams(query, params),
        }),
      lacksReplayRuns: query.needsReplayRuns && account.replayRunsLoaded === 0,
    };
    const verdict = query.gate
      ? judge({
          ...evidence,
          ...judgedEvidence(query, query.gate, { ...answer, result: left }, allowed, params.gatedKinds),
          ...(settled === null ? {} : settledEvidence(settled)),
          minJudged: flags.minJudged ?? 1,
          maxRejects: flags.maxRejects ?? 0,
          maxAgeMs,
        })
      : judge(
          { ...evidence, selected: { calls: receipt.calls_selected, of: receipt.calls_loaded } },
          flags.strict ? INPUT_RULES : LENIENT_INPUT_RULES,
        );
    const report: Report = {
      query: { name: query.name, title: query.title },
      params: params.meant,
      result: query.gate ? withoutAllowed(left, query.gate, allowed) : left,
      ...(query.gate ? { verdict, gate: query.gate } : {}),
      receipt,
    };
    return query.gate
      ? await showGate(report, verdict, flags, copies, io)
      : await showRows(report, verdict, flags, copies, io);
  } finally {
    await progress.end();
    session.lake.close();
  }
}

/** The self-test runs while the logs are read; if both fail, it is what counts. */
async function together<A, B, C>(
  proof: Promise<A> | null,
  work: Promise<B>,
  rest: Promise<C>,
): Promise<[A | null, B, C]> {
  // None may still use the engine when the failure of another closes it.
  await Promise.allSettled([proof, work, rest]);
  return [await proof, await work, await rest];
}

/** An empty join would look like an answer. */
function ensureReplayRuns(query: Query, account: Account, { requests }: Sources): void {
  if (account.replayRunsLoaded > 0 || requests.some(({ as }) => as === 'replay_runs')) return;
  if (account.problems.some(({ problem }) => problem !== 'no_records')) return;
  throw new LakelogError(`${query.name} compares calls with replay runs, and no replay run was found`, {
    next: `name their log: lakelog ${query.name} … --replay-runs replay_runs.jsonl`,
  });
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
  const keys = acks.entries.flatMap(({ ack }) => (ack.what === 'call' ? [ack.call_key] : []));
  const calls = keys.length === 0 ? [] : await withHashes(lake, await lake.calls({ keys }));
  const settlesLines = acks.entries.some(({ ack }) => ack.what === 'reject');
  const rejects = settlesLines && account.rejects.length > 0 ? await lake.rejects() : [];
  return settle(acks.entries, query.name, { calls, rejects }, now, acks.file);
}

function settledEvidence(settled: Settled): Pick<Evidence, 'acknowledgements'> & Partial<Evidence> {
  return {
    acknowledgements: { used: settled.used.map(describeAck), findings: settled.findings },
    ...(settled.rejects.size === 0 ? {} : { rejects: remaining(settled.all, settled.rejects) }),
  };
}

function withoutSettled(
  result: Result,
  gate: GateSpec | null,
  settled: Settled | null,
): { left: Result; settledRows: number } {
  if (gate === null || settled === null || settled.calls.size === 0) return { left: result, settledRows: 0 };
  const at = (name: string) => result.columns.findIndex((column) => column.name === name);
  const [file, line, value] = [at('file'), at('line'), at(gate.column)];
  const rows = result.rows.filter((row) => {
    const ack = settled.calls.get(placeOf({ file: String(row[file]), line: Number(row[line]) }));
    // Settled for one reason is not settled for another.
    return ack === undefined || !ack.values.includes(String(row[value]));
  });
  return { left: { columns: result.columns, rows }, settledRows: result.rows.length - rows.length };
}

function canaryOf(
  session: Session,
  gate: GateSpec,
  gatedKinds: readonly string[],
  flags: QuestionFlags,
  now: Date,
): Canary {
  const { kind: only = [] } = flags;
  const kinds = gatedKinds.filter((kind) => only.length === 0 || only.includes(kind));
  if (kinds.length === 0) {
    throw new LakelogError(
      `--kind ${only.join(', ')} leaves none of the gated kinds (${gatedKinds.join(', ')})`,
      {
        next: 'drop --kind, or correct it',
      },
    );
  }
  return plantCanary(gate, {
    gatedKinds: kinds,
    model: flags.model?.[0],
    daemon: flags.daemon?.[0],
    environment: flags.environment?.[0],
    timestamp: instantInside(session.lake.window, now),
  });
}

async function prove(session: Session, query: Query, gate: GateSpec, canary: Canary) {
  const result = await session.askLines('canary', canary.lines);
  return proveCanary(canary, gate, result, query.file);
}

function judgedEvidence(
  query: Query,
  gate: GateSpec,
  { result, judged }: Answer,
  allowed: ReadonlySet<string>,
  gatedKinds: readonly string[],
): Pick<Evidence, 'gate' | 'values' | 'allowed' | 'judged' | 'gatedKinds' | 'readsGatedKinds'> {
  const at = (name: string) => result.columns.findIndex((column) => column.name === name);
  const [value, file, line, session] = [at(gate.column), at('file'), at('line'), at('session_id')];
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
  const readsGatedKinds = query.params.some((param) => param.of.type === 'kinds');
  return { gate, values, allowed, judged: judged ?? 0, gatedKinds, readsGatedKinds };
}

/** Rows that a flag allows are counted in a notice; what remains is what keeps the gate from being clear. */
function withoutAllowed(result: Result, gate: GateSpec, allowed: ReadonlySet<string>): Result {
  const values = new Set(
    gate.cannotVouch
      .filter(({ unless }) => unless !== undefined && allowed.has(unless))
      .map(({ value }) => value),
  );
  const at = result.columns.findIndex((column) => column.name === gate.column);
  return { columns: result.columns, rows: result.rows.filter((row) => !values.has(String(row[at]))) };
}
