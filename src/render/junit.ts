import { type Offence, offencesOf } from './offences.js';
import { outcomeOf } from './outcome.js';
import { renderReceipt } from './receipt.js';
import type { Report } from './report.js';
import { sanitize } from './sanitize.js';

const PLAIN = { color: false, width: null };

/**
 * A JUnit report: a failed test case for each violation, one in error for each reason why the gate cannot vouch,
 * else one that passed. Never without a test case, which some CI systems take for a success and some for an error.
 */
export function renderJunit(report: Report): string {
  const offences = offencesOf(report);
  const suite = { name: 'lakelog', classname: `lakelog.${sanitize(report.query.name)}` };
  return suitesOf([
    {
      ...suite,
      cases: offences.length === 0 ? [passedCase(report)] : offences.map(failedCase),
      out: renderReceipt(report, PLAIN),
    },
  ]);
}

/** A test case, and what became of it; a skipped one does not turn a run red. */
export interface JunitCase {
  readonly name: string;
  readonly file?: string | null;
  readonly line?: number | null;
  readonly outcome: 'passed' | 'failure' | 'error' | 'skipped';
  readonly type: string;
  readonly message: string;
  readonly text: string;
}

export interface JunitSuite {
  readonly name: string;
  readonly classname: string;
  readonly cases: readonly JunitCase[];
  readonly out: string;
}

export function suitesOf(suites: readonly JunitSuite[]): string {
  const cases = suites.flatMap((suite) => suite.cases);
  return [
    '<?xml version="1.0" encoding="UTF-8"?>\n',
    `<testsuites${attributes({ name: 'lakelog', ...countsOf(cases) })}>\n`,
    ...suites.map(suiteOf),
    '</testsuites>\n',
  ].join('');
}

function suiteOf({ name, classname, cases, out }: JunitSuite): string {
  const counts = { ...countsOf(cases), skipped: String(countOf(cases, 'skipped')) };
  return [
    `  <testsuite${attributes({ name, ...counts })}>\n`,
    ...cases.map((one) => caseOf(one, classname)),
    `    <system-out>${escapeXml(out)}</system-out>\n`,
    '  </testsuite>\n',
  ].join('');
}

const countOf = (cases: readonly JunitCase[], outcome: JunitCase['outcome']) =>
  cases.filter((one) => one.outcome === outcome).length;

function countsOf(cases: readonly JunitCase[]) {
  return {
    tests: String(cases.length),
    failures: String(countOf(cases, 'failure')),
    errors: String(countOf(cases, 'error')),
  };
}

export function passedCase(report: Report): JunitCase {
  return { name: outcomeOf(report), outcome: 'passed', type: '', message: '', text: '' };
}

export function failedCase(offence: Offence): JunitCase {
  const { weight, row, rule, message, facts, next, sessionId, file, line } = offence;
  const place = file === null ? null : line === null ? file : `${file}:${line}`;
  const name = row ? [sessionId, place].filter((part) => part !== null).join(' ') : `${rule}: ${message}`;
  const text = [
    `${rule}: ${message}`,
    ...(place === null ? [] : [`at ${place}`]),
    ...facts,
    ...(next === null ? [] : [`→ ${next}`]),
  ];
  const outcome = weight === 'fired' ? 'failure' : 'error';
  return { name: name || rule, file, line, outcome, type: rule, message, text: text.join('\n') };
}

function caseOf(
  { name, file = null, line = null, outcome, type, message, text }: JunitCase,
  classname: string,
): string {
  const place = { file, line: line === null ? null : String(line) };
  const head = `    <testcase${attributes({ classname, name, ...place })}`;
  if (outcome === 'passed') return `${head}/>\n`;
  // Its schema lets what was skipped have a message, and no type.
  const about = attributes(outcome === 'skipped' ? { message } : { message, type });
  return [
    `${head}>\n`,
    `      <${outcome}${about}>${escapeXml(text)}</${outcome}>\n`,
    '    </testcase>\n',
  ].join('');
}

function attributes(all: Readonly<Record<string, string | null>>): string {
  return Object.entries(all)
    .map(([name, value]) => (value === null ? '' : ` ${name}="${escapeXml(value)}"`))
    .join('');
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&apos;',
  // Not allowed in XML 1.0, not even as a reference: https://www.w3.org/TR/xml/#charsets
  '\ufffe': '\\ufffe',
  '\uffff': '\\uffff',
};

/** For text that is safe for a terminal: controls and lone surrogates, which XML cannot hold, are gone already. */
function escapeXml(text: string): string {
  return text.replace(/[&<>"'\ufffe\uffff]/g, (char) => ENTITIES[char] ?? char);
}
