import { afterAll, beforeAll, expect, test } from 'vitest';
import { isRowWise } from '../../src/lake/tables/rowwise.js';
import { catalogue } from '../support/lake.js';
import { type DuckDb, duckDb } from '../tables/engines.js';

let duck: DuckDb;
beforeAll(async () => {
  duck = await duckDb();
});
afterAll(() => duck.close());

test('the alarm looks at each record by itself', async () => {
  const { sql } = catalogue.find(({ name }) => name === 'alarm')!;
  expect(isRowWise(await duck.parse(sql))).toBe(true);
});

test.each([
  ['SELECT s.session_id FROM sessions s CROSS JOIN params p WHERE s.iterations > p.n ORDER BY s.line', true],
  ["SELECT COALESCE(s.model, 'x') AS m FROM sessions s WHERE ABS(s.iterations - 1) > 2", true],
  ['SELECT s.session_id FROM sessions s LIMIT 3', false],
  ['SELECT DISTINCT s.session_id FROM sessions s', false],
  ['SELECT s.session_id, COUNT(*) FROM sessions s GROUP BY s.session_id', false],
  ['SELECT MAX(s.line) FROM sessions s', false],
  ['SELECT s.session_id FROM sessions s HAVING COUNT(*) > 1', false],
  ['SELECT s.session_id, ROW_NUMBER() OVER (ORDER BY s.line) AS n FROM sessions s', false],
  ['SELECT s.session_id FROM sessions s WHERE s.line > (SELECT AVG(line) FROM sessions)', false],
  [
    'SELECT s.session_id FROM sessions s WHERE EXISTS (SELECT 1 FROM attempts a WHERE a.call_key = s.call_key)',
    false,
  ],
  ['SELECT s.session_id FROM sessions s JOIN attempts a ON a.call_key = s.call_key', false],
  ['SELECT s.session_id FROM sessions s, sessions t', false],
  ['WITH x AS (SELECT session_id FROM sessions LIMIT 1) SELECT session_id FROM x', false],
  ['SELECT session_id FROM sessions UNION ALL SELECT session_id FROM sessions', false],
  ['SELECT session_id FROM (SELECT session_id FROM sessions)', false],
  ['SELECT session_id FROM sessions QUALIFY ROW_NUMBER() OVER (ORDER BY line) = 1', false],
  ['SELECT session_id FROM sessions TABLESAMPLE 10%', false],
  ['SELECT session_id FROM range(3)', false],
  ['SELECT unnest([1, 2]) FROM sessions', false],
  ['SELECT nonsense FROM', false],
])('%s: %s', async (sql, expected) => {
  expect(isRowWise(await duck.parse(sql))).toBe(expected);
});
