SELECT 'call' AS event, timestamp, to_json(s) AS record FROM read_json_auto($sessions) s WHERE session_id = $id
UNION ALL
SELECT 'replay_run', timestamp, to_json(r) FROM read_json_auto($replays) r WHERE session_id = $id
ORDER BY timestamp
