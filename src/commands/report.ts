/** One page for people who look: the state of all gates first, then what the numbers say. */
import path from 'node:path';
import { LakelogError } from '../errors.js';
import { judge } from '../gate/judge.js';
import { LENIENT_INPUT_RULES } from '../gate/rules.js';
import { type Io, styleOf } from '../io.js';
import { kernelPath } from '../kernel-path.js';
import { bindParams, type Given } from '../query/params.js';
import { withPolicyParams } from '../query/policy-params.js';
import type { Query } from '../query/question.js';
import type { Question } from '../query/run.js';
import { traceUrl } from '../query/story.js';
import { webAddress } from '../render/address.js';
import { renderFindings } from '../render/index.js';
import type { Page, Part } from '../render/page/model.js';
import type { Report } from '../render/report.js';
import { grouped, plural } from '../render/units.js';
import { EXIT, type ExitCode, type Receipt } from '../schema/result.js';
import { version } from '../version.js';
import { type Checked, type CheckFlags, withChecked } from './check.js';
import type { Context } from './command.js';
import { inputEvidence } from './evidence.js';
import { nextCommand } from './next.js';
import { ensureNotRead, tellUnwritten } from './output.js';
import { answerRows } from './question.js';
import { changesAsks, changesOf, marksOf } from './report-changes.js';
import { replaceFile } from './write-file.js';

export interface ReportFlags extends Omit<CheckFlags, 'format' | 'json'> {
  /** Seconds. */
  readonly window: number;
  readonly traceUrl?: string;
}

/** Questions of the page, in their order, and how each is drawn. */
const PARTS: readonly {
  readonly id: string;
  readonly question: string;
  readonly given?: Given;
  readonly title?: string;
  /** In the place of the question's own words, which are those of a command. */
  readonly asks?: string;
  readonly drawing: Part['drawing'];
}[] = [
  {
    id: 'first-shot-rate',
    question: 'first-shot-rate',
    asks: 'How often is the first attempt accepted, per model? Below, the newest calls against as long a time before.',
    drawing: 'intervals',
  },
  {
    id: 'trend',
    question: 'first-shot-rate',
    given: { by: ['day'] },
    title: 'First-shot success rate by day',
    asks: 'Is it getting worse? Dashed lines are days on which a version came.',
    drawing: 'trend',
  },
  {
    id: 'retries',
    question: 'retries',
    asks: 'Of the calls that made attempt 1, 2, … (behind the model), how many did it rescue?',
    drawing: 'intervals',
  },
  {
    id: 'reasons',
    question: 'rejections',
    given: { top: ['5'] },
    asks: 'Why does the validator say no, per model? Reasons that differ only in ids and numbers are one.',
    drawing: 'bars',
  },
  {
    id: 'corpus',
    question: 'corpus',
    asks: 'Does the first attempt succeed more often when the replay retrieved more documents?',
    drawing: 'intervals',
  },
  { id: 'triple-rejections', question: 'triple-rejections', drawing: null },
];

export async function report(
  paths: readonly string[],
  flags: ReportFlags,
  context: Context,
): Promise<ExitCode> {
  const { io, packageRoot } = context;
  const files = filesOf(flags);
  const template = flags.traceUrl ?? io.env.LAKELOG_TRACE_URL;
  traceUrl(template, '');
  const asked = partsOf(context);
  return withChecked(
    paths,
    flags,
    context,
    { questions: asked.map(({ question }) => question), asks: changesAsks(packageRoot) },
    async (checked) => {
      const page = await pageOf(checked, asked, { windowMs: flags.window * 1_000, template, context });
      const { asking, account } = checked;
      const verdict = judge(inputEvidence(account, asking.inputs, io.now()), LENIENT_INPUT_RULES);
      await io.stderr.write(renderFindings({ ...verdict, notices: [] }, styleOf(io.stderr, io.env)));
      const written = await write(page, files, checked.report.receipt, io);
      return written ? verdict.exit_code : EXIT.error;
    },
  );
}

interface File {
  readonly name: string;
  readonly as: 'html' | 'md';
}

/** @throws LakelogError (exit 2) for no file, or one of another kind. */
function filesOf({ output = [] }: ReportFlags): readonly File[] {
  const next = 'lakelog report -o report.html';
  if (output.length === 0) throw new LakelogError('no file was named', { next });
  return output.map((name) => {
    const [, as] = /\.(html?|md)$/i.exec(name) ?? [];
    if (as === undefined) throw new LakelogError(`-o ${name} is neither .html nor .md`, { next });
    return { name, as: as.toLowerCase() === 'md' ? 'md' : 'html' };
  });
}

