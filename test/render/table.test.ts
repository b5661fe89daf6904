import { describe, expect, it } from 'vitest';
import { formats } from '../../src/render/index.js';
import type { Cell, Column } from '../../src/schema/result.js';
import fc from '../support/fast-check.js';
import { GATE } from './gate-sample.js';
import { PIPE, report, terminal } from './sample.js';

const RATES: Column[] = [
  { name: 'kind', type: 'text' },
  { name: 'model', type: 'text' },
  { name: 'answered', type: 'integer', label: 'answered calls' },
  { name: 'rate', type: 'fraction', label: 'first-shot rate' },
  { name: 'mean', type: 'number', label: 'mean attempts' },
  { name: 'few', type: 'boolean', label: 'under min n' },
];

const ROWS: Cell[][] = [
  ['fill', 'gpt', 12345, 0.714, 1234567.89123, false],
  [null, '模型', 7, 1, 1.5, true],
  ['email', 'สวัสดี', null, null, null, null],
];

function show(cell: Cell, type: Column['type']): string {
  return formats.table(report([{ name: 'x', type }], [[cell]]), PIPE).split('\n')[2] ?? '';
}

describe('table', () => {
  it('aligns columns, wide and combining characters too', () => {
    expect(formats.table(report(RATES, ROWS), PIPE)).toBe(
      [
        'kind   model  answered calls  first-shot rate  mean attempts  under min n',
        '─────  ─────  ──────────────  ───────────────  ─────────────  ───────────',
        'fill   gpt             12345           71.4 %    1234567.891  no',
        '–      模型                7          100.0 %            1.5  yes',
        'email  สวัสดี                –                –              –  –',
        '',
      ].join('\n'),
    );
  });

  it('wraps headings before anything else', () => {
    expect(formats.table(report(RATES, ROWS), terminal(62))).toBe(
      [
        '                              first-shot                 under',
        'kind   model  answered calls        rate  mean attempts  min n',
        '─────  ─────  ──────────────  ──────────  ─────────────  ─────',
        'fill   gpt             12345      71.4 %    1234567.891  no',
        '–      模型                7     100.0 %            1.5  yes',
        'email  สวัสดี                –           –              –  –',
        '',
      ].join('\n'),
    );
  });

  it('is a block a row below 60 columns, where it is too wide', () => {
    const rows = [
      ['4bf92f3577b34da6a3ce929d0e0e4736', 'a reason of several words that has to be wrapped somewhere', 12],
    ];
    const spec = { session_id: 'text', text: 'text', iterations: 'integer' } as const;
    expect(formats.table(report(spec, rows), terminal(40))).toBe(
      [
        '── row 1 ──',
        'session_id',
        '  4bf92f3577b34da6a3ce929d0e0e4736',
        'text        a reason of several words',
        '            that has to be wrapped',
        '            somewhere',
        'iterations  12',
        '',
      ].join('\n'),
    );
    expect(formats.table(report(spec, rows), terminal(60)).split('\n')[0]).toMatch(
      /session_id +text +iterations/,
    );
  });

  it('takes a long text with wide characters, which Intl.Segmenter alone would not survive', () => {
    const output = formats.table(report({ text: 'text' }, [['é中 '.repeat(50_000)]]), terminal(80));
    expect(output.match(/é中/g)).toHaveLength(50_000);
  });

  it('shows an empty result', () => {
    expect(formats.table(report(RATES, []), terminal(80))).toBe('(no rows)\n');
  });

  it.each<[Cell, Column['type'], string]>([
    [0.714, 'fraction', '71.4 %'],
    [1234567.891234, 'number', '1234567.891'],
    [0.000123456, 'number', '0.000123'],
    [2, 'number', '2'],
    [1.5, 'number', '1.5'],
    ['9007199254740993', 'integer', '9007199254740993'],
    [true, 'boolean', 'yes'],
    [null, 'text', '–'],
    [null, 'integer', '–'],
    [null, 'timestamp', '–'],
    ['2026-09-01T08:00:00.000Z', 'timestamp', '2026-09-01T08:00:00Z'],
    ['2026-09-01T08:00:00.123Z', 'timestamp', '2026-09-01T08:00:00.123Z'],
    ['{"a":1}', 'json', '{"a":1}'],
    [[1, 'a'], 'json', '[1,"a"]'],
  ])('shows %j of type %s as %s', (cell, type, text) => {
    expect(show(cell, type).trim()).toBe(text);
  });

  it('colours what the gate reads, in every layout, when told to and only then', () => {
    const words = 'x '.repeat(40);
    const rows = [
      ['ungrounded', words, null],
      ['unjudged', words, 1],
      ['fine', words, 2],
    ] as Cell[][];
    const made = report({ reason: 'text', a: 'text', n: 'integer' }, rows, { gate: GATE });
    for (const width of [30, 60, 120, null]) {
      const colored = formats.table(made, { color: true, width });
      expect(colored).toContain('\x1b[31m\x1b[1mungrounded');
      expect(colored).toContain('\x1b[33m\x1b[1munjudged');
      expect(colored).toContain('\x1b[2m–');
      expect(colored.replace(/\x1b\[\d+m/g, '')).toBe(formats.table(made, { color: false, width }));
    }
  });

  it('draws many rows, page by page', () => {
    const rows = Array.from({ length: 5000 }, (_, i) => [`id-${i}`, i, i / 5000]);
    const lines = formats
      .table(report({ id: 'text', n: 'integer', rate: 'fraction' }, rows), PIPE)
      .split('\n');
    expect(lines).toHaveLength(5003);
  });

  it.each([40, 80, 120])('keeps a number whole at %i columns', (width) => {
    const rows = [['9007199254740993', 'word '.repeat(80)]];
    expect(formats.table(report({ n: 'integer', b: 'text' }, rows), terminal(width))).toContain(
      '9007199254740993',
    );
  });

  it('keeps an id whole wherever it fits the width', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[0-9a-f]{1,40}$/), fc.lorem({ maxCount: 12 }), (id, words) => {
        const output = formats.table(
          report({ 'a rather long heading': 'text', b: 'text' }, [[id, words]]),
          terminal(40),
        );
        expect(output).toContain(id);
      }),
    );
  });
});
