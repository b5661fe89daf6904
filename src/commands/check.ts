/** All gates and the decisions of lakelog.toml over one loading, with one receipt and one exit code. */
import { createHash } from 'node:crypto';
import { asLakelogError, LakelogError } from '../errors.js';
import type { Io } from '../io.js';
import type { Decision } from '../query/decision.js';
import { receiptOf } from '../query/receipt.js';
import { asksRoster, namedRoster } from '../query/roster.js';
import { openSession, type Question, type Session } from '../query/run.js';
import { GATE_SETTINGS } from '../query/settings.js';
import { namingDefaults, readsReplays } from '../query/sources.js';
import { gateFormatNames } from '../render/format-names.js';
import type { CheckReport, Part } from '../render/index.js';
import type { Account } from '../schema/account.js';
import { addsOf, worstOf } from '../schema/check.js';
import type { SettingKey } from '../schema/policy.js';
import { EXIT, type ExitCode, type Receipt } from '../schema/result.js';
import {
  type Asking,
  type AskingFlags,
  allSettledThenAll,
  answerGate,
  askedOf,
  type GateAnswer,
  prepare,
} from './asking.js';
import { decisionOf, type Planned, type PlannedDecision, type PlannedGate, planOf } from './check-plan.js';
import type { Context } from './command.js';
import type { DecisionContext } from './compare-decision.js';
import { copiesOf } from './copies.js';
import { decisionContext } from './decide.js';
import { answerDecision, type DecisionAnswer } from './deciding.js';
import { plantSelfTest } from './judging.js';
import { ensureLakeForNews, showCheckNews } from './news.js';
import type { GateOutput } from './output.js';
import { progressOn } from './terminal.js';
import { weakerEntries } from './weaker.js';

export type CheckFlags = AskingFlags &
  GateOutput & { readonly onChange?: true; readonly output?: readonly string[] };

const CHECK_SETTINGS: readonly SettingKey[] = [...GATE_SETTINGS, 'alpha', 'margin'];

export async function check(
  paths: readonly string[],
  flags: CheckFlags,
  context: Context,
): Promise<ExitCode> {
  const { io } = context;
  const copies = copiesOf(flags, gateFormatNames);
  return withChecked(paths, flags, context, NOTHING_MORE, async ({ report, session }) => {
    const { showCheck } = await import('./output.js');
    return showCheckNews(session.lake, flags.onChange === true, report, {
      show: (isSilent) => showCheck(report, { ...flags, isSilent }, copies, io),
      hasArrived: () => hasArrived(io),
    });
  });
}

/** All that was loaded and judged; the lake is open as long as it is used. */
export interface Checked {
  readonly report: CheckReport;
  readonly asking: Asking;
  readonly session: Session;
  readonly account: Account;
}

/** What else is asked of the same loading. */
export interface AlsoAsked {
  readonly questions: readonly Question[];
  readonly asks: readonly string[];
}

const NOTHING_MORE: AlsoAsked = { questions: [], asks: [] };

export async function withChecked<T>(
  paths: readonly string[],
  flags: CheckFlags,
  { catalogue, settings: settingsOf, packageRoot, io }: Context,
  also: AlsoAsked,
  use: (checked: Checked) => Promise<T>,
): Promise<T> {
  const settings = settingsOf(flags);
  const found = planOf(catalogue, settings);
  const gates = found.filter(isGate);
  const progress = progressOn(io);
  const questions = [...gates.map(({ question }) => question), ...also.questions];
  const asking = await prepare(
    {
      ...{ paths, flags, settings, folders: catalogue.folders, isGate: true, isCheck: true },
      readsReplays: questions.some(({ query }) => readsReplays(query.sql)),
      roster: gates.some(({ question }) => asksRoster(question.query.sql)) ? namedRoster(settings) : null,
    },
    io,
    progress.report,
  );
  ensureLakeForNews(flags.onChange, asking.options.lake);
  const planned = await planDecisions(found, asking, decisionContext(asking, packageRoot, io));
  const session = await openSession(questions, asking.options, [
    ...planned.flatMap((one) => ('decision' in one ? one.decision.asks : [])),
    ...also.asks,
  ]);
  try {
    const [selfTests, loaded] = await allSettledThenAll(
      proveAll(asking, gates, session),
      session.lake.load(asking.sources.requests),
      // Loaded while DuckDB works.
      import('./output.js'),
    );
    const account = namingDefaults(loaded, asking.sources);
    const parts: Part[] = [];
    for (const one of planned)
      parts.push(await judgePart(one, { asking, session, account, selfTests: selfTests! }));
    await progress.end();
    return await use({ report: reportOf(asking, planned, parts, account), asking, session, account });
  } finally {
    await progress.end();
    session.lake.close();
  }
}

const hasArrived = ({ stdout, stderr }: Io) =>
  [stdout, stderr].every(({ failure, hasLeft }) => !failure && !hasLeft);

type Ready = Exclude<Planned, PlannedDecision> | (PlannedDecision & { readonly decision: Decision });

/** Selections and files of entries are looked at before anything is read; one that is none keeps no other from being judged. */
function planDecisions(
  planned: readonly Planned[],
  asking: Asking,
  context: DecisionContext,
): Promise<readonly Ready[]> {
  return Promise.all(
    planned.map(async (one): Promise<Ready> => {
      if (!('entry' in one)) return one;
      const made = await caught(async () => ({ decision: await decisionOf(one, asking, context) }));
      if ('decision' in made) return { ...one, ...made };
      const { message, where = one.entry.where(), next, detail } = made.error;
      const { kind, name, title, level, undecided } = one;
      const error = new LakelogError(message, { where, next, detail });
      return { kind, name, title, level, undecided, error };
    }),
  );
}

