SELECT session_id, timestamp, daemon, kind, model,
  CASE WHEN grounded_in_roster IS NULL THEN 'unjudged' ELSE 'ungrounded' END AS reason
FROM read_ndjson($sessions, columns = {
  session_id: 'VARCHAR', timestamp: 'TIMESTAMPTZ', kind: 'VARCHAR', model: 'VARCHAR', daemon: 'VARCHAR',
  final_verdict: 'VARCHAR', grounded_in_roster: 'BOOLEAN'})
WHERE final_verdict = 'accepted' AND kind = 'fill' AND COALESCE(grounded_in_roster, FALSE) = FALSE
ORDER BY timestamp
