import { describe, expect, it } from 'vitest';
import { formats } from '../../src/render/index.js';
import fc, { character } from '../support/fast-check.js';
import { PIPE, report } from './sample.js';

function cellOf(text: string): string {
  return (
    formats
      .md(report({ x: 'text' }, [[text]]), PIPE)
      .split('\n')[2]
      ?.slice(2, -2) ?? ''
  );
}

describe('md', () => {
  it('is a GitHub table', () => {
    const rows = [
      ['fill', 1234, 0.714],
      [null, null, null],
    ];
    const spec = [
      { name: 'kind', type: 'text' as const },
      { name: 'n', type: 'integer' as const, label: 'calls' },
      { name: 'rate', type: 'fraction' as const },
    ];
    expect(formats.md(report(spec, rows), PIPE)).toBe(
      [
        '| kind | calls | rate |',
        '| --- | ---: | ---: |',
        '| fill | 1234 | 71.4 % |',
        '| – | – | – |',
        '',
      ].join('\n'),
    );
  });

  it('says so when there is nothing', () => {
    expect(formats.md(report({ x: 'text' }, []), PIPE)).toBe('(no rows)\n');
  });

  it.each([
    ['a|b\\c', 'a\\|b\\\\c'],
    ['<img src=x onerror=y>', '&lt;img src=x onerror=y&gt;'],
    ['&lt;', '&amp;lt;'],
    ['`x` *y* _z_ ~~w~~ bad_json', '\\`x\\` \\*y\\* \\_z\\_ \\~\\~w\\~\\~ bad_json'],
    ['[l](https://e.x) ![i](x) www.e.x', '\\[l\\](https\\://e.x) !\\[i\\](x) www\\.e.x'],
    ['@octocat #12 a@b.c', '@&#8203;octocat #&#8203;12 a@&#8203;b.c'],
    ['two\nlines', 'two\\\\nlines'],
    ['$x$', '\\$x\\$'],
  ])('makes %j harmless', (raw, safe) => {
    expect(cellOf(raw)).toBe(safe);
  });

  it('keeps every row one line of the same number of cells', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: character }),
        fc.string({ unit: fc.constantFrom(...'|\\\n`<a') }),
        (a, b) => {
          const lines = formats.md(report({ a: 'text', b: 'text' }, [[a, b]]), PIPE).split('\n');
          expect(lines).toHaveLength(4);
          expect(lines[2]?.replace(/\\./g, '').split('|')).toHaveLength(4);
        },
      ),
    );
  });
});
