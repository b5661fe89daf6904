WITH rejected AS (
  SELECT call_id, session_id, model, position, a.reasons AS reasons
  FROM (SELECT call_id, session_id, model, unnest(attempts) AS a, generate_subscripts(attempts, 1) AS position
    FROM read_json_auto($sessions))
  WHERE a.verdict = 'rejected'
), causes AS (
  SELECT DISTINCT call_id, session_id, model, position,
    regexp_replace(unnest(reasons), '[\p{L}\p{N}_-]*[0-9][\p{L}\p{N}_-]*', '#', 'g') AS reason_shape
  FROM rejected
), totals AS (
  SELECT model, count(*) AS attempts_rejected FROM rejected GROUP BY model
)
SELECT model, row_number() OVER (PARTITION BY model ORDER BY count(*) DESC, reason_shape) AS rank, reason_shape,
  count(*) AS rejections, count(*) / any_value(attempts_rejected) AS share,
  count(DISTINCT call_id) AS calls, min(session_id) AS example_session
FROM causes JOIN totals USING (model)
GROUP BY model, reason_shape
QUALIFY rank <= 10
ORDER BY model, rank
