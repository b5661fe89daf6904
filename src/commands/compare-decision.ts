/** `compare` as a decision: which arms, what they came to, and what can be said of them. */
import { LakelogError } from '../errors.js';
import { type Arm, concludeCompare } from '../gate/compare.js';
import { compareMeasures } from '../gate/measures.js';
import type { Lake } from '../lake/lake.js';
import {
  absentIn,
  type Chosen,
  chosenBy,
  conditionOf,
  countArms,
  failureOf,
  overlapOf,
  type Queries,
  sampleOf,
  unrecordedIn,
} from '../query/arms.js';
import { readBaseline, sampleDigests } from '../query/baseline-file.js';
import type { Decided, Decision } from '../query/decision.js';
import { sha256Of } from '../query/decision-sql.js';
import { isSelection, isSliding, parseSelection, type Selection, selectionText } from '../query/selection.js';
import type { BaselineFile } from '../schema/counts.js';
import type { DecisionFindings, Metric } from '../schema/decision.js';
import type { Finding } from '../schema/result.js';
import { compareResult } from './compare-result.js';
import { type Context, nextCommand } from './next.js';

/** What is compared, as the command line or the policy has it. */
export interface CompareEntry {
  readonly name: string;
  /** A selection, or a file of --save-baseline. */
  readonly baseline: string;
  readonly candidate: string;
  readonly metric: Metric;
  /** From 0 to 1. */
  readonly margin: number;
  /** Whether it ends with 1, 0 or 3 by the margin; else it only tells. */
  readonly isGate: boolean;
}

export interface DecisionContext {
  readonly queries: Queries;
  readonly cwd: string;
  readonly now: Date;
  /** For the commands that findings name. */
  readonly next: Context;
  /** The filters that hold, as options. */
  readonly filters: readonly string[];
  /** `--since`, as it was written. */
  readonly since: string | undefined;
}

/** A side before anything is loaded. */
type Side =
  | { readonly of: 'selection'; readonly selection: Selection }
  | { readonly of: 'file'; readonly name: string; readonly file: BaselineFile };

export const COMPARE_QUERIES = ['compare', 'versions', 'overlap', 'unrecorded', 'sample', 'failure'] as const;

/** @throws LakelogError (exit 2) for a selection that is none, or a baseline file that cannot be used. */
export async function compareOf(entry: CompareEntry, context: DecisionContext): Promise<Decision> {
  const { queries, cwd } = context;
  const baseline = await sideOf('--baseline', entry.baseline, cwd);
  const candidate = await sideOf('--candidate', entry.candidate, cwd);
  const files = COMPARE_QUERIES.map((name) => queries.get(name)!);
  return {
    name: entry.name,
    title: 'Two arms compared',
    asks: files.map(({ widest }) => widest),
    sha256: sha256Of(files),
    params: {
      baseline: entry.baseline,
      candidate: entry.candidate,
      metric: entry.metric,
      margin: entry.margin,
      gate: entry.isGate,
    },
    decide: (lake, alpha) => decideCompare({ ...entry, alpha }, { baseline, candidate }, lake, context),
  };
}

async function sideOf(option: string, text: string, cwd: string): Promise<Side> {
  if (text.trim() === '') {
    throw new LakelogError(`${option} is empty`, {
      next: `select its calls: ${option} model=gpt-4.1,since=2026-09-01 (or all)`,
    });
  }
  return isSelection(text)
    ? { of: 'selection', selection: parseSelection(option, text) }
    : { of: 'file', name: text, file: await readBaseline(text, cwd, option.slice(2)) };
}

interface Sides {
  readonly baseline: Side;
  readonly candidate: Side;
}

