-- One row per session_id of either log, judged over all loaded calls of the trace, whatever the filters.
SELECT
  g.session_id AS session_id,
  g.first_time,
  g.last_time,
  g.calls,
  g.replay_runs,
  g.calls > 0 AND g.first_shots = g.calls AS all_first_shot,
  g.grounded > 0 AS has_real_candidate,
  g.ungrounded > 0 AS any_ungrounded,
  g.chosen > 0 AS in_window
FROM (
  SELECT
    e.session_id,
    MIN(e.ended) AS first_time,
    MAX(e.ended) AS last_time,
    COUNT(e.ended) AS calls,
    COUNT(*) - COUNT(e.ended) AS replay_runs,
    COUNT(e.first_shot) AS first_shots,
    COUNT(e.grounded) AS grounded,
    COUNT(e.ungrounded) AS ungrounded,
    COUNT(e.chosen) AS chosen
  FROM (
    SELECT
      s.session_id, s.timestamp AS ended,
      CASE WHEN s.final_verdict = 'accepted' AND s.iterations = 1 THEN 1 END AS first_shot,
      CASE WHEN s.final_verdict = 'accepted' AND s.grounded_in_roster THEN 1 END AS grounded,
      CASE
        WHEN COALESCE(s.grounded_in_roster, TRUE) = FALSE THEN 1
        WHEN s.final_verdict = 'accepted' AND {{gated}} AND s.grounded_in_roster IS NULL THEN 1
      END AS ungrounded,
      CASE WHEN {{selected}} THEN 1 END AS chosen
    FROM {{base.calls}} s
    UNION ALL
    SELECT r.session_id, NULL AS ended, NULL AS first_shot, NULL AS grounded, NULL AS ungrounded, NULL AS chosen
    FROM {{base.runs}} r
  ) e
  GROUP BY e.session_id
) g
