import stringWidth from 'string-width';
import { describe, expect, it } from 'vitest';
import { renderChart } from '../../src/render/chart.js';
import type { Column, Result } from '../../src/schema/result.js';
import fc from '../support/fast-check.js';

const fraction = (name: string): Column => ({ name, type: 'fraction' });
const text = (name: string): Column => ({ name, type: 'text' });
const ENDS = [fraction('rate'), fraction('rate_low'), fraction('rate_high')];
const STYLE = { color: false, width: 80 };

describe('a chart', () => {
  it('draws a rate between the ends of its interval', () => {
    const result: Result = {
      columns: [text('model'), { name: 'calls', type: 'integer' }, ...ENDS],
      rows: [
        ['a', 10, 0.5, 0.2, 0.8],
        ['long name', 0, null, null, null],
      ],
    };
    expect(renderChart(result, STYLE)).toBe(
      `rate
a          ${'█'.repeat(10)}${'▓'.repeat(15)}${'░'.repeat(15)}${' '.repeat(10)}  50 % [20–80]
long name                                                      –
█ at least, ▓ the rate, ░ at most (95 %)
`,
    );
  });

  it('is a line over time, with a gap where there was no rate', () => {
    const result: Result = {
      columns: [text('kind'), text('day'), ...ENDS],
      rows: [
        ['x', '2026-01-01', 0, 0, 0.5],
        ['x', '2026-01-03', 1, 0.5, 1],
        ['y', '2026-01-02', 0.5, 0.1, 0.9],
      ],
    };
    expect(renderChart(result, STYLE)).toBe(
      'rate\nx  ▁ █  0 % → 100 %\ny   ▅   50 % → 50 %\n▁ 0 %, █ 100 %; 2026-01-01 … 2026-01-03\n',
    );
  });

  it('is nothing where there is no rate', () => {
    expect(renderChart({ columns: [text('a')], rows: [['x']] }, STYLE)).toBe('');
    expect(renderChart({ columns: ENDS, rows: [] }, STYLE)).toBe('');
  });

  it('is never wider than the terminal, and shows no control of a name', () => {
    const rate = fc.option(fc.double({ min: 0, max: 1, noNaN: true }), { nil: null });
    const name = fc.string({ unit: 'grapheme', maxLength: 60 });
    fc.assert(
      fc.property(
        fc.array(fc.tuple(name, name, rate, rate, rate), { minLength: 1, maxLength: 12 }),
        fc.constantFrom('model', 'day'),
        fc.integer({ min: 60, max: 200 }),
        fc.boolean(),
        (rows, second, width, ascii) => {
          const columns = [text('kind'), text(second), ...ENDS];
          const chart = renderChart({ columns, rows }, { color: false, width, ascii });
          for (const line of chart.split('\n')) {
            expect(stringWidth(line)).toBeLessThanOrEqual(width);
            expect(line).not.toMatch(/[\p{Cc}\p{Cf}]/u);
          }
        },
      ),
      { numRuns: 300 },
    );
  });
});
