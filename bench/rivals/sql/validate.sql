SELECT 'sessions' AS what, count(*) AS records FROM read_ndjson_objects($sessions) WHERE json_valid(json)
UNION ALL
SELECT 'replay_runs', count(*) FROM read_ndjson_objects($replays) WHERE json_valid(json)
