WITH runs AS (
  SELECT session_id, timestamp, daemon, kind, model, iterations, final_verdict,
    arrayFilter(verdict -> verdict <> 'infra_error', attempts.verdict) AS verdicts,
    arraySplit((verdict, i) -> verdict <> 'rejected' OR (i > 1 AND verdicts[i - 1] <> 'rejected'),
      verdicts, arrayEnumerate(verdicts)) AS pieces,
    arrayMax(arrayMap(piece -> if(piece[1] = 'rejected', length(piece), 0), pieces)) AS run_length
  FROM file($sessions, 'JSONEachRow')
)
SELECT session_id, timestamp, daemon, kind, model, iterations, final_verdict, run_length
FROM runs
WHERE run_length >= 3
ORDER BY run_length DESC, timestamp