interface AskedPart {
  readonly id: string;
  readonly title: string | undefined;
  readonly asks: string | undefined;
  readonly drawing: Part['drawing'];
  readonly question: Question;
}

/** Those of the catalogue that are no gate; people's own stand behind ours, as tables. */
function partsOf({ catalogue, settings }: Context): AskedPart[] {
  const entries = settings({}).entries;
  const ready = (query: Query, given: Given = {}): Question => ({
    query,
    params: bindParams(query, withPolicyParams(query, given, entries)),
  });
  const ours = PARTS.flatMap(({ id, question, given, title, asks, drawing }) => {
    const query = catalogue.queries.find(({ name }) => name === question);
    return query ? [{ id, title, asks, drawing, question: ready(query, given) }] : [];
  });
  const shipped = new Set([...PARTS.map(({ question }) => question), 'first-shot']);
  const own = catalogue.queries.filter(({ name, gate }) => gate === null && !shipped.has(name));
  return [
    ...ours,
    ...own.map((query) => ({
      id: `own-${query.name}`,
      title: undefined,
      asks: undefined,
      drawing: null,
      question: ready(query),
    })),
  ];
}

interface PageOptions {
  readonly windowMs: number;
  readonly template: string | undefined;
  readonly context: Context;
}

async function pageOf(
  checked: Checked,
  asked: readonly AskedPart[],
  { windowMs, template, context }: PageOptions,
): Promise<Page> {
  const { report: all, asking, session, account } = checked;
  const changes = await changesOf(checked, windowMs, context);
  const { marks, leaves } = await marksOf(session.lake);
  const parts: Part[] = [];
  for (const { id, title, asks, drawing, question } of asked) {
    if (question.query.needs === 'replay_runs' && account.replayRunsLoaded === 0) continue;
    const { report: found, verdict } = await answerRows(asking, question, session, account);
    parts.push({
      ...{ id, drawing, question: asks ?? question.query.question },
      report: { ...found, query: { ...found.query, title: title ?? found.query.title } },
      says: id === 'first-shot-rate' ? changes.models : id === 'trend' ? changes.drift : [],
      findings: verdict.notices.filter(({ code }) => code === 'unjudgeable'),
      ...(id === 'trend' ? { marks, leaves } : {}),
    });
  }
  const { files, totals, window, calls_selected: selected } = all.receipt;
  return {
    madeAt: asking.limits.now.toISOString(),
    lakelog: version,
    rests: `${plural(files.length, 'file')}, ${grouped(totals.lines)} lines, ${grouped(selected)} calls that pass the filters`,
    window: `from ${window.since ?? 'the first call'} to ${window.until ?? 'the last call'}, days in ${window.tz}`,
    gates: gatesOf(checked),
    parts,
    traceUrl: template === undefined ? null : (id) => webAddress(traceUrl(template, id) ?? ''),
    show: (id) => nextCommand('show', [id], { inputs: asking.inputs, folders: asking.folders }),
  };
}

/** One that could not be judged is told as what kept it from that. */
function gatesOf({ report: { parts, receipt } }: Checked): readonly Report[] {
  return parts.map(({ name, title, report: found, error, exit_code }) => {
    if (found !== null) return found;
    const finding = {
      code: 'error',
      message: error!.what,
      ...(error!.where === undefined ? {} : { where: error!.where }),
      ...(error!.next === undefined ? {} : { next: error!.next }),
    };
    return {
      query: { name, title },
      params: {},
      result: { columns: [], rows: [] },
      receipt,
      verdict: { status: 'cannot_vouch', exit_code, fired: [], cannot_vouch: [finding], notices: [] },
    };
  });
}

async function write(page: Page, files: readonly File[], receipt: Receipt, io: Io): Promise<boolean> {
  const { renderPage, renderPageMarkdown } = await import('../render/page/index.js');
  let all = true;
  for (const { name, as } of files) {
    try {
      ensureNotRead(name, receipt, io.cwd);
      const text = as === 'html' ? renderPage(page) : renderPageMarkdown(page);
      await replaceFile(kernelPath(io.cwd, name), text);
      await io.stderr.write(`${path.normalize(name)} is written\n`);
    } catch (error) {
      all = false;
      await tellUnwritten('the page', name, error, io);
    }
  }
  return all;
}
