import type { FileAccount, Finding, Receipt, RejectGroup, Verdict } from '../schema/result.js';
import { equation } from './equation.js';
import { facts } from './facts.js';
import { findingLines, KINDS } from './findings.js';
import { paintFor } from './paint.js';
import { entry, hanging, LABEL } from './paragraph.js';
import type { Report, Style } from './report.js';
import { sanitize } from './sanitize.js';
import { type Section, squeeze } from './squeeze.js';
import { bytes, plural } from './units.js';
import { clip } from './wrap.js';

const SCREEN = 24;
const FEW_FILES = 4;

/**
 * The account of a gate, for stderr: the verdict, why, and what was read. One screen at 80 columns; the JSON
 * envelope has all of it. Where there is no screen, every finding is printed.
 */
export function renderReceipt(report: Report, style: Style): string {
  const { receipt, verdict } = report;
  const findings = findingSection(verdict, receipt, style);
  const sections = [
    plain(headline(report, style)),
    findings,
    plain(equation(receipt.totals, style.width)),
    rejectSection(receipt, style),
    fileSection(receipt, style),
    ...facts(receipt, (style.width ?? 160) - LABEL).map(([label, text]) => plain(entry(label, text, style))),
  ];
  const budget = style.width === null ? SCREEN + findings.lines.length : SCREEN;
  return `${squeeze(sections, budget, style.width).join('\n')}\n`;
}

/** `2 × bad_json, first a.jsonl:12: …`; on a terminal, path and detail are cut to about a line each. */
export function rejectText({ reason, count, first, detail }: RejectGroup, style: Style): string {
  const short = (text: string) => shorten(sanitize(text), style, 30);
  return `${count} × ${short(reason)}, first ${short(first)}: ${short(detail)}`;
}

function headline({ query, verdict, receipt }: Report, style: Style): string[] {
  if (verdict === undefined) return [];
  const paint = paintFor(style);
  const name = clip(sanitize(query.name), 30);
  const doubts = verdict.cannot_vouch.length;
  const judged = `judged ${plural(receipt.judged ?? 0, 'call')} and found`;
  const say = {
    clear: ['CLEAR', paint.good, `${judged} no violation.`],
    fired: [
      'FIRED',
      paint.bad,
      doubts === 0 ? `${judged} violations.` : `${judged} violations; it cannot vouch for the rest.`,
    ],
    cannot_vouch: [
      'CANNOT VOUCH',
      paint.doubtful,
      `did not fire, but this run is no proof (${plural(doubts, 'reason')}).`,
    ],
  } as const;
  const [word, brush, sentence] = say[verdict.status];
  const [first = '', ...rest] = hanging(`${word}  ${name} ${sentence}`, '', style.width);
  return [brush(word) + first.slice(word.length), ...rest];
}

function findingSection(verdict: Verdict | undefined, receipt: Receipt, style: Style): Section {
  if (verdict === undefined) return plain([]);
  const named = new Set(KINDS.flatMap((kind) => verdict[kind].map((finding) => finding.where)));
  const unnamed = receipt.problems
    .filter((problem) => !named.has(problem.path))
    .map(({ path, problem, detail }): Finding => ({ code: problem, message: detail, where: path }));
  const all = { ...verdict, notices: [...verdict.notices, ...unnamed] };
  const pairs = KINDS.flatMap((kind) => all[kind].map((finding) => [kind, finding] as const));
  if (style.width === null) return plain(pairs.flatMap((pair) => findingLines(...pair, style)));
  const draw = (pair: (typeof pairs)[number]) => findingLines(...pair, style, 2);
  return list(
    pairs.slice(0, 1).flatMap(draw),
    pairs.slice(1),
    draw,
    more('finding', ' (2>&1 | cat shows all)'),
  );
}

function fileSection({ files, totals, inputs_from }: Receipt, style: Style): Section {
  const text = `${plural(files.length, 'file')}, ${bytes(totals.bytes)}, from ${sanitize(inputs_from)}`;
  const [only] = files;
  if (files.length === 1 && only !== undefined) {
    return plain(
      entry('files', `${text}: ${shorten(sanitize(only.file), style, LABEL + 2 + text.length)}`, style),
    );
  }
  const named = files.length <= FEW_FILES ? files : files.filter(isTroubled);
  return list(
    entry('files', text, style),
    named,
    (file) => entry('', fileText(file, style), style),
    (left) => more('file')(left + files.length - named.length),
  );
}

function isTroubled({ rejected, pending, conflicts }: FileAccount): boolean {
  return rejected + pending + conflicts > 0;
}

function fileText(account: FileAccount, style: Style): string {
  const terms = (['rejected', 'duplicates', 'pending', 'conflicts'] as const)
    .filter((term) => account[term] > 0)
    .map((term) => `, ${account[term]} ${term}`);
  const rest = `: ${plural(account.lines, 'line')}, ${bytes(account.bytes)}${terms.join('')}`;
  return shorten(sanitize(account.file), style, LABEL + rest.length) + rest;
}

/** Fits a line that has `taken` columns of other things on it; whole where there is no screen. */
function shorten(text: string, { width }: Style, taken: number): string {
  return width === null ? text : clip(text, Math.max(width - taken, 20));
}

function rejectSection({ rejects, totals }: Receipt, style: Style): Section {
  if (totals.rejected === 0 && rejects.length === 0) return plain([]);
  const text = `${plural(totals.rejected, 'line')}, ${plural(rejects.length, 'reason')}`;
  return list(
    entry('rejects', text, style),
    rejects,
    (group) => entry('', rejectText(group, style), style),
    more('reason'),
  );
}

function list<T>(
  lines: readonly string[],
  all: readonly T[],
  draw: (one: T) => string[],
  more: Section['more'],
): Section {
  return { lines, count: all.length, item: (index) => all.slice(index, index + 1).flatMap(draw), more };
}

function plain(lines: readonly string[]): Section {
  return list(lines, [], () => [], more('line'));
}

function more(noun: string, how = ''): (left: number) => string {
  return (left) =>
    entry('', `… and ${plural(left, `more ${noun}`)}${how}`, { color: false, width: null }).join('');
}
