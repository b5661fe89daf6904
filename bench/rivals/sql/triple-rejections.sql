WITH attempt AS (
  SELECT call_id, position, a.verdict AS verdict, a.reasons AS reasons
  FROM (SELECT call_id, unnest(attempts) AS a, generate_subscripts(attempts, 1) AS position
    FROM read_json_auto($sessions))
  WHERE a.verdict <> 'infra_error'
), numbered AS (
  SELECT *, row_number() OVER (PARTITION BY call_id ORDER BY position)
    - row_number() OVER (PARTITION BY call_id, verdict = 'rejected' ORDER BY position) AS island
  FROM attempt
), runs AS (
  SELECT call_id, min(position) AS start, count(*) AS run_length,
    array_to_string(flatten(list(coalesce(reasons, []) ORDER BY position)), ' | ') AS reasons
  FROM numbered WHERE verdict = 'rejected'
  GROUP BY call_id, island
  HAVING count(*) >= 3
  QUALIFY row_number() OVER (PARTITION BY call_id ORDER BY count(*) DESC, min(position)) = 1
)
SELECT session_id, timestamp, daemon, kind, model, iterations, final_verdict, run_length, r.reasons AS reasons
FROM runs r JOIN read_json_auto($sessions) s USING (call_id)
ORDER BY run_length DESC, timestamp
