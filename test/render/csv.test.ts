import { describe, expect, it } from 'vitest';
import { formats, sanitize } from '../../src/render/index.js';
import type { Cell } from '../../src/schema/result.js';
import fc, { character } from '../support/fast-check.js';
import { PIPE, report } from './sample.js';

/** RFC 4180, nothing else. */
function parse(text: string): string[][] {
  const records: string[][] = [[]];
  let field = '';
  let quoted = false;
  for (let i = 0; i < text.length; i += 1) {
    const char = text[i] ?? '';
    if (quoted) {
      if (char === '"' && text[i + 1] === '"') field += text[++i];
      else if (char === '"') quoted = false;
      else field += char;
    } else if (char === '"') quoted = true;
    else if (char === ',' || char === '\n') {
      records.at(-1)?.push(field);
      field = '';
      if (char === '\n') records.push([]);
    } else field += char;
  }
  records.pop();
  return records;
}

function cellOf(raw: Cell): string {
  return formats.csv(report({ x: 'text' }, [[raw]]), PIPE).slice('x\n'.length, -1);
}

describe('csv', () => {
  it('writes a header and a line a row', () => {
    const spec = {
      kind: 'text',
      n: 'integer',
      rate: 'fraction',
      ok: 'boolean',
      at: 'timestamp',
      j: 'json',
    } as const;
    const rows: Cell[][] = [
      ['a,b "c"', -5, -0.25, true, '2026-09-01T08:00:00.000Z', { a: [1] }],
      ['', null, 1e21, false, null, '-7'],
      ['x', '-9007199254740993', null, null, null, '{"a": "\u202e"}'],
    ];
    expect(formats.csv(report(spec, rows), PIPE)).toBe(
      [
        'kind,n,rate,ok,at,j',
        '"a,b ""c""",-5,-0.25,true,2026-09-01T08:00:00.000Z,"{""a"":[1]}"',
        '"",,1e+21,false,,-7',
        'x,-9007199254740993,,,,"{""a"": ""\\u202e""}"',
        '',
      ].join('\n'),
    );
  });

  it.each([
    '=1+1',
    '+1',
    '-1',
    '@SUM(1)',
    '\t=1',
    '\r=1',
    '  =1',
    '"=1',
    "'=1",
    '＝1',
    '＋1',
    '－1',
    '＠x',
    '\u200b=1',
    '“=1',
  ])('disarms the formula %j', (raw) => {
    expect(parse(`${cellOf(raw)}\n`)[0]?.[0]).toBe(`'${sanitize(raw)}`);
  });

  it.each(['a=1', '1-2', 'x@y.z', '2026-09-01', "it's"])('leaves %j alone', (raw) => {
    expect(cellOf(raw)).toBe(raw);
  });

  it('disarms column names and JSON strings too', () => {
    expect(formats.csv(report({ '=1': 'json' }, [['"=1"']]), PIPE)).toBe(`'=1\n"'""=1"""\n`);
  });

  it('gives a lone null a line of its own', () => {
    expect(formats.csv(report({ x: 'text' }, [[null], ['a']]), PIPE)).toBe('x\n""\na\n');
  });

  it('parses back to the sanitised cells', () => {
    const text = fc.oneof(
      fc.string({ unit: character }),
      fc.string({ unit: fc.constantFrom(...'",;\n\r \t=a') }),
    );
    fc.assert(
      fc.property(fc.array(fc.tuple(text, text), { maxLength: 5 }), (rows) => {
        const parsed = parse(formats.csv(report({ one: 'text', two: 'text' }, rows), PIPE));
        expect(parsed).toHaveLength(rows.length + 1);
        rows.flat().forEach((raw, i) => {
          const cell = parsed[1 + Math.floor(i / 2)]?.[i % 2] ?? '';
          expect([sanitize(raw), `'${sanitize(raw)}`]).toContain(cell);
          expect(cell).not.toMatch(/^\s*[=+\-@]/);
        });
      }),
    );
  });
});
