/** `--save-baseline`: counts of one arm, kept in a file once it is known that they can be trusted. */
import { LakelogError, messageOf } from '../errors.js';
import { estimate, MEASURES } from '../gate/measures.js';
import { plural } from '../gate/rule.js';
import { type Io, styleOf } from '../io.js';
import { kernelPath } from '../kernel-path.js';
import type { Lake } from '../lake/lake.js';
import { chosenBy, countArms, sampleOf } from '../query/arms.js';
import { baselineText, sampleDigests } from '../query/baseline-file.js';
import type { Decided, Decision } from '../query/decision.js';
import { sha256Of } from '../query/decision-sql.js';
import { parseSelection, type Selection, selectionText } from '../query/selection.js';
import { renderError } from '../render/index.js';
import type { ArmCounts } from '../schema/counts.js';
import type { Metric } from '../schema/decision.js';
import { EXIT, type ExitCode, type Receipt } from '../schema/result.js';
import { wilson } from '../stats/interval.js';
import { version } from '../version.js';
import {
  absentFindings,
  COMPARE_QUERIES,
  type DecisionContext,
  unrecordedFindings,
} from './compare-decision.js';
import { baselineResult } from './compare-result.js';
import type { Done } from './decide.js';
import { answerDecision } from './deciding.js';
import { ensureNotRead } from './output.js';
import { replaceFile } from './write-file.js';

/** Counts an arm, to be kept. */
export function baselineOf(text: string, metric: Metric, { queries }: DecisionContext): Decision {
  const selection = parseSelection('--baseline', text);
  const files = COMPARE_QUERIES.map((name) => queries.get(name)!);
  return {
    name: 'compare',
    title: 'A baseline counted',
    asks: files.map(({ widest }) => widest),
    sha256: sha256Of(files),
    params: { baseline: text },
    decide: (lake, alpha) => count(lake, queries, selection, metric, alpha),
  };
}

async function count(
  lake: Lake,
  queries: DecisionContext['queries'],
  selection: Selection,
  metric: Metric,
  alpha: number,
): Promise<Decided> {
  const baseline = await chosenBy(lake, selection, '--baseline');
  const { baseline: counts } = await countArms(lake, queries, { baseline, candidate: null });
  const { all } = counts;
  const absent = await absentFindings(lake, 'baseline', selection);
  const unrecorded = await unrecordedFindings({ baseline, candidate: null }, lake, queries);
  const successes = metric === 'first-shot-rate' ? all.firsts_first_shots : all.firsts_accepted;
  const name = selectionText(selection);
  const empty = {
    code: 'no_calls',
    message: `the baseline has no answered call: ${name}`,
    next: 'correct --baseline, or name the logs that hold its calls',
  };
  return {
    result: baselineResult(
      counts,
      MEASURES.map((measure) => [measure, estimate(measure, all)] as const),
    ),
    findings: {
      ...absent,
      fired: [],
      cannot_vouch: [...absent.cannot_vouch, ...(all.firsts === 0 ? [empty] : unrecorded)],
    },
    facts: {
      ...{ what: 'compare', metric, conclusion: 'counted', alpha, margin: 0, standardised_to: 'nothing' },
      baseline: {
        ...{ name, calls: all.firsts, successes, interval: wilson(successes, all.firsts) },
        rate: all.firsts === 0 ? null : successes / all.firsts,
      },
      candidate: { name: 'none', rate: null, calls: 0, successes: 0, interval: null },
      ...{
        difference: null,
        interval: null,
        log_e: null,
        needed: null,
        excluded_fall: null,
        changed_at: null,
        epoch: null,
      },
    },
    sentence: `${plural(all.calls, 'call')} of ${plural(all.traces, 'trace')} counted, of ${plural(counts.kinds.length, 'kind')}`,
    judged: all.firsts,
  };
}

/** Writes the file where the inputs can be trusted; else it is withheld, and 3. */
export async function saveBaseline(
  file: string,
  text: string,
  metric: Metric,
  { asking, context, lake, account }: Done,
  io: Io,
): Promise<ExitCode> {
  const { verdict, report } = await answerDecision(
    asking,
    baselineOf(text, metric, context),
    { alpha: 1, isGate: true },
    lake,
    account,
  );
  if (verdict.status !== 'clear') {
    await tell(io, {
      what: `the baseline is not saved: ${verdict.cannot_vouch[0]?.message ?? 'it cannot be trusted'}`,
      where: file,
      next: verdict.cannot_vouch[0]?.next,
    });
    return EXIT.cannotVouch;
  }
  const selection = parseSelection('--baseline', text);
  const baseline = await chosenBy(lake, selection, '--baseline');
  const { baseline: counts } = await countArms(lake, context.queries, { baseline, candidate: null });
  const body = baselineText({
    lakelog: version,
    saved_at: context.now.toISOString(),
    selection: selectionText(selection, baseline.between),
    filters: context.filters,
    sample: sampleDigests(await sampleOf(lake, context.queries, baseline)),
    counts,
  });
  return write(file, body, counts, report.receipt, io);
}

async function write(
  file: string,
  body: string,
  { all }: ArmCounts,
  receipt: Receipt,
  io: Io,
): Promise<ExitCode> {
  try {
    ensureNotRead(file, receipt, io.cwd);
    await replaceFile(kernelPath(io.cwd, file), [body]);
  } catch (error) {
    await tell(io, {
      what: `the baseline cannot be written: ${messageOf(error)}`,
      where: file,
      next: 'name another file: --save-baseline FILE',
    });
    return EXIT.error;
  }
  await io.stderr.write(`baseline of ${plural(all.calls, 'call')} saved\n`);
  return EXIT.clear;
}

const tell = (io: Io, error: Parameters<typeof renderError>[0]) =>
  io.stderr.write(renderError(error, styleOf(io.stderr, io.env)));

/** @throws LakelogError (exit 2) for a baseline that is a file already. */
export function ensureSelection(baseline: string, isSelection: (text: string) => boolean): void {
  if (isSelection(baseline)) return;
  throw new LakelogError('--save-baseline would save a file that is one already', {
    where: baseline,
    next: 'copy it, or give --baseline a selection',
  });
}
