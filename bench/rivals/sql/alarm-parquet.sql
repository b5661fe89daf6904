SELECT session_id, timestamp, daemon, kind, model,
  CASE WHEN grounded_in_roster IS NULL THEN 'unjudged' ELSE 'ungrounded' END AS reason
FROM read_parquet($sessions, hive_partitioning = false)
WHERE final_verdict = 'accepted' AND kind = 'fill' AND COALESCE(grounded_in_roster, FALSE) = FALSE
ORDER BY timestamp
