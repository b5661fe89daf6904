/** Several verdicts over one loading, in every format that a gate has. */
import { asciiWhereAsked } from './ascii.js';
import {
  type CheckReport,
  isWarning,
  type Part,
  partsResult,
  partsWithRows,
  renderCheckReceipt,
  renderCheckTable,
  saysOf,
} from './check.js';
import { renderCsv, renderTsv } from './csv.js';
import { renderCheckGithub } from './github.js';
import { encode, jsonLines, objects } from './json.js';
import { failedCase, type JunitCase, passedCase, suitesOf } from './junit.js';
import { escapeMarkdown, markdownTable } from './md.js';
import { uniqueNames } from './names.js';
import { offencesOf } from './offences.js';
import { renderCheckProm } from './prom.js';
import type { Report, Style, TextFormat } from './report.js';
import { sanitize } from './sanitize.js';
import { renderCheckSarif } from './sarif.js';

const PLAIN = { color: false, width: null };

export const checkFormats: Readonly<Record<TextFormat, (check: CheckReport, style: Style) => string>> = {
  table: asciiWhereAsked(renderCheckTable),
  json: renderCheckJson,
  jsonl: (check) => jsonLines(partsResult(check)),
  csv: (check) => renderCsv(asRows(check)),
  tsv: (check) => renderTsv(asRows(check)),
  md: renderCheckMarkdown,
  github: renderCheckGithub,
  junit: renderCheckJunit,
  prom: renderCheckProm,
  sarif: renderCheckSarif,
};

const asRows = (check: CheckReport): Report => ({
  query: { name: 'check', title: 'All gates and decisions' },
  params: {},
  result: partsResult(check),
  receipt: check.receipt,
});

function renderCheckMarkdown(check: CheckReport): string {
  const found = partsWithRows(check).map(
    ({ name, report }) => `\n### ${escapeMarkdown(sanitize(name))}\n\n${markdownTable(report.result)}`,
  );
  return markdownTable(partsResult(check)) + found.join('');
}

const STATUS = { 0: 'clear', 1: 'fired', 2: 'error', 3: 'cannot_vouch' } as const;

/** One envelope on one line; its keys and their order are an API. */
function renderCheckJson({ parts, exitCode, receipt }: CheckReport): string {
  return [
    '{"format":"lakelog.check.v1"',
    `,"lakelog":${encode(receipt.version)}`,
    `,"verdict":${encode({ status: STATUS[exitCode], exit_code: exitCode })}`,
    `,"parts":[${parts.map(partJson).join(',')}]`,
    `,"receipt":${encode(receipt)}}\n`,
  ].join('');
}

/** Rows are written as those of a single gate are; of its receipt, what is its own. */
function partJson(part: Part): string {
  const { kind, name, title, level, undecided, status, exit_code, adds, report, error, alpha } = part;
  const result = report?.result ?? { columns: [], rows: [] };
  const names = uniqueNames(result.columns);
  const columns = result.columns.map(({ type, note }, i) => ({ name: names[i], type, note: note ?? null }));
  const { fired = [], cannot_vouch = [], notices = [] } = report?.verdict ?? {};
  const head = {
    ...{ kind, name, title, level, undecided, status, exit_code, adds },
    says: saysOf(part),
    ...{ fired, cannot_vouch, notices },
    error: error && { error: error.what, where: error.where ?? null, next: error.next ?? null },
    ...{ alpha, decision: report?.decision ?? null, params: report?.params ?? {}, columns },
  };
  return `${encode(head).slice(0, -1)},"rows":[${objects(result).join(',')}],"receipt":${encode(ownReceipt(report))}}`;
}

function ownReceipt(report: Report | null) {
  if (report === null) return null;
  const { query, judged, gated_kinds, kinds_not_gated, canary, acknowledged, recomputed } = report.receipt;
  return { query, judged, gated_kinds, kinds_not_gated, canary, acknowledged, recomputed };
}

/** A suite a part; the account of all stands with the first. */
function renderCheckJunit(check: CheckReport): string {
  return suitesOf(
    check.parts.map((part, i) => ({
      name: `lakelog.${sanitize(part.name)}`,
      classname: `lakelog.${sanitize(part.name)}`,
      cases: casesOf(part),
      out: i === 0 ? renderCheckReceipt(check, PLAIN) : `${sanitize(saysOf(part))}\n`,
    })),
  );
}

/** A warning turns nothing red. */
function casesOf(part: Part): JunitCase[] {
  const { report, error } = part;
  if (report === null) {
    const { what = '', where, next } = error ?? {};
    const lines = [
      what,
      ...(where === undefined ? [] : [`at ${where}`]),
      ...(next === undefined ? [] : [`→ ${next}`]),
    ];
    const text = lines.map(sanitize).join('\n');
    return [{ name: 'error', outcome: 'error', type: 'error', message: sanitize(what), text }];
  }
  const offences = offencesOf(report).map(failedCase);
  if (offences.length === 0) return [{ ...passedCase(report), name: sanitize(saysOf(part)) }];
  return isWarning(part)
    ? offences.map((one) => ({ ...one, outcome: 'skipped', message: `warning: ${one.message}` }))
    : offences;
}
