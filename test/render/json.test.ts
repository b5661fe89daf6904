import { describe, expect, it } from 'vitest';
import { formats } from '../../src/render/index.js';
import fc, { character } from '../support/fast-check.js';
import { PIPE, receipt, report, verdict } from './sample.js';

describe('json', () => {
  it('is one envelope with keys in a fixed order', () => {
    const result = formats.json(
      report({ kind: 'text', rate: 'fraction' }, [['fill', 0.714285]], { verdict: verdict() }),
      PIPE,
    );
    expect(result.endsWith('}\n')).toBe(true);
    expect(result.trimEnd()).not.toContain('\n');
    const envelope = JSON.parse(result);
    expect(Object.keys(envelope)).toEqual(
      'format lakelog query title params verdict columns rows truncated receipt'.split(' '),
    );
    expect(envelope).toEqual({
      format: 'lakelog.result.v1',
      lakelog: '0.1.0',
      query: 'alarm',
      title: 'Accepted fills that are not grounded',
      params: { min_n: 30 },
      verdict: verdict(),
      columns: [
        { name: 'kind', type: 'text', note: null },
        { name: 'rate', type: 'fraction', note: null },
      ],
      rows: [{ kind: 'fill', rate: 0.714285 }],
      truncated: false,
      receipt: receipt(),
    });
  });

  it('has a null verdict for a query that is no gate', () => {
    expect(JSON.parse(formats.json(report({ a: 'text' }, []), PIPE))).toMatchObject({
      verdict: null,
      rows: [],
    });
  });

  it('passes JSON text as JSON, to the digit, and other text as text', () => {
    const rows = [['{"n":\n12345678901234567890}'], ['not json'], [''], [null], [[1, 'a']]];
    expect(formats.jsonl(report({ x: 'json' }, rows), PIPE)).toBe(
      '{"x":{"n":12345678901234567890}}\n{"x":"not json"}\n{"x":""}\n{"x":null}\n{"x":[1,"a"]}\n',
    );
  });

  it('keeps columns of the same name, of any name, and their order', () => {
    const spec = ['a', 'a', 'a_1', '__proto__', '1', '0'].map((name) => ({ name, type: 'integer' as const }));
    expect(formats.jsonl(report(spec, [[1, 2, 3, 4, 5, 6]]), PIPE)).toBe(
      '{"a":1,"a_2":2,"a_1":3,"__proto__":4,"1":5,"0":6}\n',
    );
  });

  it('parses back to what went in, whatever it is', () => {
    const cell = fc.oneof(fc.string({ unit: character }), fc.jsonValue({ stringUnit: character }));
    fc.assert(
      fc.property(fc.array(fc.tuple(cell, cell), { maxLength: 5 }), (rows) => {
        const made = report({ plain: 'text', other: 'text' }, rows as never);
        const expected = rows.map(([plain, other]) => JSON.parse(JSON.stringify({ plain, other })));
        expect(JSON.parse(formats.json(made, PIPE)).rows).toEqual(expected);
        const lines = formats.jsonl(made, PIPE).split('\n').slice(0, -1);
        expect(lines.map((line) => JSON.parse(line))).toEqual(expected);
      }),
    );
  });

  it('writes 50 MB in one piece', () => {
    const rows = Array.from({ length: 50_000 }, (_, i) => [`${i} ${'é'.repeat(1000)}`]);
    expect(formats.json(report({ text: 'text' }, rows), PIPE).length).toBeGreaterThan(50_000_000);
  });
});
