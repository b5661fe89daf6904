import type { Cell, Finding } from '../schema/result.js';
import { type CheckReport, partsResult, partsWithRows, sharedFindings, tallyOf, wordOf } from './check.js';
import { KINDS, type Weight, WORDS } from './findings.js';
import { codeSpan, escapeMarkdown, fenced, markdownTable } from './md.js';
import { outcomeOf } from './outcome.js';
import { receiptLines, renderReceipt, withoutVerdict } from './receipt.js';
import type { Report } from './report.js';
import { sanitize } from './sanitize.js';
import { plural } from './units.js';
import { clip } from './wrap.js';

const MOST_ROWS = 100;
const MOST_FINDINGS = 20;
const LONGEST_TEXT = 1000;
const LONGEST_CELL = 500;

// GitHub shows nothing at all of a step's summary over 1 MiB.
// https://docs.github.com/actions/reference/workflows-and-actions/workflow-commands#step-isolation-and-limits
const MOST_BYTES = { findings: 250_000, table: 500_000, receipt: 150_000 };

/** The report for the summary page of a CI run: Markdown of less than 1 MiB. */
export function renderStepSummary(report: Report): string {
  const parts = [
    headline(report),
    within(MOST_BYTES.findings, findings(report), 'The findings are too long for this page.\n'),
    table(report, MOST_BYTES.table),
    within(MOST_BYTES.receipt, receipt(report), 'The receipt is too long for this page.\n'),
  ];
  return parts.filter((part) => part !== '').join('\n');
}

/** The same of several parts; their tables share the room. */
export function renderCheckSummary(check: CheckReport): string {
  const withRows = partsWithRows(check);
  const most = Math.floor(MOST_BYTES.table / (withRows.length + 1));
  const parts = [
    `## lakelog check: ${wordOf(check)}\n\n${prose(tallyOf(check))}.\n`,
    table({ result: partsResult(check) }, most),
    within(MOST_BYTES.findings, checkFindings(check), 'The findings are too long for this page.\n'),
    ...withRows.map(({ name, report }) => `### ${prose(name)}\n\n${table(report, most)}`),
    within(
      MOST_BYTES.receipt,
      fenced(`${receiptLines(check.receipt, { color: false, width: 80 }).join('\n')}\n`),
      'The receipt is too long for this page.\n',
    ),
  ];
  return parts.filter((part) => part !== '').join('\n');
}

function checkFindings(check: CheckReport): string {
  return WEIGHTS.flatMap((weight) => {
    const all = sharedFindings(check).filter(({ kind }) => kind === weight);
    const items = all
      .slice(0, MOST_FINDINGS)
      .map(({ finding, parts }) =>
        item(weight, { ...finding, message: `${parts.join(', ')}: ${finding.message}` }),
      );
    const left = all.length - MOST_FINDINGS;
    return left > 0 ? [...items, `- … and ${left} more of these\n`] : items;
  }).join('');
}

const WEIGHTS: readonly Weight[] = ['fired', 'error', 'cannot_vouch', 'warning', 'notices'];

function headline(report: Report): string {
  const { query, verdict } = report;
  const status = verdict === undefined ? '' : `: ${verdict.status.replace('_', ' ').toUpperCase()}`;
  return `## lakelog ${prose(query.name)}${status}\n\n${prose(query.title)}: ${outcomeOf(report)}.\n`;
}

function findings({ verdict }: Report): string {
  if (verdict === undefined) return '';
  return KINDS.flatMap((kind) => {
    const left = verdict[kind].length - MOST_FINDINGS;
    const items = verdict[kind].slice(0, MOST_FINDINGS).map((finding) => item(kind, finding));
    return left > 0 ? [...items, `- … and ${left} more of these\n`] : items;
  }).join('');
}

function item(kind: Weight, { message, where, next }: Finding): string {
  const place = where === undefined ? '' : ` (${codeSpan(short(where))})`;
  const step = next === undefined ? '' : `<br>→ ${codeSpan(short(next))}`;
  return `- **${WORDS[kind]}** ${prose(message)}${place}${step}\n`;
}

function table(report: Pick<Report, 'result' | 'verdict'>, most: number): string {
  const { columns, rows } = report.result;
  if (rows.length === 0) return report.verdict === undefined ? '(no rows)\n' : '';
  let shown = rows.slice(0, MOST_ROWS).map((row) => row.map(cut));
  const draw = () => markdownTable({ columns, rows: shown });
  let drawn = draw();
  while (shown.length > 0 && Buffer.byteLength(drawn) > most) {
    shown = shown.slice(0, shown.length >> 1);
    drawn = shown.length === 0 ? '' : draw();
  }
  const left = rows.length - shown.length;
  if (left === 0) return drawn;
  return drawn === ''
    ? `${plural(left, 'row')}, too long for this page.\n`
    : `${drawn}\n… and ${plural(left, 'more row')}.\n`;
}

function cut(cell: Cell): Cell {
  return typeof cell === 'string' ? clip(cell.slice(0, 4 * LONGEST_CELL), LONGEST_CELL) : cell;
}

function receipt(report: Report): string {
  return fenced(renderReceipt(withoutVerdict(report), { color: false, width: 80 }));
}

function within(most: number, text: string, instead: string): string {
  return Buffer.byteLength(text) <= most ? text : instead;
}

function prose(text: string): string {
  return escapeMarkdown(short(text));
}

function short(text: string): string {
  return clip(sanitize(text.slice(0, 4 * LONGEST_TEXT)), LONGEST_TEXT);
}
