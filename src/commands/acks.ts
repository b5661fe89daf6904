/** What all commands that have to do with acknowledgements share. */
import type { Known } from '../gate/acks.js';
import { judge } from '../gate/judge.js';
import { LENIENT_INPUT_RULES } from '../gate/rules.js';
import { type Io, styleOf } from '../io.js';
import { CALLS_SQL, type Lake, type LakeOptions, MATCHES_ACKS, NO_FILTERS } from '../lake/lake.js';
import { openAnyLake } from '../query/open.js';
import { DEFAULT_GATED_KINDS, type Settings } from '../query/settings.js';
import { chooseAsked, namingDefaults } from '../query/sources.js';
import { renderFindings } from '../render/index.js';
import type { Account } from '../schema/account.js';
import type { AckLine } from '../schema/ack.js';
import type { ExitCode } from '../schema/result.js';
import { inputEvidence } from './evidence.js';
import { type LogFlag, pathsOf, type ReadFlags, runOptionsOf } from './options.js';
import { progressOn } from './terminal.js';

/** What was loaded of what acknowledgements speak of; only who has some pays for looking it up. */
export async function knownTo(
  entries: readonly { readonly ack: AckLine }[],
  account: Account,
  lake: Lake,
): Promise<Known> {
  const speakOf = (what: AckLine['what']) => entries.some(({ ack }) => ack.what === what);
  const keys = entries.flatMap(({ ack }) =>
    ack.what === 'call' || ack.what === 'drift' ? [ack.call_key] : [],
  );
  return {
    calls: keys.length === 0 ? [] : await lake.calls({ keys: [...new Set(keys)] }),
    rejects: speakOf('reject') && account.rejects.length > 0 ? await lake.rejects() : [],
    conflicts: speakOf('conflict') && account.conflicts > 0 ? await lake.conflicts() : [],
    holes: speakOf('hole') && account.gaps.length > 0 ? await lake.holes() : [],
    changes: changesIn(account),
  };
}

/** Those that tell what they are about. */
export const changesIn = ({ problems }: Account) =>
  problems.filter(({ fingerprint }) => fingerprint !== undefined);

export interface LogFlags extends Pick<ReadFlags, LogFlag> {
  readonly acks?: string;
}

export interface Loaded {
  readonly lake: Lake;
  readonly account: Account;
  /** What is to be told of the inputs: 3 where one was missing, unreadable or empty. */
  readonly exitCode: ExitCode;
  /** The same where acknowledgements settle some of it. */
  exitCodeWithout(settled: ReadonlySet<unknown>): ExitCode;
}

/** Loads the logs so that acknowledgements can be matched, and tells what is wrong with them. */
export async function withLogs<T>(
  paths: readonly string[],
  flags: LogFlags,
  asked: Partial<Pick<LakeOptions, 'asks' | 'gatedKinds' | 'params' | 'roster'>>,
  settings: Settings,
  io: Io,
  use: (loaded: Loaded) => Promise<T>,
): Promise<T> {
  const inputs = pathsOf(paths, flags);
  const sources = chooseAsked(inputs, settings, io.cwd, true);
  const progress = progressOn(io);
  const options = runOptionsOf(flags, settings, NO_FILTERS, io, progress.report);
  const lake = await openAnyLake({
    ...options,
    ...MATCHES_ACKS,
    gatedKinds: DEFAULT_GATED_KINDS,
    params: {},
    ...asked,
    asks: [...(asked.asks ?? []), CALLS_SQL],
  });
  try {
    const account = namingDefaults(await lake.load(sources.requests), sources);
    await progress.end();
    const verdictOn = (problems: Account['problems']) =>
      judge(inputEvidence({ ...account, problems }, inputs, options.now), LENIENT_INPUT_RULES);
    const verdict = verdictOn(account.problems);
    if (account.problems.length > 0)
      await io.stderr.write(renderFindings(verdict, styleOf(io.stderr, io.env)));
    const exitCodeWithout = (settled: ReadonlySet<unknown>) =>
      verdictOn(account.problems.filter((one) => !settled.has(one))).exit_code;
    return await use({ lake, account, exitCode: verdict.exit_code, exitCodeWithout });
  } finally {
    await progress.end();
    lake.close();
  }
}
