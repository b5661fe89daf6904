import { LakelogError } from '../errors.js';
import { judge } from '../gate/judge.js';
import { INPUT_RULES, LENIENT_INPUT_RULES } from '../gate/rules.js';
import type { Io } from '../io.js';
import type { RosterRequest } from '../lake/lake.js';
import { readAcks } from '../query/acks.js';
import { namedExpect, readExpected } from '../query/expect.js';
import type { Query } from '../query/header.js';
import { type Money, modelHidden } from '../query/money.js';
import { type BoundParams, bindParams, type Given, gatingOf } from '../query/params.js';
import { priceNotices, readPrices, withNotices } from '../query/prices.js';
import { receiptOf } from '../query/receipt.js';
import { asksRoster, namedRoster, type RosterFlags } from '../query/roster.js';
import { type Answer, openSession, shownColumns } from '../query/run.js';
import { chooseSources, namingDefaults, readsReplays } from '../query/sources.js';
import { formatNames, gateFormatNames } from '../render/format-names.js';
import type { Report } from '../render/index.js';
import { CALLER_COLUMNS, callersOf } from '../schema/expected.js';
import type { ExitCode } from '../schema/result.js';
import { copiesOf } from './copies.js';
import { questionEvidence } from './evidence.js';
import { type Asked, type GateFlags, type Judged, judgeGate, limitsOf, plantSelfTest } from './judging.js';
import { showNews } from './news.js';
import { filtersOf, type OutputFlags, pathsOf, type ReadFlags, runOptionsOf } from './options.js';
import { progressOn } from './terminal.js';

export interface QuestionFlags extends ReadFlags, OutputFlags, GateFlags, RosterFlags {
  readonly strict?: true;
  readonly quiet?: true;
  readonly onChange?: true;
  readonly limit?: number;
  readonly prices?: string;
  readonly worth?: number;
}

/** Answers one question of the catalogue; what the rows of a gate mean is judged in a file of its own. */
export async function question(
  query: Query,
  given: Given,
  paths: readonly string[],
  flags: QuestionFlags,
  folders: readonly string[],
  io: Io,
): Promise<ExitCode> {
  const { gate } = query;
  const params = bindParams(query, given);
  const inputs = pathsOf(paths, flags);
  const copies = copiesOf(flags, gate ? gateFormatNames : formatNames);
  const filters = filtersOf(flags);
  const sources = await chooseSources(inputs, io.env, io.cwd, readsReplays(query.sql));
  const limits = limitsOf(flags, io.now());
  const progress = progressOn(io);
  const options = await runOptionsOf(flags, filters, io, progress.report);
  if (flags.onChange && options.lake === undefined) throw onChangeNeedsLake();
  const acks = gate ? await readAcks(options.acks, io.cwd) : null;
  const roster = gate ? await rosterFor(query, flags, io) : null;
  const money = moneyOf(query, params, flags, io);
  const named = gate ? await namedExpect(flags.expect, io.env, io.cwd) : undefined;
  const expected = named === undefined ? null : await readExpected(named, io.cwd, limits.maxAgeMs);
  const asked: Asked = {
    ...{ query, params, inputs, folders, flags, limits, acks, namedAcks: options.acks, expected },
  };
  const session = await openSession(query, params, {
    ...options,
    now: limits.now,
    roster,
    money,
    matchesAcks: acks !== null && acks.entries.length > 0,
    alsoColumns: expected === null ? [] : callersOf(expected).map((caller) => CALLER_COLUMNS[caller]),
  });
  try {
    const selfTest = gate && plantSelfTest(asked, gate, session);
    const [canary, loaded, [{ showGate }, { showLimited }]] = await allSettledThenAll(
      selfTest ? selfTest() : null,
      session.ask(sources.requests),
      // Loaded while DuckDB works.
      Promise.all([import('./output.js'), import('./limit.js')]),
    );
    const answer = { ...loaded, account: namingDefaults(loaded.account, sources) };
    const judged = gate ? await judgeGate(asked, gate, answer, session.lake) : judgeInputs(asked, answer);
    const prices = money?.prices.asked();
    const verdict = prices ? withNotices(judged.verdict, priceNotices(prices)) : judged.verdict;
    await progress.end();
    const report: Report = {
      query: { name: query.name, title: query.title },
      params: params.meant,
      result: judged.result,
      ...(gate ? { verdict, gate, ranAt: limits.now } : {}),
      receipt: receiptOf({
        account: answer.account,
        query: { name: query.name, sha256: query.sha256 },
        from: sources.from,
        gatedKinds: params.gatedKinds,
        judged: answer.judged,
        canary,
        acknowledged: judged.acknowledged,
        recomputed: answer.recomputed,
        expected: judged.expected,
        ...(prices ? { prices } : {}),
        now: limits.now,
      }),
    };
    return gate
      ? await showNews(session.lake, flags.onChange === true, report, verdict, {
          show: (isSilent) => showGate(report, verdict, { ...flags, isSilent }, copies, io),
          hasArrived: () => [io.stdout, io.stderr].every(({ failure, hasLeft }) => !failure && !hasLeft),
        })
      : await showLimited(flags.limit, report, verdict, flags, copies, io);
  } finally {
    await progress.end();
    session.lake.close();
  }
}

const onChangeNeedsLake = () =>
  new LakelogError('--on-change compares with what a lake keeps of the run before', {
    next: 'name one: --lake FILE',
  });
/**
 * The roster that a gate may ask.
 * @throws LakelogError (exit 2) for one that was named to a gate that asks none: it would believe the stamps.
 */
async function rosterFor(query: Query, flags: RosterFlags, io: Io): Promise<RosterRequest | null> {
  if (asksRoster(query.sql)) return namedRoster(flags, io.env, io.cwd);
  if (flags.roster === undefined) return null;
  throw new LakelogError(`${query.name} does not look at a roster`, {
    where: query.file,
    next: 'drop --roster, or let its SQL read roster_check of sessions',
  });
}

/**
 * What money is for a question that tells of some.
 * @throws LakelogError (exit 2) for a worth without prices, or rows that have no one price.
 */
function moneyOf(query: Query, params: BoundParams, flags: QuestionFlags, io: Io): Money | null {
  const { prices, worth = null } = flags;
  if (query.money.length === 0) return null;
  if (prices === undefined) {
    if (worth === null) return null;
    throw new LakelogError('--worth says what an accepted call is worth, and nobody what one costs', {
      next: 'name the prices of tokens too: --prices FILE',
    });
  }
  const hidden = modelHidden(query, shownColumns(query, params, false));
  if (hidden === undefined) return { prices: readPrices(prices, io.cwd), worth };
  throw new LakelogError('a row of several models has no one price', {
    where: query.file,
    next: `let its rows be of one: --by ${hidden},…`,
  });
}

/** The self-test runs while the logs are read; if both fail, it is what counts. */
async function allSettledThenAll<A, B, C>(
  selfTest: Promise<A> | null,
  work: Promise<B>,
  rest: Promise<C>,
): Promise<[A | null, B, C]> {
  // None may still use the engine when the failure of another closes it.
  await Promise.allSettled([selfTest, work, rest]);
  return [await selfTest, await work, await rest];
}

/** Of a question that is no gate, only whether it could read what it rests on. */
function judgeInputs({ query, params, inputs, flags, limits }: Asked, { account, result }: Answer): Judged {
  const evidence = questionEvidence(account, inputs, limits.now, query.needs, gatingOf(query, params));
  const rules = flags.strict ? INPUT_RULES : LENIENT_INPUT_RULES;
  return { verdict: judge(evidence, rules), result, acknowledged: null, expected: null };
}
