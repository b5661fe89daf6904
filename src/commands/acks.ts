/** What all commands that have to do with acknowledgements share. */
import { type Known, NOTHING_KNOWN, settle } from '../gate/acks.js';
import { judge } from '../gate/judge.js';
import { LENIENT_INPUT_RULES } from '../gate/rules.js';
import { type Io, styleOf } from '../io.js';
import { CALLS_SQL, type Lake, type LakeOptions, MATCHES_ACKS, NO_FILTERS } from '../lake/lake.js';
import { openAnyLake } from '../query/open.js';
import { DEFAULT_GATED_KINDS, type Settings } from '../query/settings.js';
import { chooseAsked, namingDefaults } from '../query/sources.js';
import { renderFindings } from '../render/index.js';
import type { Account } from '../schema/account.js';
import type { AckLine, Entry } from '../schema/ack.js';
import type { ExitCode, InputProblem } from '../schema/result.js';
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
export const changesIn = ({ problems }: Pick<Account, 'problems'>) =>
  problems.filter(({ fingerprint }) => fingerprint !== undefined);

/** @returns those of them that somebody explained. */
export function settledAmong(
  problems: readonly InputProblem[],
  entries: readonly Entry[],
  now: Date,
): ReadonlySet<unknown> {
  const known = { ...NOTHING_KNOWN, changes: changesIn({ problems }) };
  return settle(entries, '', known, now, '').changes;
}

export interface LogFlags extends Pick<ReadFlags, LogFlag> {
  readonly acks?: string;
}

export interface Loaded {
  readonly lake: Lake;
  readonly account: Account;
  /** What is to be told of the inputs: 3 where one was missing, unreadable or empty, and nobody settled that. */
  readonly exitCode: ExitCode;
}

/** Loads the logs so that acknowledgements can be matched, and tells what is wrong with them and was not settled. */
export async function withLogs<T>(
  paths: readonly string[],
  flags: LogFlags,
  entries: readonly Entry[],
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
    const settled = settledAmong(account.problems, entries, options.now);
    const problems = account.problems.filter((one) => !settled.has(one));
    const verdict = judge(inputEvidence({ ...account, problems }, inputs, options.now), LENIENT_INPUT_RULES);
    if (problems.length > 0) await io.stderr.write(renderFindings(verdict, styleOf(io.stderr, io.env)));
    return await use({ lake, account, exitCode: verdict.exit_code });
  } finally {
    await progress.end();
    lake.close();
  }
}
