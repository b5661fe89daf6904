import { LakelogError } from '../errors.js';
import { instantInside, plantCanary, proveCanary } from '../gate/canary.js';
import { judge } from '../gate/judge.js';
import { type Evidence, INPUT_RULES, LENIENT_INPUT_RULES } from '../gate/rules.js';
import { type Io, styleOf } from '../io.js';
import type { Query } from '../query/header.js';
import { bindParams, type Given } from '../query/params.js';
import { receiptOf } from '../query/receipt.js';
import { type Answer, openSession, type Session } from '../query/run.js';
import { chooseSources, namingDefaults } from '../query/sources.js';
import { type Format, formats, type Report, renderFindings, renderReceipt } from '../render/index.js';
import type { GateSpec } from '../schema/gate.js';
import { EXIT, type ExitCode, type Receipt, type Result, type Verdict } from '../schema/result.js';
import { inputEvidence } from './evidence.js';
import {
  ageOf,
  filtersOf,
  formatOf,
  type OutputFlags,
  pathsOf,
  type ReadFlags,
  runOptionsOf,
} from './options.js';
import { progressOn } from './terminal.js';

export interface QuestionFlags extends ReadFlags, OutputFlags {
  readonly strict?: true;
  readonly quiet?: true;
  readonly minJudged?: number;
  readonly maxRejects?: number;
  readonly maxAge?: string;
}

const REPLAY_TABLES = /\b(replay_runs|replay_documents|session_replays|traces)\b/;

/** Answers one question of the catalogue; a gate judges its own rows besides. */
export async function question(
  query: Query,
  given: Given,
  paths: readonly string[],
  flags: QuestionFlags,
  io: Io,
): Promise<ExitCode> {
  const params = bindParams(query, given);
  const inputs = pathsOf(paths, flags);
  const filters = filtersOf(flags);
  const sources = await chooseSources(inputs, io.env, io.cwd, REPLAY_TABLES.test(query.sql));
  const maxAgeMs = ageOf('--max-age', flags.maxAge);
  const progress = progressOn(io);
  const options = runOptionsOf(flags, filters, io, progress.report);
  const session = await openSession(query, params, options);
  try {
    const canary = query.gate
      ? await prove(session, query, query.gate, params.gatedKinds, flags, options.now)
      : null;
    const answer = await session.ask(sources.requests);
    const account = namingDefaults(answer.account, sources);
    await progress.end();
    const receipt = receiptOf({
      account,
      query: { name: query.name, sha256: query.sha256 },
      from: sources.from,
      gatedKinds: params.gatedKinds,
      judged: answer.judged,
      canary,
      now: options.now,
    });
    const allowed = new Set(Object.keys(params.columns).filter((name) => params.columns[name] === true));
    const evidence = inputEvidence(account, inputs, options.now);
    const verdict = query.gate
      ? judge({
          ...evidence,
          ...judgedEvidence(query, query.gate, answer, allowed, params.gatedKinds),
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
      result: query.gate ? withoutAllowed(answer.result, query.gate, allowed) : answer.result,
      ...(query.gate ? { verdict } : {}),
      receipt,
    };
    return query.gate
      ? await showGate(report, verdict, flags, io)
      : await showQuestion(report, verdict, flags, io);
  } finally {
    await progress.end();
    session.lake.close();
  }
}

async function prove(
  session: Session,
  query: Query,
  gate: GateSpec,
  gatedKinds: readonly string[],
  flags: QuestionFlags,
  now: Date,
): Promise<Receipt['canary']> {
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
  const canary = plantCanary(gate, {
    gatedKinds: kinds,
    model: flags.model?.[0],
    daemon: flags.daemon?.[0],
    environment: flags.environment?.[0],
    timestamp: instantInside(session.lake.window, now),
  });
  const { result } = await session.askLines('canary', canary.lines);
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

/** Null where the rows do not fit one string: that must not change what the gate found. */
function drawn(report: Report, format: Format, io: Io): string | null {
  try {
    return formats[format](report, styleOf(io.stdout, io.env));
  } catch (error) {
    if (error instanceof RangeError) return null;
    throw error;
  }
}

async function showGate(report: Report, verdict: Verdict, flags: QuestionFlags, io: Io): Promise<ExitCode> {
  if (flags.quiet && verdict.exit_code === EXIT.clear) return EXIT.clear;
  const format = formatOf(flags);
  // A table without rows would only push the receipt down.
  const rows = format === 'table' && report.result.rows.length === 0 ? '' : drawn(report, format, io);
  const style = styleOf(io.stderr, io.env);
  await io.stdout.write(rows ?? '');
  if (rows === null)
    await io.stderr.write(
      'the rows are too many or too long to print as one text: narrow them with the filters\n',
    );
  // The envelope carries the receipt; whoever reads only stderr still learns why the gate is not clear.
  if (format !== 'json') await io.stderr.write(renderReceipt(report, style));
  else if (verdict.exit_code !== EXIT.clear) await io.stderr.write(renderFindings(verdict, style));
  return verdict.exit_code;
}

async function showQuestion(
  report: Report,
  verdict: Verdict,
  flags: QuestionFlags,
  io: Io,
): Promise<ExitCode> {
  await io.stdout.write(formats[formatOf(flags)](report, styleOf(io.stdout, io.env)));
  await io.stderr.write(renderFindings(verdict, styleOf(io.stderr, io.env)));
  return verdict.exit_code;
}
