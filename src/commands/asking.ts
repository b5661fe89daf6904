/** One loading and the questions that are put to it: what `lakelog QUESTION` and `lakelog check` have in common. */
import type { Io } from '../io.js';
import type { RosterRequest } from '../lake/lake.js';
import { type AckFile, readAcks } from '../query/acks.js';
import { readExpected } from '../query/expect.js';
import { receiptOf } from '../query/receipt.js';
import type { Question, RunOptions, Session } from '../query/run.js';
import type { Settings } from '../query/settings.js';
import { chooseAsked, type GivenPaths, knowsHosts, namingDefaults, type Sources } from '../query/sources.js';
import type { Report } from '../render/index.js';
import type { Account } from '../schema/account.js';
import { callerColumnsOf, type Expected } from '../schema/expected.js';
import type { GateSpec } from '../schema/gate.js';
import type { Receipt, Verdict } from '../schema/result.js';
import { type Asked, type GateFlags, type Judged, judgeGate, limitsOf } from './judging.js';
import { filtersOf, pathsOf, type ReadFlags, runOptionsOf } from './options.js';
import { weakerOf } from './weaker.js';

export type AskingFlags = ReadFlags & GateFlags & Asked['flags'];

/** All that is known before anything is read. */
export interface Asking {
  readonly inputs: GivenPaths;
  readonly sources: Sources;
  readonly options: RunOptions;
  readonly settings: Settings;
  readonly flags: AskingFlags;
  /** Folders of --queries. */
  readonly folders: readonly string[];
  readonly limits: Asked['limits'];
  readonly acks: AckFile | null;
  readonly expected: Expected | null;
  /** Several gates are asked: no option is that of one of them. */
  readonly isCheck: boolean;
}

export interface AskingParts {
  readonly paths: readonly string[];
  readonly flags: AskingFlags;
  readonly settings: Settings;
  readonly folders: readonly string[];
  readonly readsReplays: boolean;
  /** Acknowledgements and who must be heard of are the affair of gates. */
  readonly isGate: boolean;
  readonly isCheck?: boolean;
  readonly roster: RosterRequest | null;
}

/** @throws LakelogError (exit 2) for what cannot be meant, before anything is read. */
export async function prepare(
  { paths, flags, settings, folders, readsReplays, isGate, isCheck = false, roster }: AskingParts,
  io: Io,
  onProgress: RunOptions['onProgress'],
): Promise<Asking> {
  const inputs = pathsOf(paths, flags);
  const limits = limitsOf(settings, io.now());
  const sources = chooseAsked(inputs, settings, io.cwd, readsReplays);
  const options = runOptionsOf(flags, settings, filtersOf(flags, settings), io, onProgress);
  const acks = isGate ? await readAcks(options.acks, io.cwd) : null;
  const named = isGate ? settings.get('expect') : undefined;
  const expected =
    named === undefined
      ? null
      : await readExpected(named, io.cwd, {
          usualMs: limits.maxAgeMs,
          hasHosts: knowsHosts(settings, io.cwd),
        });
  return {
    ...{ inputs, sources, settings, flags, folders, limits, acks, expected, isCheck },
    options: {
      ...options,
      now: limits.now,
      roster,
      matchesAcks: acks !== null && acks.entries.length > 0,
      alsoColumns: expected === null ? [] : callerColumnsOf(expected),
    },
  };
}

export function askedOf(asking: Asking, { query, params }: Question): Asked {
  const { inputs, folders, flags, limits, acks, options, expected, isCheck } = asking;
  const asked = { query, params, inputs, folders, flags, limits, acks, namedAcks: options.acks, expected };
  return isCheck
    ? { ...asked, allow: (flag) => `params = { ${flag} = true } in [gates.${query.name}] of lakelog.toml` }
    : asked;
}

export interface GateAnswer {
  readonly report: Report;
  readonly verdict: Verdict;
}

/** What a gate makes of what was loaded. */
export async function answerGate(
  asking: Asking,
  question: Question & { readonly query: { readonly gate: GateSpec | null } },
  gate: GateSpec,
  session: Session,
  { account: loaded, canary }: { readonly account: Account; readonly canary: Receipt['canary'] },
): Promise<GateAnswer> {
  const answer = await session.answer(question, loaded);
  const account = namingDefaults(answer.account, asking.sources);
  const judged = await judgeGate(askedOf(asking, question), gate, { ...answer, account }, session.lake);
  const { verdict } = judged;
  const report = { ...reportOf(asking, question, { ...answer, account }, judged, canary), verdict, gate };
  return { verdict, report: { ...report, ranAt: asking.limits.now } };
}

/** What is shown of an answer, whether a gate gave it or not. */
export function reportOf(
  { sources, limits, settings }: Asking,
  { query, params }: Question,
  { account, judged, recomputed }: Pick<Receipt, 'judged' | 'recomputed'> & { readonly account: Account },
  { result, acknowledged, expected }: Judged,
  canary: Receipt['canary'],
): Report {
  return {
    query: { name: query.name, title: query.title },
    params: params.meant,
    result,
    receipt: receiptOf({
      account,
      query: { name: query.name, sha256: query.sha256 },
      from: sources.from,
      gatedKinds: params.gatedKinds,
      ...{ judged, canary, acknowledged, recomputed, expected },
      weaker: query.gate ? weakerOf(query, settings) : [],
      now: limits.now,
    }),
  };
}

/** The self-test runs while the logs are read; if both fail, it is what counts. */
export async function allSettledThenAll<A, B, C>(
  selfTest: Promise<A> | null,
  work: Promise<B>,
  rest: Promise<C>,
): Promise<[A | null, B, C]> {
  // None may still use the engine when the failure of another closes it.
  await Promise.allSettled([selfTest, work, rest]);
  return [await selfTest, await work, await rest];
}