async function decideCompare(
  asked: CompareEntry & { readonly alpha: number },
  sides: Sides,
  lake: Lake,
  context: DecisionContext,
): Promise<Decided> {
  const { queries } = context;
  const chosen = {
    baseline: await chosenSide(lake, 'baseline', sides.baseline),
    candidate: await chosenSide(lake, 'candidate', sides.candidate),
  };
  const counted = await countArms(lake, queries, chosen);
  const armOf = (role: Arm['role']): Arm => {
    const side = sides[role];
    if (side.of === 'file') return { role, name: side.name, counts: side.file, grows: false };
    const { selection, between } = chosen[role]!;
    const ends = [between.until, lake.window.until].some(
      (end) => end !== null && Date.parse(end) <= context.now.getTime(),
    );
    return { role, name: selectionText(selection), counts: counted[role], grows: !ends };
  };
  const arms = { baseline: armOf('baseline'), candidate: armOf('candidate') };
  const concluded = concludeCompare(arms.baseline, arms.candidate, {
    ...asked,
    selected: new Set([sides.baseline, sides.candidate].flatMap(selectedFields)),
  });
  const doubts = await doubtsOf(sides, chosen, lake, context);
  const unrecorded = await unrecordedFindings(chosen, lake, queries);
  return {
    ...concluded,
    result: compareResult(compareMeasures(arms.baseline.counts, arms.candidate.counts), arms, asked.metric),
    findings: withDoubts(
      await withExample(
        withUnrecorded(concluded.findings, unrecorded, asked.isGate),
        lake,
        chosen.candidate && conditionOf(chosen.candidate),
        asked.metric,
        context,
      ),
      doubts,
    ),
  };
}

/** Of calls that are in both arms nothing follows, whatever the numbers say. */
function withDoubts(findings: DecisionFindings, doubts: Doubts): DecisionFindings {
  const { fired, cannot_vouch, notices } = findings;
  return {
    fired: doubts.cannot_vouch.length > 0 ? [] : fired,
    cannot_vouch: [...doubts.cannot_vouch, ...cannot_vouch],
    notices: [...(doubts.cannot_vouch.length > 0 ? fired : []), ...notices, ...doubts.notices],
  };
}

/** What was shown without them stays shown. */
function withUnrecorded(
  { fired, cannot_vouch, notices }: DecisionFindings,
  unrecorded: readonly Finding[],
  isGate: boolean,
): DecisionFindings {
  return isGate
    ? { fired, cannot_vouch: [...cannot_vouch, ...unrecorded], notices }
    : { fired, cannot_vouch, notices: [...notices, ...unrecorded] };
}

/** A writer that forgets a version where things go wrong must not make its calls disappear. */
export async function unrecordedFindings(
  chosen: Readonly<Record<Arm['role'], Chosen | null>>,
  lake: Lake,
  queries: Queries,
): Promise<Finding[]> {
  const found = await unrecordedIn(lake, queries, chosen);
  if (found === null) return [];
  const { calls, where } = found;
  return [
    {
      code: 'not_recorded',
      message: `${calls === 1 ? '1 answered call does' : `${calls} answered calls do`} not record what is selected by, so whether an arm lacks ${calls === 1 ? 'it' : 'them'} cannot be told`,
      where,
      next: 'have the service record it, or leave such calls out: since=TIME in both selections, --kind NAME, --daemon NAME',
    },
  ];
}

const chosenSide = async (lake: Lake, role: Arm['role'], side: Side): Promise<Chosen | null> =>
  side.of === 'file' ? null : chosenBy(lake, side.selection, `--${role}`);

const selectedFields = (side: Side): string[] =>
  Object.keys(side.of === 'file' ? fileSelection(side).values : side.selection.values);

const fileSelection = ({ name, file }: Side & { of: 'file' }): Selection =>
  parseSelection(name, file.selection);

/** What fired gets a call that failed to look at. @param arm condition; null where its logs are not at hand. */
export async function withExample(
  findings: DecisionFindings,
  lake: Lake,
  arm: string | null,
  metric: Metric,
  { queries, next }: DecisionContext,
): Promise<DecisionFindings> {
  if (findings.fired.length === 0 || arm === null) return findings;
  const found = await failureOf(lake, queries, arm, metric);
  if (found === null) return findings;
  const example = { where: found.where, next: nextCommand('show', [found.sessionId], next) };
  return { ...findings, fired: findings.fired.map((finding) => ({ ...example, ...finding })) };
}

interface Doubts {
  readonly cannot_vouch: readonly Finding[];
  readonly notices: readonly Finding[];
}

