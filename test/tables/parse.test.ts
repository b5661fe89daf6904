import { expect, test } from 'vitest';
import { readParse, writeParse } from '../../src/lake/tables/parse.js';

test.each([
  '{"error":false,"value":0.8333333333333334}',
  '{"error":false,"value":-1234567890.1234567}',
  '{"error":false,"value":1.2345678901234567e+30}',
  '{"error":false,"value":9007199254740993,"other":-170141183460469231731687303715884105727}',
  '{"error":false,"value":Infinity,"other":-Infinity,"third":NaN}',
  '{"error":false,"value":"9007199254740993 \\" 0.8333333333333334 Infinity"}',
])('%s comes out as it went in', (json) => {
  expect(writeParse(readParse(json))).toBe(json);
});
