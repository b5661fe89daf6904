/** What a table does where it is wider than the terminal. */

import stringWidth from 'string-width';
import { describe, expect, it } from 'vitest';
import { formats, sanitize } from '../../src/render/index.js';
import type { Cell, Column } from '../../src/schema/result.js';
import { nightly } from '../support/cli.js';
import fc, { character } from '../support/fast-check.js';
import { report, terminal } from './sample.js';

const ID = (digit: string) => `4bf92f3577b34da6a3ce929d0e0e473${digit}`;

function drawn(columns: Column[], rows: Cell[][], width: number): string[] {
  return formats.table(report(columns, rows), terminal(width)).trimEnd().split('\n');
}

const text = (name: string, over: Partial<Column> = {}): Column => ({ name, type: 'text', ...over });
const filler = text('filler');
const WORDS = 'some words that take all the room there is and then some more, to no end at all';

describe('a table that is too wide', () => {
  it('shortens ids to what no other id of the column begins with', () => {
    const rows = [
      ['4bf92f35aaaa4da6a3ce929d0e0e4736', WORDS],
      ['4bf92f35aabb4da6a3ce929d0e0e4736', WORDS],
      [null, WORDS],
    ];
    const lines = drawn([text('session_id'), filler], rows, 60);
    expect(lines.map((line) => line.slice(0, 12).trimEnd())).toEqual(
      expect.arrayContaining(['4bf92f35aaa', '4bf92f35aab', '–']),
    );
    expect(lines.join('\n')).not.toContain('4bf92f35aaaa');
  });

  it.each([
    ['any name, where all are hexadecimal', 'x', ID('6'), '4bf92f35'],
    ['a UUID', 'x', 'f81d4fae-7dec-11d0-a765-00a0c91e6bf6', 'f81d4fae'],
    ['an id of another form', 'call_id', 'fill/2026-09-01/0000000000000001', 'fill/202'],
  ])('shortens %s', (_, name, id, short) => {
    const lines = drawn([text(name), filler], [[id, WORDS]], 60);
    expect(lines.some((line) => line.startsWith(`${short}  `))).toBe(true);
  });

  it('leaves words, numbers and short ids alone', () => {
    const lines = drawn([text('model'), text('call_id'), filler], [['feedfacecafe', 'c-1', WORDS]], 60);
    expect(lines[2]).toMatch(/^feedfacecafe {2}c-1/);
  });

  it.each([
    ['the year', ['2026-09-01T08:00:00.123Z', '2026-10-02T09:01:02Z'], '(UTC, 2026)', '09-01 08:00'],
    ['the day', ['2026-09-01T08:00:00.123Z', '2026-09-01T09:01:02Z'], '(UTC, 2026-09-01)', '08:00'],
    ['nothing', ['2025-09-01T08:00:00Z', '2026-09-01T08:00:00Z'], '(UTC)', '2025-09-01 08:00'],
  ])('says %s of all times once', (_, [a, b], once, short) => {
    const lines = drawn(
      [{ name: 'time', type: 'timestamp' }, filler],
      [
        [a!, WORDS],
        [b!, WORDS],
        [null, WORDS],
      ],
      60,
    );
    const head = lines.slice(
      0,
      lines.findIndex((line) => line.startsWith('─')),
    );
    expect(head.map((line) => line.slice(0, 17).trim()).join(' ')).toContain(`time ${once}`);
    expect(lines.find((line) => line.startsWith(short))).toBeDefined();
  });

  it('leaves times alone that are not all of one form', () => {
    const rows = [
      ['2026-09-01T08:00:00+02:00', WORDS],
      ['2026-09-01T08:00:00Z', WORDS],
    ];
    expect(drawn([{ name: 'time', type: 'timestamp' }, filler], rows, 60).join('\n')).toContain(
      '2026-09-01T08:00:00+02:00',
    );
  });

  it('has file and line as one column, and says the folder of all once', () => {
    const columns = [filler, text('file'), { name: 'line', type: 'integer' } as const];
    const folder = '/var/lib/lakehouse/validator/2026/';
    const rows = [
      [WORDS, `${folder}a.jsonl`, 1],
      [WORDS, `${folder}b/c.jsonl`, 22],
      [WORDS, null, null],
      [WORDS, '-', 3],
    ];
    const lines = drawn(columns, rows, 60).join('\n');
    for (const place of ['file:line', '…/a.jsonl:1', '…/b/c.jsonl:22', '–', ' -:3', `…/ is ${folder}`]) {
      expect(lines).toContain(place);
    }
    expect(drawn(columns, rows, 200).join('\n')).toContain(`${folder}b/c.jsonl:22`);
  });

  it.each([
    [[0.642, 0.553, 0.722], '64 % [55–72]'],
    [[0.9921, 0.9915, 0.9926], '99.21 % [99.15–99.26]'],
    [[0.5, 0.493, 0.507], '50.0 % [49.3–50.7]'],
    [[0, 0, 0.39], '0 % [0–39]'],
    [[null, null, null], '–'],
    [[0.5, null, null], '50.0 %'],
  ])('has a rate and its interval as one column: %j', (cells, shown) => {
    const columns = ['rate', 'rate_low', 'rate_high'].map((name): Column => ({ name, type: 'fraction' }));
    columns[1] = { ...columns[1]!, label: '95% low' };
    const [head, , row] = drawn(columns, [cells], 80);
    expect(head!.trim()).toBe('rate [95%]');
    expect(row!.trim()).toBe(shown);
  });

  it('lets columns leave from the last on, minor ones first, and says which', () => {
    const columns = [text('a'), text('b', { minor: true }), text('c'), text('d'), text('e', { minor: true })];
    const rows = [1, 2].map((n) => columns.map(({ name }) => `${name}${n} ${'x'.repeat(20)}`));
    const shown = (width: number) => drawn(columns, rows, width)[0]!.split(/ +/).join('');
    expect([130, 120, 90, 70].map(shown)).toEqual(['abcde', 'abcd', 'acd', 'ac']);
    expect(drawn(columns, rows, 70).at(-1)).toBe('not shown: b, d, e (a wider terminal, or | less -S)');
  });

  it('tells below it what would be the same in every row', () => {
    const n: Column = { name: 'n', type: 'integer' };
    const columns = [text('a'), text('b'), text('c'), text('kind'), text('nothing'), n];
    const rows = [1, 2].map((i) => [
      ...['a', 'b', 'c'].map((name) => `${name}${i}${'x'.repeat(21)}`),
      'fill',
      null,
      12,
    ]);
    expect(drawn(columns, rows, 60).slice(4)).toEqual([
      'in every row: kind fill, n 12',
      '– everywhere: nothing',
      'not shown: c (a wider terminal, or | less -S)',
    ]);
    expect(drawn(columns, rows.slice(1), 60).slice(3)).toEqual([
      `also: c c2${'x'.repeat(21)}, kind fill, n 12`,
      '– everywhere: nothing',
    ]);
  });

  it('loses nothing in a pipe', () => {
    const columns = [text('session_id'), filler, text('file'), { name: 'line', type: 'integer' } as const];
    const output = formats.table(report(columns, [[ID('1'), WORDS, '/a/b.jsonl', 3]]), {
      color: false,
      width: null,
    });
    expect(output).toContain(`${ID('1')}  ${WORDS}  /a/b.jsonl:3\n`);
  });
});

