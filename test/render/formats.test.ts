import { expect, it } from 'vitest';
import { queryFormatNames } from '../../src/render/format-names.js';
import { formatNames, formatOfFile, formats, gateFormatNames } from '../../src/render/index.js';

it('has formats that only a gate can fill, and one of a query alone', () => {
  expect(formatNames).toEqual(['table', 'json', 'jsonl', 'csv', 'tsv', 'md']);
  expect(gateFormatNames).toEqual([...formatNames, 'github', 'junit', 'prom', 'sarif']);
  expect(queryFormatNames).toEqual([...formatNames, 'parquet']);
  expect(Object.keys(formats)).toEqual(gateFormatNames);
});

it.each([
  ['a.json', 'json'],
  ['a.jsonl', 'jsonl'],
  ['a.ndjson', 'jsonl'],
  ['a.TSV', 'tsv'],
  ['a.parquet', 'parquet'],
  ['lakelog.prom', 'prom'],
  ['dir.xml/a.CSV', 'csv'],
  ['report.md', 'md'],
  ['build/report.xml', 'junit'],
  ['a.txt', 'table'],
  ['.json', 'json'],
  ['a.html', null],
  ['a', null],
  ['dir.xml/a', null],
  ['a.', null],
  ['a.constructor', null],
])('takes the format of %j from its extension', (file, format) => {
  expect(formatOfFile(file)).toBe(format);
});
