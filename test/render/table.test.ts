import fc from 'fast-check';
import stringWidth from 'string-width';
import { describe, expect, it } from 'vitest';
import { formats, sanitize } from '../../src/render/index.js';
import type { Cell, Column } from '../../src/schema/result.js';
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

function bare(text: string): string {
  return text.replace(/\s/g, '');
}

describe('table', () => {
  it('aligns columns, wide and combining characters too', () => {
    expect(formats.table(report(RATES, ROWS), PIPE)).toBe(
      [
        'kind    model  answered calls  first-shot rate  mean attempts  under min n',
        '──────  ─────  ──────────────  ───────────────  ─────────────  ───────────',
        'fill    gpt             12345            71.4%    1234567.891  no',
        '(none)  模型                7           100.0%            1.5  yes',
        'email   สวัสดี                –                –              –  –',
        '',
      ].join('\n'),
    );
  });

  it('wraps headings before anything else', () => {
    expect(formats.table(report(RATES, ROWS), terminal(60))).toBe(
      [
        '               answered                          mean  under',
        'kind    model     calls  first-shot rate     attempts  min n',
        '──────  ─────  ────────  ───────────────  ───────────  ─────',
        'fill    gpt       12345            71.4%  1234567.891  no',
        '(none)  模型          7           100.0%          1.5  yes',
        'email   สวัสดี          –                –            –  –',
        '',
      ].join('\n'),
    );
  });

  it('becomes a block a row where it is still too wide', () => {
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
  });

  it('takes a long text with wide characters, which Intl.Segmenter alone would not survive', () => {
    const output = formats.table(report({ text: 'text' }, [['é中 '.repeat(50_000)]]), terminal(80));
    expect(output.match(/é中/g)).toHaveLength(50_000);
  });

  it('shows an empty result', () => {
    expect(formats.table(report(RATES, []), terminal(80))).toBe('(no rows)\n');
  });

  it.each<[Cell, Column['type'], string]>([
    [0.714, 'fraction', '71.4%'],
    [1234567.891234, 'number', '1234567.891'],
    [0.000123456, 'number', '0.000123'],
    [2, 'number', '2'],
    [1.5, 'number', '1.5'],
    ['9007199254740993', 'integer', '9007199254740993'],
    [true, 'boolean', 'yes'],
    [null, 'text', '(none)'],
    [null, 'integer', '–'],
    [null, 'timestamp', '–'],
    ['2026-09-01T08:00:00.000Z', 'timestamp', '2026-09-01T08:00:00Z'],
    ['2026-09-01T08:00:00.123Z', 'timestamp', '2026-09-01T08:00:00.123Z'],
    ['{"a":1}', 'json', '{"a":1}'],
    [[1, 'a'], 'json', '[1,"a"]'],
  ])('shows %j of type %s as %s', (cell, type, text) => {
    expect(show(cell, type).trim()).toBe(text);
  });

  it('colours headings and reasons when told to, and only then', () => {
    const made = report({ reason: 'text' }, [['ungrounded'], ['unjudged'], ['fine']]);
    const colored = formats.table(made, { color: true, width: 80 });
    expect(colored).toContain('\x1b[31m\x1b[1mungrounded');
    expect(colored).toContain('\x1b[33m\x1b[1munjudged');
    expect(colored.replace(/\x1b\[\d+m/g, '')).toBe(formats.table(made, terminal(80)));
  });

  it('draws many rows, page by page', () => {
    const rows = Array.from({ length: 5000 }, (_, i) => [`id-${i}`, i, i / 5000]);
    const lines = formats
      .table(report({ id: 'text', n: 'integer', rate: 'fraction' }, rows), PIPE)
      .split('\n');
    expect(lines).toHaveLength(5003);
  });

  it.each([40, 80, 120])('never exceeds %i columns and loses nothing', (width) => {
    const text = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 60 }),
      fc.string({ unit: 'grapheme', maxLength: 200 }),
      fc.stringMatching(/^[0-9a-f]{32}$/),
      fc.lorem({ maxCount: 30 }),
    );
    const number = fc.maxSafeInteger();
    const row = fc.tuple(text, number, text);
    fc.assert(
      fc.property(
        fc.array(row, { minLength: 1, maxLength: 4 }),
        fc.option(text),
        fc.nat(5),
        (rows, label, extra) => {
          const spec: Column[] = [
            { name: 'a', type: 'text', label: label ?? 'a' },
            { name: 'n', type: 'integer' },
            { name: 'b', type: 'text', label: label ?? 'b' },
            ...Array.from({ length: extra }, (_, i) => ({ name: `extra ${i}`, type: 'integer' as const })),
          ];
          const cells = rows.map((cells) => [...cells, ...Array.from({ length: extra }, (_, i) => i)]);
          const output = formats.table(report(spec, cells), terminal(width));
          for (const line of output.split('\n')) expect(stringWidth(line)).toBeLessThanOrEqual(width);
          // A heading of several lines stands between the lines of its value.
          if (label !== null) return;
          const flat = bare(output);
          for (const [a, n, b] of rows) {
            for (const value of [sanitize(a), String(n), sanitize(b)]) {
              expect(flat).toContain(bare(value));
            }
          }
        },
      ),
      { numRuns: 300 },
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
