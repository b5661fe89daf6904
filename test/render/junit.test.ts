import { XMLParser, XMLValidator } from 'fast-xml-parser';
import { describe, expect, it } from 'vitest';
import { formats, renderReceipt, sanitize } from '../../src/render/index.js';
import type { Report } from '../../src/render/report.js';
import fc, { character } from '../support/fast-check.js';
import { CLEAR, FIRED, gateReport, row } from './gate-sample.js';
import { monster, PIPE, report, verdict } from './sample.js';

const junit = (made: Report) => formats.junit(made, PIPE);
const parser = new XMLParser({
  ignoreAttributes: false,
  attributeNamePrefix: '@',
  trimValues: false,
  parseTagValue: false,
  isArray: (name) => ['testcase', 'failure', 'error'].includes(name),
  processEntities: { maxTotalExpansions: 1e6 } as never,
});

/** https://www.w3.org/TR/xml/#charsets */
const NOT_XML = /[^\t\n\r\u{20}-\u{d7ff}\u{e000}-\u{fffd}\u{10000}-\u{10ffff}]/u;

function wellFormed(xml: string) {
  expect(XMLValidator.validate(xml)).toBe(true);
  expect(NOT_XML.test(xml)).toBe(false);
  const { testsuites } = parser.parse(xml);
  const { testsuite } = testsuites;
  const cases: Record<string, unknown>[] = testsuite.testcase;
  const counts = {
    '@tests': String(cases.length),
    '@failures': String(cases.filter((one) => one.failure !== undefined).length),
    '@errors': String(cases.filter((one) => one.error !== undefined).length),
  };
  expect(testsuites).toMatchObject(counts);
  expect(testsuite).toMatchObject(counts);
  expect(cases.length).toBeGreaterThan(0);
  return { cases, output: testsuite['system-out'] };
}

describe('junit', () => {
  it('has a case for each violation and each reason why the gate cannot vouch', () => {
    const [before = '', after = ''] = junit(FIRED).split(/<system-out>[^<]*<\/system-out>/);
    expect(before + after).toBe(
      [
        '<?xml version="1.0" encoding="UTF-8"?>',
        '<testsuites name="lakelog" tests="3" failures="1" errors="2">',
        '  <testsuite name="lakelog" tests="3" failures="1" errors="2" skipped="0">',
        '    <testcase classname="lakelog.alarm" name="trace-17 logs/a.jsonl:17" file="logs/a.jsonl" line="17">',
        '      <failure message="accepted although a worker is not in the roster" type="ungrounded">ungrounded: accepted although a worker is not in the roster',
        'at logs/a.jsonl:17',
        'session_id: trace-17',
        'timestamp: 2026-09-14T08:00:00Z',
        'model: gpt-4.1-mini',
        '→ lakelog show trace-17</failure>',
        '    </testcase>',
        '    <testcase classname="lakelog.alarm" name="trace-20 logs/a.jsonl:20" file="logs/a.jsonl" line="20">',
        '      <error message="accepted, but nobody checked the roster" type="unjudged">unjudged: accepted, but nobody checked the roster',
        'at logs/a.jsonl:20',
        'session_id: trace-20',
        'timestamp: 2026-09-14T08:00:00Z',
        'model: claude, 4: x</error>',
        '    </testcase>',
        '    <testcase classname="lakelog.alarm" name="rejects: 2 lines could not be loaded: bad_json, 100% broken" file="logs/b, c.jsonl" line="4">',
        '      <error message="2 lines could not be loaded: bad_json, 100% broken" type="rejects">rejects: 2 lines could not be loaded: bad_json, 100% broken',
        'at logs/b, c.jsonl:4',
        '→ lakelog validate logs</error>',
        '    </testcase>',
        '    ',
        '  </testsuite>',
        '</testsuites>',
        '',
      ].join('\n'),
    );
    expect(wellFormed(junit(FIRED)).output).toBe(renderReceipt(FIRED, PIPE));
  });

  it.each([
    ['a clear gate', CLEAR, 'judged 412 calls, no violation'],
    ['a question without verdict', report({ a: 'text' }, [['x']]), '1 row'],
  ])('has one case that passed for %s', (_, made, name) => {
    const { cases } = wellFormed(junit(made));
    expect(cases).toEqual([{ '@classname': 'lakelog.alarm', '@name': name }]);
  });

  it('counts what the verdict counts, however much there is', () => {
    const rows = Array.from({ length: 3000 }, (_, i) => row(i % 3 === 0 ? 'unjudged' : 'ungrounded', i + 1));
    const { cases } = wellFormed(junit(gateReport(rows)));
    expect(cases).toHaveLength(3001);
    expect(cases.filter((one) => one.failure !== undefined)).toHaveLength(2000);
  });

  it('keeps a finding of rows that are not there', () => {
    const made = gateReport([row('ungrounded', 17)]);
    const { cases } = wellFormed(junit({ ...made, result: { ...made.result, rows: [] } }));
    expect(cases.map((one) => [one['@file'], one['@line'], one.failure !== undefined])).toEqual([
      ['logs/a.jsonl', '17', true],
      ['logs/b, c.jsonl', '4', false],
    ]);
  });

  it('is well-formed whatever the log says', () => {
    const hostile = fc.oneof(
      fc.string({ unit: character }),
      fc.string({ unit: fc.integer({ min: 0, max: 0xffff }).map((code) => String.fromCharCode(code)) }),
      fc.constantFrom(']]>', '<!--', '&#0;', '"/><x a=\'', '\ufffe\uffff\ud800\0', '<![CDATA[', '<?xml?>'),
    );
    fc.assert(
      fc.property(hostile, hostile, hostile, (session, model, file) => {
        const { receipt, verdict: found } = monster(model, 2);
        const made = gateReport(
          [row('ungrounded', 1, { session, model, file }), row(model, 2, { session })],
          {
            receipt,
            verdict: verdict({ ...found, status: 'fired', exit_code: 1 }),
          },
        );
        const { cases } = wellFormed(junit(made));
        expect(cases.length).toBeGreaterThanOrEqual(4);
        const [failure] = cases[0]!.failure as { '#text': string }[];
        if (!/[\ufffe\uffff]/.test(model)) expect(failure!['#text']).toContain(`model: ${sanitize(model)}`);
      }),
    );
  });
});
