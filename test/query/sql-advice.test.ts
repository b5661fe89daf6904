import { afterAll, beforeAll, expect, test } from 'vitest';
import { checkStatement, SqlFault } from '../../src/lake/box.js';
import { runStatement } from '../../src/lake/box-run.js';
import { type Database, openDatabase } from '../../src/lake/duckdb/connection.js';
import { readRows } from '../../src/lake/duckdb/result.js';
import { explained } from '../../src/query/sql-error.js';

let db: Database;
beforeAll(async () => {
  db = await openDatabase(null, '200MB');
  await db.run(`CREATE TABLE sessions (kind VARCHAR, model VARCHAR, "timestamp" TIMESTAMPTZ, iterations BIGINT,
    duration_ms DOUBLE, gated BOOLEAN, call_key VARCHAR, extra VARCHAR, line BIGINT, file VARCHAR);
    INSERT INTO sessions VALUES ('fill', 'm-1', now(), 1, 2.5, TRUE, 'a', NULL, 1, 'f'), ('x', 'm', now(), 1, 2, TRUE, 'b', '{', 2, 'f');
    CREATE TABLE attempts (call_key VARCHAR, verdict VARCHAR, kind VARCHAR); SET errors_as_json = true`);
});
afterAll(() => db.close());

async function adviceOn(sql: string): Promise<string | undefined> {
  try {
    const checked = await checkStatement(db, sql, 'query', []);
    await readRows(await runStatement(db, checked, {}, { parquet: [], most: null }, false));
  } catch (error) {
    if (error instanceof SqlFault) return explained(error).next;
    throw error;
  }
  throw new Error('it ran');
}

