-- One row per session_id, judged over all loaded calls of the trace, whatever the filters.
SELECT
  -- VARCHAR: The trace.
  g.session_id AS session_id,
  -- TIMESTAMPTZ: Earliest call.
  g.first_time,
  -- TIMESTAMPTZ: Latest call.
  g.last_time,
  -- BIGINT: Iterate calls.
  g.calls,
  -- BIGINT: Replay runs.
  g.replay_runs,
  -- BOOLEAN: Every call was accepted at attempt 1; false without a call.
  g.calls > 0 AND g.first_shots = g.calls AS all_first_shot,
  -- BOOLEAN: An accepted call is stamped grounded.
  g.grounded > 0 AS has_real_candidate,
  -- BOOLEAN: A call is stamped false, or is an accepted call of a gated kind not stamped true.
  g.ungrounded > 0 AS any_ungrounded,
  -- BOOLEAN: One of its calls passes the filters.
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
