/** Several verdicts over one loading, for people: a table of them, their rows, and one receipt. */
import type { PartFacts } from '../schema/check.js';
import type { Column, ExitCode, Finding, Receipt, Result } from '../schema/result.js';
import type { ErrorText } from './error.js';
import { findingLines, KINDS, type Weight } from './findings.js';
import { outcomeOf } from './outcome.js';
import { paintFor } from './paint.js';
import { hanging } from './paragraph.js';
import { receiptLines } from './receipt.js';
import type { Report, Style } from './report.js';
import { sanitize } from './sanitize.js';
import { tableOf } from './table.js';
import { plural } from './units.js';

/** One gate, comparison or drift; what could not be judged has an error in the place of a report. */
export interface Part extends PartFacts {
  readonly report: Report | null;
  readonly error: ErrorText | null;
  /** Of a decision: its share of the family's. */
  readonly alpha: number | null;
  /** Of a decision: its numbers and what they come to. */
  readonly sentence: string | null;
}

export interface CheckReport {
  readonly parts: readonly Part[];
  readonly exitCode: ExitCode;
  readonly receipt: Receipt;
  readonly ranAt: Date;
}

const COLUMNS: readonly Column[] = [
  { name: 'part', type: 'text', note: 'Gate, or entry of lakelog.toml.' },
  { name: 'kind', type: 'text', minor: true, note: 'gate, compare or drift; entry where it names nothing.' },
  { name: 'verdict', type: 'text', note: 'clear, fired, cannot_vouch or error.' },
  { name: 'judged', type: 'integer', note: 'Calls that it rests on.' },
  { name: 'rows', type: 'integer', label: 'violations', note: 'Rows of a gate that nobody settled.' },
  { name: 'exit_code', type: 'integer', label: 'exit', minor: true, note: 'Of its own command.' },
  { name: 'adds', type: 'integer', note: 'What it adds to the exit code of all; 0 for a warning.' },
  { name: 'says', type: 'text', note: 'What came of it.' },
];

/** A row a part, for every format that has rows. */
export function partsResult({ parts }: CheckReport): Result {
  const rows = parts.map((part) => [
    ...[part.name, part.kind, part.status],
    part.report?.receipt.judged ?? null,
    part.kind === 'gate' && part.report !== null ? part.report.result.rows.length : null,
    ...[part.exit_code, part.adds, saysOf(part)],
  ]);
  return { columns: COLUMNS, rows };
}

/** What came of a part in a sentence. */
export function saysOf({ report, error, alpha, sentence }: Part): string {
  const share = alpha === null ? '' : ` (alpha ${Number(alpha.toPrecision(3))})`;
  if (report !== null) return `${sentence ?? outcomeOf(report)}${share}`;
  return error?.what ?? '';
}

export const isWarning = ({ exit_code, adds }: Part): boolean => exit_code !== adds;

export function renderCheckTable(check: CheckReport, style: Style): string {
  const found = partsWithRows(check).flatMap(({ name, report }) => {
    const title = hanging(`${sanitize(name)}: ${sanitize(report.query.title)}`, '', style.width);
    return [`\n${title.map((line) => `${paintFor(style).strong(line)}\n`).join('')}`, rowsOf(report, style)];
  });
  return [tableOf(partsResult(check), style), ...found].join('');
}

/** Rows of a gate are what it found; the numbers of a decision are looked into where it is not clear. */
export function partsWithRows({ parts }: CheckReport): { readonly name: string; readonly report: Report }[] {
  return parts.flatMap(({ name, report, status }) =>
    report === null || report.result.rows.length === 0 || status === 'clear' ? [] : [{ name, report }],
  );
}

const rowsOf = ({ result, gate }: Report, style: Style) => tableOf(result, style, gate);

/** The account of all, for stderr: the verdict, every reason for it once, and what was read. */
export function renderCheckReceipt(check: CheckReport, style: Style): string {
  return [...headline(check, style), ...findings(check, style), ...receiptLines(check.receipt, style)]
    .map((line) => `${line}\n`)
    .join('');
}

/** Every reason and notice of all parts. */
export function renderCheckFindings(check: CheckReport, style: Style): string {
  return findings(check, style)
    .map((line) => `${line}\n`)
    .join('');
}

