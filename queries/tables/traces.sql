-- One row per session_id of either log, judged over all loaded calls of the trace, whatever the filters.
SELECT
  g.session_id AS session_id,
  g.first_time,
  g.last_time,
  g.calls,
  g.replay_runs,
  g.calls > 0 AND g.retried = 0 AS all_first_shot,
  g.grounded = 1 AS has_real_candidate,
  g.ungrounded = 1 AS any_ungrounded,
  g.chosen = 1 AS in_window
FROM (
  SELECT
    e.session_id,
    MIN(CASE WHEN e.is_call = 1 THEN e.ended END) AS first_time,
    MAX(CASE WHEN e.is_call = 1 THEN e.ended END) AS last_time,
    COUNT(CASE WHEN e.is_call = 1 THEN 1 END) AS calls,
    COUNT(CASE WHEN e.is_call = 0 THEN 1 END) AS replay_runs,
    MAX(e.retried) AS retried,
    MAX(e.grounded) AS grounded,
    MAX(e.ungrounded) AS ungrounded,
    MAX(e.chosen) AS chosen
  FROM (
    SELECT
      s.session_id, s.timestamp AS ended, 1 AS is_call,
      CASE WHEN s.final_verdict = 'accepted' AND s.iterations = 1 THEN 0 ELSE 1 END AS retried,
      CASE WHEN s.final_verdict = 'accepted' AND s.grounded_in_roster THEN 1 ELSE 0 END AS grounded,
      CASE
        WHEN COALESCE(s.grounded_in_roster, TRUE) = FALSE THEN 1
        WHEN s.final_verdict = 'accepted' AND {{gated}} AND s.grounded_in_roster IS NULL THEN 1
        ELSE 0
      END AS ungrounded,
      CASE WHEN {{selected}} THEN 1 ELSE 0 END AS chosen
    FROM {{base.calls}} s
    UNION ALL
    SELECT r.session_id, r.timestamp AS ended, 0 AS is_call, 0 AS retried, 0 AS grounded, 0 AS ungrounded, 0 AS chosen
    FROM {{base.runs}} r
  ) e
  GROUP BY e.session_id
) g