async function doubtsOf(
  sides: Sides,
  chosen: Readonly<Record<Arm['role'], Chosen | null>>,
  lake: Lake,
  context: DecisionContext,
): Promise<Doubts> {
  const absent = await Promise.all(
    (['baseline', 'candidate'] as const).map(async (role) => {
      const side = sides[role];
      return side.of === 'file'
        ? { cannot_vouch: [], notices: [] }
        : absentFindings(lake, role, side.selection);
    }),
  );
  return {
    cannot_vouch: [
      ...(await overlapFindings(sides, chosen, lake, context)),
      ...absent.flatMap((one) => one.cannot_vouch),
    ],
    notices: [
      ...absent.flatMap((one) => one.notices),
      ...(['baseline', 'candidate'] as const).flatMap((role) =>
        slidingFindings(role, sides[role], context.since),
      ),
      ...(['baseline', 'candidate'] as const).flatMap((role) => filterFindings(role, sides[role], context)),
    ],
  };
}

const APART = 'select them apart, e.g. with until= in one and since= in the other';

async function overlapFindings(
  { baseline, candidate }: Sides,
  chosen: Readonly<Record<Arm['role'], Chosen | null>>,
  lake: Lake,
  { queries }: DecisionContext,
): Promise<Finding[]> {
  if (chosen.baseline && chosen.candidate) {
    const both = await overlapOf(lake, queries, chosen.baseline, chosen.candidate);
    if (both === null) return [];
    const message = `${both.calls === 1 ? '1 call is' : `${both.calls} calls are`} in both arms, so that they are not apart`;
    return [{ code: 'overlap', message, where: both.where, next: APART }];
  }
  const samples = await Promise.all([
    sampleIn(baseline, chosen.baseline, lake, queries),
    sampleIn(candidate, chosen.candidate, lake, queries),
  ]);
  const shared = samples[0].filter((one) => samples[1].includes(one)).length;
  if (shared === 0) return [];
  const where = baseline.of === 'file' ? baseline.name : candidate.of === 'file' ? candidate.name : undefined;
  return [
    {
      code: 'overlap',
      message: `calls that were counted in the file are in the other arm too (${shared} of a sample of ${samples[0].length})`,
      ...(where === undefined ? {} : { where }),
      next: APART,
    },
  ];
}

const sampleIn = async (
  side: Side,
  arm: Chosen | null,
  lake: Lake,
  queries: Queries,
): Promise<readonly string[]> =>
  side.of === 'file' ? side.file.sample : sampleDigests(await sampleOf(lake, queries, arm!));

export async function absentFindings(lake: Lake, role: Arm['role'], selection: Selection): Promise<Doubts> {
  const absent = await absentIn(lake, selection);
  const told = absent.map(({ field, value, nearest }) => ({
    isMeant: nearest !== null,
    finding: {
      code: nearest === null ? 'absent_selection' : 'misspelt_selection',
      message: `--${role}: no call has ${field} = ${JSON.stringify(value)}`,
      next:
        nearest === null
          ? `see which there are: lakelog first-shot-rate --by ${field}`
          : `did you mean ${field}=${nearest}?`,
    },
  }));
  return {
    cannot_vouch: told.filter(({ isMeant }) => isMeant).map(({ finding }) => finding),
    notices: told.filter(({ isMeant }) => !isMeant).map(({ finding }) => finding),
  };
}

/** What was counted at one look is gone at the next, so the looks are not one growing test. */
function slidingFindings(role: Arm['role'], side: Side, filter: string | undefined): Finding[] {
  if (side.of === 'file') return [];
  const { since } = side.selection;
  const [words, moment] = isSliding(since) ? [`since=${since}`, 'since='] : [`--since ${filter}`, '--since '];
  if (!isSliding(since) && !isSliding(filter)) return [];
  return [
    {
      code: 'sliding_window',
      message: `the ${role} slides: ${words} means other calls at each look, so what is said holds for one look alone`,
      next: `name a moment: ${moment}2026-09-01`,
    },
  ];
}

function filterFindings(role: Arm['role'], side: Side, { filters }: DecisionContext): Finding[] {
  if (side.of !== 'file' || side.file.filters.join(' ') === filters.join(' ')) return [];
  const said = (options: readonly string[]) => options.join(' ') || 'no filters';
  return [
    {
      code: 'other_filters',
      message: `the ${role} was saved with ${said(side.file.filters)}, and now there are ${said(filters)}`,
      where: side.name,
      next: 'give the same filters',
    },
  ];
}
