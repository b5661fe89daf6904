SELECT session_id, timestamp, daemon, kind, model,
  if(grounded_in_roster IS NULL, 'unjudged', 'ungrounded') AS reason
FROM file($sessions, 'JSONEachRow')
WHERE final_verdict = 'accepted' AND kind = 'fill' AND coalesce(grounded_in_roster, FALSE) = FALSE
ORDER BY timestamp