const hostile = fc.oneof(
  fc.string({ unit: character, maxLength: 60 }),
  fc.string({ unit: 'grapheme', maxLength: 120 }),
  fc.stringMatching(/^[0-9a-f]{32}$/),
  fc.lorem({ maxCount: 30 }),
  fc.constantFrom(
    '👩‍👩‍👧‍👦',
    '中文'.repeat(60),
    'สวัสดี'.repeat(20),
    '/a/very/long/path'.repeat(12),
    'a-b_c'.repeat(40),
  ),
);

const CELLS: Readonly<Record<string, fc.Arbitrary<Cell>>> = {
  text: fc.option(hostile),
  integer: fc.option(fc.maxSafeInteger()),
  number: fc.option(fc.double()),
  fraction: fc.option(fc.double({ min: 0, max: 1, noNaN: true })),
  boolean: fc.option(fc.boolean()),
  timestamp: fc.option(
    fc
      .date({ noInvalidDate: true, min: new Date(0), max: new Date('2100-01-01') })
      .map((date) => date.toISOString()),
  ),
  json: fc.option(fc.json({ maxDepth: 2 })),
};
const NAMES = [
  'session_id',
  'call_key',
  'model',
  'file',
  'line',
  'rate',
  'rate_low',
  'rate_high',
  'time',
  'x',
];

