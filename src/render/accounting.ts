import type { ColumnType, Receipt, Result } from '../schema/result.js';
import { equation } from './equation.js';
import type { Report, Style } from './report.js';
import { sanitize } from './sanitize.js';
import { tableOf, wholeTableOf } from './table.js';
import { bytes } from './units.js';

const TERMS = ['lines', 'loaded', 'rejected', 'duplicates', 'blank', 'pending'] as const;

/** More rejects than this are shown by reason, and need not be among the rows. */
export const FEW_REJECTS = 50;

/** What `lakelog validate` prints: the line equation of every file, the rejects, the inputs that failed. */
export function renderAccounting({ receipt, result }: Report, style: Style): string {
  const few = result.rows.length > 0 && result.rows.length <= FEW_REJECTS;
  const rejects = few ? result : rejectsResult(receipt);
  const parts = [
    receipt.files.length === 0
      ? ''
      : (wholeTableOf(filesResult(receipt), style) ?? equations(receipt, style)),
    rejects.rows.length === 0 ? '' : tableOf(rejects, style),
    receipt.problems.length === 0 ? '' : tableOf(problemsResult(receipt), style),
  ];
  return parts.filter((part) => part !== '').join('\n') || '(no files)\n';
}

export function filesResult({ files, totals }: Receipt): Result {
  const all = files.length > 1 ? [...files, { ...totals, file: 'total' }] : files;
  return {
    columns: [
      column('file', 'text'),
      { ...column('size', 'text'), minor: true },
      ...TERMS.map((term) => column(term, 'integer')),
    ],
    rows: all.map((account) => [account.file, bytes(account.bytes), ...TERMS.map((term) => account[term])]),
  };
}

export function rejectsResult({ rejects }: Receipt): Result {
  return {
    columns: [
      column('reason', 'text'),
      column('count', 'integer'),
      column('first', 'text'),
      column('detail', 'text'),
    ],
    rows: rejects.map(({ reason, count, first, detail }) => [reason, count, first, detail]),
  };
}

function problemsResult({ problems }: Receipt): Result {
  return {
    columns: [column('input', 'text'), column('problem', 'text'), column('detail', 'text')],
    rows: problems.map(({ path, problem, detail }) => [path, problem.replace('_', ' '), detail]),
  };
}

/** The same account where the terminal is too narrow for the table. */
function equations({ files, totals }: Receipt, style: Style): string {
  const all = files.length > 1 ? [...files, { ...totals, file: 'total' }] : files;
  const indented = style.width === null ? null : Math.max(style.width - 2, 1);
  return all
    .flatMap((account) => [
      `${sanitize(account.file)} (${bytes(account.bytes)})`,
      ...equation(account, indented).map((line) => `  ${line}`),
    ])
    .map((line) => `${line}\n`)
    .join('');
}

function column(name: string, type: ColumnType) {
  return { name, type };
}
