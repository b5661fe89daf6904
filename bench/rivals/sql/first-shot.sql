WITH calls AS (
  SELECT session_id, min(timestamp) AS first_time, max(timestamp) AS last_time, count(*) AS calls,
    bool_and(final_verdict = 'accepted' AND iterations = 1) AS all_first_shot,
    bool_or(final_verdict = 'accepted' AND coalesce(grounded_in_roster, FALSE)) AS has_real_candidate,
    bool_or(coalesce(NOT grounded_in_roster, FALSE)
      OR final_verdict = 'accepted' AND kind = 'fill' AND NOT coalesce(grounded_in_roster, FALSE)) AS any_ungrounded
  FROM read_json_auto($sessions)
  GROUP BY session_id
), runs AS (
  SELECT session_id, count(*) AS replay_runs FROM read_json_auto($replays) GROUP BY session_id
)
SELECT session_id, calls, coalesce(replay_runs, 0) AS replay_runs, first_time, last_time
FROM calls LEFT JOIN runs USING (session_id)
WHERE has_real_candidate AND all_first_shot AND NOT any_ungrounded
ORDER BY last_time, session_id
