/** Runs one decision: loads, decides, judges the inputs, shows. */
import { LakelogError, shellWord } from '../errors.js';
import type { Io } from '../io.js';
import type { Lake } from '../lake/lake.js';
import type { Decision } from '../query/decision.js';
import { decisionQueries } from '../query/decision-sql.js';
import { openSession } from '../query/run.js';
import { formatNames, gateFormatNames } from '../render/format-names.js';
import type { Account } from '../schema/account.js';
import { worstOf } from '../schema/check.js';
import type { Metric } from '../schema/decision.js';
import { EXIT, type ExitCode } from '../schema/result.js';
import { type Asking, prepare } from './asking.js';
import type { Context } from './command.js';
import type { DecisionContext } from './compare-decision.js';
import { copiesOf } from './copies.js';
import { answerDecision, type Deciding, type DecisionAnswer } from './deciding.js';
import type { GateFlags } from './judging.js';
import type { OutputFlags, ReadFlags } from './options.js';
import { progressOn } from './terminal.js';

export interface DecideFlags extends ReadFlags, OutputFlags, GateFlags {
  readonly metric: Metric;
  readonly alpha?: string;
  readonly strict?: true;
  readonly quiet?: true;
}

/** What is decided once it is known what is asked of whom. */
export interface Plan extends Deciding {
  readonly decision: Decision;
}

/** All that was loaded and decided. */
export interface Done {
  readonly asking: Asking;
  readonly context: DecisionContext;
  readonly lake: Lake;
  readonly account: Account;
  readonly answer: DecisionAnswer;
}

/** @param then what else is done with the lake, before anything is shown; its code is one more part. */
export async function runDecision(
  paths: readonly string[],
  flags: DecideFlags,
  { catalogue: { folders }, settings: settingsOf, packageRoot, io }: Context,
  isGate: boolean,
  planFor: (asking: Asking, context: DecisionContext) => Plan | Promise<Plan>,
  then: (done: Done) => Promise<ExitCode> = async () => EXIT.clear,
): Promise<ExitCode> {
  const settings = settingsOf(flags);
  ensureFormats(flags, isGate);
  const copies = copiesOf(flags, isGate ? gateFormatNames : formatNames);
  const progress = progressOn(io);
  const asking = await prepare(
    { paths, flags, settings, folders, readsReplays: false, isGate, roster: null },
    io,
    progress.report,
  );
  const context = decisionContext(asking, packageRoot, io);
  const { decision, ...deciding } = await planFor(asking, context);
  const session = await openSession([], asking.options, decision.asks);
  try {
    const account = await session.lake.load(asking.sources.requests);
    const answer = await answerDecision(asking, decision, deciding, session.lake, account);
    await progress.end();
    const more = await then({ asking, context, lake: session.lake, account, answer });
    const { showGate, showRows } = await import('./output.js');
    const { report, verdict } = answer;
    const code = isGate
      ? await showGate(report, verdict, flags, copies, io)
      : await showRows(report, verdict, flags, copies, io);
    return worstOf([code, more]);
  } finally {
    await progress.end();
    session.lake.close();
  }
}

/** What a decision needs to know of where it is asked. */
export const decisionContext = (asking: Asking, packageRoot: string, io: Io): DecisionContext => ({
  queries: decisionQueries(packageRoot),
  cwd: io.cwd,
  now: asking.limits.now,
  next: { inputs: asking.inputs, folders: asking.folders, acks: asking.options.acks },
  filters: filterWords(asking.flags),
  since: asking.flags.since,
});

/** JUnit and the like tell of verdicts, and there is none. */
function ensureFormats({ format }: OutputFlags, isGate: boolean): void {
  if (isGate || format === undefined || (formatNames as readonly string[]).includes(format)) return;
  throw new LakelogError(`--format ${format} tells of a verdict, and none is asked for`, {
    next: 'ask for one: --not-worse-than .10',
  });
}

/** The filters, as they stand on a command line. */
function filterWords({ since, until, model, kind, daemon, environment }: ReadFlags): string[] {
  const one = (option: string, value: string | undefined) =>
    value === undefined ? [] : [`${option} ${shellWord(value)}`];
  const all = { '--model': model, '--kind': kind, '--daemon': daemon, '--environment': environment };
  return [
    ...one('--since', since),
    ...one('--until', until),
    ...Object.entries(all).flatMap(([option, values = []]) =>
      [...values].sort().map((value) => `${option} ${shellWord(value)}`),
    ),
  ];
}
