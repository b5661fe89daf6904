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
  const failures = offences.filter(({ weight }) => weight === 'fired').length;
  const counts = {
    tests: String(Math.max(offences.length, 1)),
    failures: String(failures),
    errors: String(offences.length - failures),
  };
  const suite = `lakelog.${sanitize(report.query.name)}`;
  const cases = offences.length === 0 ? [passed(report, suite)] : offences.map((one) => failed(one, suite));
  return [
    '<?xml version="1.0" encoding="UTF-8"?>\n',
    `<testsuites${attributes({ name: 'lakelog', ...counts })}>\n`,
    `  <testsuite${attributes({ name: 'lakelog', ...counts, skipped: '0' })}>\n`,
    ...cases,
    `    <system-out>${escapeXml(renderReceipt(report, PLAIN))}</system-out>\n`,
    '  </testsuite>\n',
    '</testsuites>\n',
  ].join('');
}

function passed(report: Report, classname: string): string {
  return `    <testcase${attributes({ classname, name: outcomeOf(report) })}/>\n`;
}

function failed(
  { weight, row, rule, message, facts, next, sessionId, file, line }: Offence,
  classname: string,
) {
  const place = file === null ? null : line === null ? file : `${file}:${line}`;
  const name = row ? [sessionId, place].filter((part) => part !== null).join(' ') : `${rule}: ${message}`;
  const element = weight === 'fired' ? 'failure' : 'error';
  const text = [
    `${rule}: ${message}`,
    ...(place === null ? [] : [`at ${place}`]),
    ...facts,
    ...(next === null ? [] : [`→ ${next}`]),
  ];
  return [
    `    <testcase${attributes({ classname, name: name || rule, file, line: line === null ? null : String(line) })}>\n`,
    `      <${element}${attributes({ message, type: rule })}>${escapeXml(text.join('\n'))}</${element}>\n`,
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
