import type { FileAccount, Finding, Receipt, RejectGroup, Verdict } from '../schema/result.js';
import { equation } from './equation.js';
import { facts } from './facts.js';
import { findingLines, KINDS } from './findings.js';
import { paintFor } from './paint.js';
import { entry, hanging, LABEL, PROSE } from './paragraph.js';
import type { Report, Style } from './report.js';
import { sanitize } from './sanitize.js';
import { bytes, plural } from './units.js';
import { clip } from './wrap.js';

/** Files and reasons of rejects that are named; `lakelog validate` and the JSON envelope have all of them. */
const MOST_NAMED = 5;

/** Of a receipt whose findings stand above it already. */
export const withoutVerdict = ({ verdict: _, ...report }: Report): Report => report;

/** The account of a gate, for stderr: the verdict, every reason for it, and what was read. */
export function renderReceipt(report: Report, style: Style): string {
  const { receipt, verdict } = report;
  const lines = [
    ...headline(report, style),
    ...findings(verdict, receipt, style),
    ...receiptLines(receipt, style),
  ];
  return lines.map((line) => `${line}\n`).join('');
}

/** What was read, whatever it was judged by. */
export function receiptLines(receipt: Receipt, style: Style): string[] {
  return [
    ...equation(receipt.totals, style.width ?? PROSE),
    ...rejects(receipt, style),
    ...files(receipt, style),
    ...facts(receipt, (style.width ?? PROSE) - LABEL).flatMap(([label, text]) => entry(label, text, style)),
  ];
}

/** `2 × bad_json, first a.jsonl:12: …`; on a terminal, path and detail are cut to about a line each. */
export function rejectText({ reason, count, first, detail }: RejectGroup, style: Style): string {
  const short = (text: string) => shorten(sanitize(text), style, 30);
  return `${count} × ${short(reason)}, first ${short(first)}: ${short(detail)}`;
}

function headline({ query, verdict, receipt, outcome }: Report, style: Style): string[] {
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
  const said = outcome === undefined ? `${name} ${sentence}` : `${name}: ${sanitize(outcome)}.`;
  const [first = '', ...rest] = hanging(`${word}  ${said}`, '', style.width);
  return [brush(word) + first.slice(word.length), ...rest];
}

function findings(verdict: Verdict | undefined, receipt: Receipt, style: Style): string[] {
  if (verdict === undefined) return [];
  const named = new Set(KINDS.flatMap((kind) => verdict[kind].map((finding) => finding.where)));
  const unnamed = receipt.problems
    .filter((problem) => !named.has(problem.path))
    .map(({ path, problem, detail }): Finding => ({ code: problem, message: detail, where: path }));
  const all = { ...verdict, notices: [...verdict.notices, ...unnamed] };
  return KINDS.flatMap((kind) => all[kind].flatMap((finding) => findingLines(kind, finding, style)));
}

function files({ files, totals, inputs_from }: Receipt, style: Style): string[] {
  const text = `${plural(files.length, 'file')}, ${bytes(totals.bytes)}, from ${sanitize(inputs_from)}`;
  const [only] = files;
  if (files.length === 1 && only !== undefined) {
    return entry('files', `${text}: ${shorten(sanitize(only.file), style, LABEL + 2 + text.length)}`, style);
  }
  // Those in trouble first, each kind in its order.
  const sorted = [...files.filter(isTroubled), ...files.filter((file) => !isTroubled(file))];
  const named = sorted.slice(0, MOST_NAMED);
  return [
    ...entry('files', text, style),
    ...named.flatMap((file) => entry('', fileText(file, style), style)),
    ...more(files.length - named.length, 'file', style),
  ];
}

function isTroubled({ rejected, pending, conflicts }: FileAccount): boolean {
  return rejected + pending + conflicts > 0;
}

function fileText(account: FileAccount, style: Style): string {
  const terms = (['rejected', 'duplicates', 'pending', 'conflicts', 'late'] as const)
    .filter((term) => account[term] > 0)
    .map((term) => `, ${account[term]} ${term}`);
  const rest = `: ${plural(account.lines, 'line')}, ${bytes(account.bytes)}${terms.join('')}`;
  return shorten(sanitize(account.file), style, LABEL + rest.length) + rest;
}

/** Fits a line that has `taken` columns of other things on it; whole where there is no screen. */
function shorten(text: string, { width }: Style, taken: number): string {
  return width === null ? text : clip(text, Math.max(width - taken, 20));
}

function rejects({ rejects, totals }: Receipt, style: Style): string[] {
  if (totals.rejected === 0 && rejects.length === 0) return [];
  const named = rejects.slice(0, MOST_NAMED);
  return [
    ...entry('rejects', `${plural(totals.rejected, 'line')}, ${plural(rejects.length, 'reason')}`, style),
    ...named.flatMap((group) => entry('', rejectText(group, style), style)),
    ...more(rejects.length - named.length, 'reason', style),
  ];
}

function more(left: number, noun: string, style: Style): string[] {
  return left === 0 ? [] : entry('', `… and ${plural(left, `more ${noun}`)}`, style);
}