const isGate = (one: Planned): one is PlannedGate => 'question' in one;

type SelfTest = { readonly canary: Receipt['canary'] } | { readonly error: LakelogError };

/** Of every gate, one after the other, while the logs are read; one that fails is the failure of its gate. */
async function proveAll(
  asking: Asking,
  gates: readonly PlannedGate[],
  session: Session,
): Promise<ReadonlyMap<string, SelfTest>> {
  const found = new Map<string, SelfTest>();
  for (const { name, question, gate } of gates) {
    const test = await caught(async () => ({
      canary: await plantSelfTest(askedOf(asking, question), gate, session)(),
    }));
    found.set(name, test);
  }
  return found;
}

/** A failure as what came of it: that of one part is told with the answers of the others. */
async function caught<T extends object>(
  work: () => Promise<T>,
): Promise<T | { readonly error: LakelogError }> {
  try {
    return await work();
  } catch (error) {
    return { error: asLakelogError(error) };
  }
}

interface Loaded {
  readonly asking: Asking;
  readonly session: Session;
  readonly account: Account;
  readonly selfTests: ReadonlyMap<string, SelfTest>;
}

async function judgePart(one: Ready, loaded: Loaded): Promise<Part> {
  const { kind, name, title, level, undecided } = one;
  const facts = { kind, name, title, level, undecided };
  const alpha = 'alpha' in one ? one.alpha : null;
  const answer = await caught(() => answerPart(one, loaded));
  if ('error' in answer) {
    const { message, where, next, detail, exitCode } = answer.error;
    // Whatever it ends with, nothing fired.
    const code = exitCode === EXIT.cannotVouch ? exitCode : EXIT.error;
    const status = code === EXIT.error ? 'error' : 'cannot_vouch';
    const error = { what: message, where, next, detail };
    return {
      ...facts,
      status,
      exit_code: code,
      adds: addsOf(code, one),
      report: null,
      error,
      alpha,
      sentence: null,
    };
  }
  const { report, verdict } = answer;
  const { status, exit_code } = verdict;
  const sentence = 'decided' in answer ? answer.decided.sentence : null;
  return { ...facts, status, exit_code, adds: addsOf(exit_code, one), report, error: null, alpha, sentence };
}

async function answerPart(
  one: Ready,
  { asking, session, account, selfTests }: Loaded,
): Promise<GateAnswer | DecisionAnswer> {
  if ('error' in one) throw one.error;
  const { lake } = session;
  if ('decision' in one) {
    const own = { alpha: one.alpha, isGate: true };
    return answerDecision(asking, one.decision, own, lake, lake.withoutRoster(account));
  }
  const selfTest = selfTests.get(one.name)!;
  if ('error' in selfTest) throw selfTest.error;
  const own = asksRoster(one.question.query.sql) ? account : lake.withoutRoster(account);
  return answerGate(asking, one.question, one.gate, session, { account: own, canary: selfTest.canary });
}

function reportOf(
  { sources, limits, settings }: Asking,
  planned: readonly Planned[],
  parts: readonly Part[],
  account: Account,
): CheckReport {
  const receipts = parts.flatMap(({ report }) => (report === null ? [] : [report.receipt]));
  const canaries = receipts.flatMap(({ canary }) => canary ?? []);
  const sha256 = createHash('sha256')
    .update(receipts.map(({ query }) => `${query.name} ${query.sha256}`).join('\n'))
    .digest('hex');
  const receipt = receiptOf({
    account,
    query: { name: 'check', sha256 },
    from: sources.from,
    gatedKinds: [...new Set(receipts.flatMap(({ gated_kinds }) => gated_kinds))],
    canary: {
      planted: canaries.reduce((sum, { planted }) => sum + planted, 0),
      found: canaries.reduce((sum, { found }) => sum + found, 0),
    },
    acknowledged: allAcknowledged(parts, receipts),
    recomputed: receipts.find(({ recomputed }) => recomputed !== null)?.recomputed ?? null,
    expected: receipts.find(({ expected }) => expected !== null)?.expected ?? null,
    weaker: [...settings.weaker(CHECK_SETTINGS), ...weakerEntries(planned, settings)],
    now: limits.now,
  });
  return { parts, exitCode: worstOf(parts.map(({ adds }) => adds)), receipt, ranAt: limits.now };
}

/** Each gate settles calls of its own; lines and files are the same for all, and so is the fall of one rate. */
function allAcknowledged(parts: readonly Part[], receipts: readonly Receipt[]): Receipt['acknowledged'] {
  const all = receipts.flatMap(({ acknowledged }) => acknowledged ?? []);
  const [first] = all;
  if (first === undefined) return null;
  const epochs = parts.flatMap(({ report }) => (report?.decision?.epoch ? [report.decision] : []));
  const drifts = new Set(epochs.map(({ metric, epoch }) => `${metric} ${epoch!.since}`)).size;
  return {
    ...first,
    calls: all.reduce((sum, { calls }) => sum + calls, 0),
    ...(drifts === 0 ? {} : { drifts }),
  };
}
