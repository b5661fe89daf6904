import { LakelogError } from '../errors.js';
import { judge } from '../gate/judge.js';
import { INPUT_RULES, LENIENT_INPUT_RULES } from '../gate/rules.js';
import type { RosterRequest } from '../lake/lake.js';
import type { Query } from '../query/header.js';
import { type Money, modelHidden } from '../query/money.js';
import { type BoundParams, bindParams, type Given, gatingOf } from '../query/params.js';
import { withPolicyParams } from '../query/policy-params.js';
import { priceNotices, readPrices, withNotices } from '../query/prices.js';
import { asksRoster, namedRoster, type RosterFlags } from '../query/roster.js';
import { openSession, type Question, type Session, shownColumns } from '../query/run.js';
import type { Settings } from '../query/settings.js';
import { namingDefaults, readsReplays } from '../query/sources.js';
import { formatNames, gateFormatNames } from '../render/format-names.js';
import type { Account } from '../schema/account.js';
import type { ExitCode } from '../schema/result.js';
import { type Asking, allSettledThenAll, answerGate, askedOf, prepare, reportOf } from './asking.js';
import type { Context } from './command.js';
import { copiesOf } from './copies.js';
import { questionEvidence } from './evidence.js';
import { type GateFlags, plantSelfTest } from './judging.js';
import { ensureLakeForNews, showNews } from './news.js';
import type { OutputFlags, ReadFlags } from './options.js';
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
  { catalogue: { folders }, settings: settingsOf, io }: Context,
): Promise<ExitCode> {
  const { gate } = query;
  const settings = settingsOf(withoutParams(flags, query));
  const said = withPolicyParams(query, given, settings.entries);
  const params = bindParams(query, said, settings.get('gated_kinds'));
  const money = moneyOf(query, params, flags, io);
  const asks = { query, params, money };
  const copies = copiesOf(flags, gate ? gateFormatNames : formatNames);
  const progress = progressOn(io);
  const asking = await prepare(
    {
      ...{ paths, flags, settings, folders, readsReplays: readsReplays(query.sql), isGate: gate !== null },
      roster: gate ? rosterFor(query, flags, settings) : null,
    },
    io,
    progress.report,
  );
  ensureLakeForNews(flags.onChange, asking.options.lake);
  const session = await openSession([asks], asking.options);
  try {
    const selfTest = gate && plantSelfTest(askedOf(asking, asks), gate, session);
    const [canary, account, [{ showGate }, { showLimited }]] = await allSettledThenAll(
      selfTest ? selfTest() : null,
      session.lake.load(asking.sources.requests),
      // Loaded while DuckDB works.
      Promise.all([import('./output.js'), import('./limit.js')]),
    );
    if (!gate) {
      const { report, verdict } = await answerRows(asking, asks, session, account);
      const prices = money?.prices.asked();
      await progress.end();
      return await showLimited(
        flags.limit,
        prices ? { ...report, receipt: { ...report.receipt, prices } } : report,
        prices ? withNotices(verdict, priceNotices(prices)) : verdict,
        flags,
        copies,
        io,
      );
    }
    const { report, verdict } = await answerGate(asking, asks, gate, session, { account, canary });
    await progress.end();
    return await showNews(session.lake, flags.onChange === true, report, verdict, {
      show: (isSilent) => showGate(report, verdict, { ...flags, isSilent }, copies, io),
      hasArrived: () => [io.stdout, io.stderr].every(({ failure, hasLeft }) => !failure && !hasLeft),
    });
  } finally {
    await progress.end();
    session.lake.close();
  }
}

/** A parameter of somebody's own question may be called like a setting that questions have no option for. */
function withoutParams(flags: QuestionFlags, { params }: Query): object {
  const own = params.map(({ name }) => name.replaceAll('_', '')).filter((name) => name !== 'gatedkind');
  return Object.fromEntries(Object.entries(flags).filter(([name]) => !own.includes(name.toLowerCase())));
}

/**
 * The roster that a gate may ask.
 * @throws LakelogError (exit 2) for one that was named to a gate that asks none: it would believe the stamps.
 */
function rosterFor(query: Query, flags: RosterFlags, settings: Settings): RosterRequest | null {
  if (asksRoster(query.sql)) return namedRoster(settings);
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
function moneyOf(
  query: Query,
  params: BoundParams,
  flags: QuestionFlags,
  { cwd }: Context['io'],
): Money | null {
  const { prices, worth = null } = flags;
  if (query.money.length === 0) return null;
  if (prices === undefined) {
    if (worth === null) return null;
    throw new LakelogError('--worth says what an accepted call is worth, and nobody what one costs', {
      next: 'name the prices of tokens too: --prices FILE',
    });
  }
  const hidden = modelHidden(query, shownColumns(query, params, false));
  if (hidden === undefined) return { prices: readPrices(prices, cwd), worth };
  throw new LakelogError('a row of several models has no one price', {
    where: query.file,
    next: `let its rows be of one: --by ${hidden},…`,
  });
}

/** Of a question that is no gate, only whether it could read what it rests on. */
export async function answerRows(asking: Asking, asks: Question, session: Session, loaded: Account) {
  const { query, params } = asks;
  const answer = await session.answer(asks, namingDefaults(loaded, asking.sources));
  const { account, result } = answer;
  const gating = gatingOf(query, params);
  const evidence = questionEvidence(account, asking.inputs, asking.limits.now, query.needs, gating);
  const verdict = judge(evidence, asking.flags.strict ? INPUT_RULES : LENIENT_INPUT_RULES);
  const judged = { verdict, result, acknowledged: null, expected: null };
  return { verdict, report: reportOf(asking, asks, answer, judged, null) };
}