const tables = fc
  .array(
    fc.record({
      name: fc.constantFrom(...NAMES),
      type: fc.constantFrom(...(Object.keys(CELLS) as Column['type'][])),
      label: fc.option(hostile, { nil: undefined }),
      minor: fc.boolean(),
    }),
    { minLength: 1, maxLength: 14 },
  )
  .chain((columns) =>
    fc.record({
      columns: fc.constant(
        columns.map(({ label, ...rest }): Column => (label === undefined ? rest : { ...rest, label })),
      ),
      rows: fc.array(fc.tuple(...columns.map(({ type }) => CELLS[type]!)), { minLength: 1, maxLength: 5 }),
    }),
  );

it('no line of any table is wider than its terminal', () => {
  fc.assert(
    fc.property(
      tables,
      fc.integer({ min: 30, max: 200 }),
      fc.boolean(),
      ({ columns, rows }, width, ascii) => {
        const output = formats.table(report(columns, rows), { color: false, width, ascii });
        for (const line of output.split('\n')) expect(stringWidth(line)).toBeLessThanOrEqual(width);
        if (ascii) expect(output).toMatch(/^[\n -~]*$/);
      },
    ),
    { numRuns: nightly ? 30_000 : 400 },
  );
});

/** The columns of a table as its rule has them, each with all that stands in it below the rule. */
function columnsOf(output: string): string[] {
  const lines = output.split('\n');
  const rule = lines.findIndex((line) => /^─+( {2}─+)*$/.test(line));
  const found: { from: number; to: number; text: string }[] = [];
  for (const { index, 0: dashes } of lines[rule]!.matchAll(/─+/g)) {
    found.push({ from: index, to: index + dashes.length, text: '' });
  }
  const graphemes = new Intl.Segmenter();
  for (const line of lines.slice(rule + 1)) {
    let at = 0;
    for (const { segment } of graphemes.segment(line)) {
      const column = found.find(({ from, to }) => at >= from && at < to);
      if (column) column.text += segment;
      at += stringWidth(segment);
    }
  }
  return found.map((column) => bare(column.text));
}

const bare = (text: string) => text.replace(/\s/g, '');

it('what a table shows of texts is whole', () => {
  const words = fc.oneof(fc.lorem({ maxCount: 30 }), fc.stringMatching(/^[a-z/中]{0,90}$/));
  fc.assert(
    fc.property(
      fc.array(words, { minLength: 1, maxLength: 8 }),
      fc.integer({ min: 60, max: 200 }),
      (cells, width) => {
        const columns = cells.map((_, i) => text(`c${i}`));
        const lines = drawn(columns, [cells], width);
        const notes = lines.findIndex((line) => /^(also|– everywhere|not shown): /.test(line));
        const table = notes < 0 ? lines : lines.slice(0, notes);
        const told = notes < 0 ? '' : lines.slice(notes).join(' ');
        const shown = columnsOf(table.join('\n'));
        for (const [i, cell] of cells.entries()) {
          if (i < shown.length) expect(shown[i]).toBe(bare(sanitize(cell)));
          else expect(told).toContain(`c${i}`);
        }
      },
    ),
    { numRuns: 300 },
  );
});
