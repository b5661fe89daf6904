WITH rejected AS (
  SELECT call_id, session_id, model, position, reasons
  FROM (SELECT call_id, session_id, model, attempts.verdict AS verdicts, attempts.reasons AS all_reasons
    FROM file($sessions, 'JSONEachRow'))
  ARRAY JOIN verdicts AS verdict, all_reasons AS reasons, arrayEnumerate(verdicts) AS position
  WHERE verdict = 'rejected'
), causes AS (
  SELECT call_id, session_id, model, arrayJoin(arrayDistinct(arrayMap(
    reason -> replaceRegexpAll(reason, '[\\p{L}\\p{N}_-]*[0-9][\\p{L}\\p{N}_-]*', '#'), reasons))) AS reason_shape
  FROM rejected
), totals AS (
  SELECT model, count() AS attempts_rejected FROM rejected GROUP BY model
)
SELECT model, row_number() OVER (PARTITION BY model ORDER BY rejections DESC, reason_shape) AS rank, reason_shape,
  rejections, rejections / attempts_rejected AS share, calls, example_session
FROM (
  SELECT model, reason_shape, count() AS rejections, uniqExact(call_id) AS calls, min(session_id) AS example_session
  FROM causes GROUP BY model, reason_shape
) counted JOIN totals USING (model)
QUALIFY rank <= 10
ORDER BY model, rank
