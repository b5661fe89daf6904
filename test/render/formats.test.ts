import { expect, it } from 'vitest';
import { formatNames, formatOfFile, formats, gateFormatNames } from '../../src/render/index.js';

it('has two formats that only a gate can fill', () => {
  expect(formatNames).toEqual(['table', 'json', 'jsonl', 'csv', 'md']);
  expect(gateFormatNames).toEqual([...formatNames, 'github', 'junit']);
  expect(Object.keys(formats)).toEqual(gateFormatNames);
});

it.each([
  ['a.json', 'json'],
  ['a.jsonl', 'jsonl'],
  ['a.ndjson', 'jsonl'],
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