const WORDS = { 0: 'CLEAR', 1: 'FIRED', 2: 'ERROR', 3: 'CANNOT VOUCH' } as const;

export const wordOf = ({ exitCode }: CheckReport): string => WORDS[exitCode];

/** `2 gates and 1 compare: 1 fired, 2 clear`. */
export function tallyOf({ parts }: CheckReport): string {
  const of = (fits: (part: Part) => boolean) => parts.filter(fits).length;
  const kinds = (['gate', 'compare', 'drift', 'entry'] as const)
    .map((kind) => [kind, of((part) => part.kind === kind)] as const)
    .filter(([, count]) => count > 0)
    .map(([kind, count]) => (kind === 'gate' ? plural(count, 'gate') : `${count} ${kind}`));
  const states = (['fired', 'error', 'cannot_vouch', 'clear'] as const)
    .map((status) => [status, of((part) => part.status === status)] as const)
    .filter(([, count]) => count > 0)
    .map(([status, count]) =>
      status === 'error' ? plural(count, 'error') : `${count} ${status.replace('_', ' ')}`,
    );
  const warned = of(isWarning);
  const last = warned === 0 ? '' : `; ${warned === 1 ? '1 is a warning' : `${warned} are warnings`}`;
  return `${kinds.join(', ')}: ${states.join(', ')}${last}`;
}

function headline(check: CheckReport, style: Style): string[] {
  const paint = paintFor(style);
  const word = wordOf(check);
  const brush = { 0: paint.good, 1: paint.bad, 2: paint.bad, 3: paint.doubtful }[check.exitCode];
  const [first = '', ...rest] = hanging(`${word}  check: ${tallyOf(check)}.`, '', style.width);
  return [brush(word) + first.slice(word.length), ...rest];
}

/** A finding, and whose it is: the same of several parts is told once. */
export interface SharedFinding {
  readonly kind: Weight;
  readonly finding: Finding;
  readonly parts: readonly string[];
}

const ORDER = ['fired', 'error', 'cannot_vouch', 'warning', 'notices'] as const;

export function sharedFindings({ parts }: CheckReport): SharedFinding[] {
  const told = parts.flatMap((part) =>
    findingsOf(part).map(([kind, finding]) => ({ kind, finding, parts: [part.name] })),
  );
  const all = new Map<string, SharedFinding>();
  // What stops one part is no mere warning because another may be undecided.
  for (const {
    kind,
    finding,
    parts: [name = ''],
  } of byWeight(told)) {
    const keyAs = (as: Weight) => JSON.stringify([as, finding.code, finding.message, finding.where]);
    const key = kind === 'warning' && all.has(keyAs('cannot_vouch')) ? keyAs('cannot_vouch') : keyAs(kind);
    const before = all.get(key);
    all.set(key, before ? { ...before, parts: [...before.parts, name] } : { kind, finding, parts: [name] });
  }
  return byWeight([...all.values()]);
}

const byWeight = (all: readonly SharedFinding[]) =>
  ORDER.flatMap((weight) => all.filter(({ kind }) => kind === weight));

function findingsOf(part: Part): [Weight, Finding][] {
  const { report, error } = part;
  if (error !== null) {
    const { what, where, next } = error;
    const place = { ...(where === undefined ? {} : { where }), ...(next === undefined ? {} : { next }) };
    return [['error', { code: 'error', message: what, ...place }]];
  }
  const verdict = report?.verdict;
  if (verdict === undefined) return [];
  return KINDS.flatMap((kind) =>
    verdict[kind].map((finding): [Weight, Finding] => [
      kind !== 'notices' && isWarning(part) ? 'warning' : kind,
      finding,
    ]),
  );
}

function findings(check: CheckReport, style: Style): string[] {
  const judged = check.parts.filter(({ report }) => report !== null).length;
  return sharedFindings(check).flatMap(({ kind, finding, parts }) => {
    const whose = parts.length === judged && parts.length > 1 ? '' : `${parts.join(', ')}: `;
    return findingLines(kind, { ...finding, message: whose + finding.message }, style);
  });
}
