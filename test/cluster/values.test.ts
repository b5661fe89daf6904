import { expect, test } from 'vitest';
import { cellOf, precisionOf, readJson } from '../../src/cluster/values.js';

test('whole numbers beyond 2^53 keep their digits, and nothing else is touched', () => {
  const text =
    '{"a":[9007199254740993,-9007199254740993,9007199254740991,0.8333333333333334,1234567890123456.5,1.2345678901234567e+30,"9007199254740993 \\" 9007199254740993"]}';
  expect(readJson(text)).toEqual({
    a: [
      '9007199254740993',
      '-9007199254740993',
      9007199254740991,
      0.8333333333333334,
      1234567890123456.5,
      1.2345678901234567e30,
      '9007199254740993 " 9007199254740993',
    ],
  });
});

test.each<[string, unknown, unknown]>([
  ['bigint', '9007199254740993', '9007199254740993'],
  ['bigint', 7, 7],
  ['double', 'NaN', 'NaN'],
  ['double', '-Infinity', '-Infinity'],
  ['double', 0.5, 0.5],
  ['decimal(3,2)', '1.50', 1.5],
  ['boolean', false, false],
  ['varchar(3)', '\ufeffé', '\ufeffé'],
  ['varchar', null, null],
  ['timestamp(6)', '2026-09-01 08:00:00.000000', '2026-09-01T08:00:00.000Z'],
  ['timestamp(6)', '2026-09-01 08:00:00.123456', '2026-09-01T08:00:00.123456Z'],
  ['timestamp(6)', '0001-01-01 00:00:00.000001', '0001-01-01T00:00:00.000001Z'],
  ['timestamp(3) with time zone', '2026-09-01 08:00:00.123 UTC', '2026-09-01T08:00:00.123Z'],
])('%s %j is %j', (type, value, cell) => {
  expect(cellOf(type, value)).toBe(cell);
});

test('digits of a second', () => {
  expect(['timestamp(6)', 'timestamp(3) with time zone', 'varchar'].map(precisionOf)).toEqual([6, 3, null]);
});