/** A mistake, and what the advice must hold. */
test.each<[sql: string, advice: string]>([
  // Functions.
  ['SELECT percentile(duration_ms, 0.9) FROM sessions', 'quantile_cont(duration_ms, 0.9)'],
  ['SELECT PERCENTILE_CONT(0.9) FROM sessions', 'WITHIN GROUP'],
  ['SELECT approx_percentile(duration_ms, 0.5) FROM sessions', 'approx_quantile'],
  ['SELECT p95(duration_ms) FROM sessions', 'quantile_cont'],
  ['SELECT lenght(kind) FROM sessions', 'did you mean length?'],
  ['SELECT conut(*) FROM sessions', 'did you mean count?'],
  ["SELECT nvl(kind, '') FROM sessions", 'coalesce'],
  ['SELECT getdate()', 'now()'],
  ['SELECT CONVERT(VARCHAR, iterations) FROM sessions', 'CAST(a AS VARCHAR)'],
  ['SELECT to_char("timestamp", \'YYYY\') FROM sessions', 'strftime'],
  ['SELECT date_format("timestamp", \'%Y\') FROM sessions', 'strftime'],
  ['SELECT DATEADD(day, 7, "timestamp") FROM sessions', 'INTERVAL'],
  ["SELECT kind FROM sessions WHERE REGEXP_LIKE(kind, 'a')", 'regexp_matches'],
  ["SELECT kind FROM sessions WHERE kind REGEXP 'a'", 'regexp_matches'],
  ["SELECT kind FROM sessions WHERE kind ~* 'a'", 'regexp_matches'],
  ["SELECT group_concat(kind SEPARATOR ',') FROM sessions", 'string_agg'],
  ['SELECT sumif(iterations, gated) FROM sessions', 'FILTER (WHERE b)'],
  // Aggregates.
  ['SELECT avg(kind) FROM sessions', 'avg takes numbers and this is text'],
  ['SELECT sum(model) FROM sessions', 'sum takes numbers'],
  ['SELECT stddev(kind) FROM sessions', 'stddev takes numbers'],
  ['SELECT avg(gated) FROM sessions', 'avg(CAST('],
  ['SELECT COUNT(DISTINCT kind, model) FROM sessions', 'COUNT(DISTINCT (kind, model))'],
  ['SELECT kind, COUNT(*) FROM sessions', 'add kind to GROUP BY'],
  ['SELECT kind, model, COUNT(*) FROM sessions GROUP BY kind', 'any_value(model)'],
  ['SELECT kind, COUNT(*) AS n FROM sessions GROUP BY kind HAVING line > 2', 'add line to GROUP BY'],
  ['SELECT * FROM sessions WHERE COUNT(*) > 2', 'HAVING COUNT(*) > 2'],
  ['SELECT kind FROM sessions WHERE ROW_NUMBER() OVER () = 1', 'QUALIFY'],
  ['SELECT MAX(COUNT(*)) FROM sessions GROUP BY kind', 'aggregate twice'],
  ["FROM sessions SELECT unnest(string_split(model, '-')) AS p, COUNT(*) GROUP BY p", 'AS u(part)'],
  ["SELECT COUNT(*) FROM sessions GROUP BY unnest(string_split(model, '-'))", 'AS u(part)'],
  // Times.
  ['SELECT date_trunc("timestamp", \'day\') FROM sessions', 'the unit comes first'],
  ['SELECT date_trunc(kind, "timestamp") FROM sessions', 'the unit comes first'],
  ['SELECT date_part("timestamp", \'hour\') FROM sessions', 'the unit comes first'],
  ['SELECT datediff(\'day\', "timestamp") FROM sessions', "date_diff('hour', a, b)"],
  ['SELECT date_sub("timestamp", INTERVAL 7 DAY) FROM sessions', "- INTERVAL '7 days'"],
  ['SELECT NOW() - 7', "INTERVAL '7 days'"],
  ['SELECT "timestamp" + 1 FROM sessions', 'a time moves by an interval'],
  ["SELECT now() - '7 days'", "INTERVAL '7 days'"],
  ['SELECT * FROM sessions WHERE "timestamp" > 1700000000', 'to_timestamp(1700000000)'],
  ['SELECT * FROM sessions WHERE "timestamp" > 2026-09-01', "'2026-09-01'"],
  ['SELECT * FROM sessions WHERE "timestamp" > \'yesterday\'', "a time is '2026-09-01'"],
  // Texts and names.
  ['SELECT kind FROM sessions WHERE kind = “fill”', "single quotes: 'fill'"],
  ['SELECT kind FROM sessions WHERE kind = ‘fill’', "single quotes: 'fill'"],
  ['SELECT kind FROM sessions WHERE kind LIKE fill', "single quotes: 'fill'"],
  ['SELECT kind FROM sessions WHERE kind IN (fill, email)', "single quotes: 'fill'"],
  ['SELECT `kind` FROM sessions', 'backticks'],
  ['SELECT kind FROM `sessions`', 'backticks'],
  ["SELECT * FROM sessions WHERE kind = 'fill", 'a single quote is missing'],
  ['SELECT * FROM sessions WHERE kind = "fill', 'a double quote is missing'],
  ["SELECT kind + 'x' FROM sessions", 'joined with ||'],
  ["SELECT kind FROM sessions WHERE kind = 'a' && gated", 'write AND'],
  ["SELECT COUNT(*) FROM sessions WHERE iterations = 'many'", 'is no number'],
  ['SELECT CAST(kind AS INT) FROM sessions', 'TRY_CAST'],
  ['SELECT kind FROM sessions WHERE kind', 'is no truth value'],
  ["SELECT kind->>'a' FROM sessions", 'read JSON texts'],
  ['SELECT extra.a FROM sessions', "extra->>'$.a'"],
  ['SELECT kind FROM sessions s, attempts a', 's.kind'],
  ['SELECT sessions.kind FROM sessions s', 'sessions is called s here'],
  ['SELECT attempts.verdict FROM sessions', 'JOIN attempts USING (call_key)'],
  ['SELECT kind', 'FROM sessions'],
  ['SELECT kind FROM sessions UNION SELECT kind, model FROM sessions', 'UNION ALL BY NAME'],
  ['SELECT kind FROM sessions WHERE line IN (SELECT line, kind FROM sessions)', 'one column'],
  ['SELECT kind FROM sessions WHERE line = (SELECT line FROM sessions)', 'IN instead of ='],
  // Order and punctuation.
  ['SELECT * FROM sessions LIMIT 5 ORDER BY line', 'LIMIT comes last'],
  ["SELECT * FROM sessions LIMIT 5 WHERE kind = 'a'", 'LIMIT comes last'],
  ['SELECT kind FROM sessions GROUP BY kind WHERE gated', 'the order is FROM'],
  ['SELECT TOP 5 * FROM sessions', 'LIMIT 5'],
  ['SELECT kind FROM sessions GROUP kind', 'write GROUP BY'],
  ['SELECT kind FROM sessions ORDER kind', 'write ORDER BY'],
  ['SELECT kind,, model FROM sessions', 'one comma too many'],
  ['SELECT COUNT(*)) FROM sessions', 'one closing bracket too many'],
  ['SELECT COUNT(* FROM sessions', 'a closing bracket is missing'],
  ['SELECT CASE WHEN gated THEN 1 FROM sessions', 'CASE ends with END'],
  ['SELECT kind FROM sessions JOIN attempts', 'USING (call_key)'],
  ['SELET kind FROM sessions', 'did you mean SELECT for SELET?'],
  ['SELECT kind FORM sessions', 'did you mean FROM for FORM?'],
  ["SELECT kind FROM sessions WERE kind = 'a'", 'did you mean WHERE for WERE?'],
  ['SELECT kind FROM sessions WHERE', 'something is missing at the end'],
  ['lakelog alarm', 'a command, not SQL'],
])('%s', async (sql, advice) => {
  expect(await adviceOn(sql)).toContain(advice);
});
