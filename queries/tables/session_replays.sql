-- Each call in sessions with each replay run of its trace, whenever that ran; one row without a run where there is none.
-- Of runs at the same time the one that stands later counts as the latest: by file in argument order, then by line.
SELECT
  COALESCE(t.call_key, s.call_key_base) AS call_key,
  s.session_id AS session_id,
  s.timestamp AS timestamp,
  s.kind,
  s.model,
  s.daemon,
  s.iterations,
  s.final_verdict,
  s.answered,
  s.first_shot,
  {{gated}} AS gated,
  s.grounded_in_roster,
  l.recency IS NOT NULL AS has_replay,
  COALESCE(l.recency, 1) = 1 AS is_latest,
  l.run_id AS run_id,
  l.timestamp AS run_timestamp,
  l.document_count AS document_count,
  l.best_score AS best_score
FROM {{base.calls}} s
LEFT JOIN (
  SELECT
    r.session_id, r.timestamp, r.run_id, r.document_count, r.best_score,
    ROW_NUMBER() OVER (PARTITION BY r.session_id
      ORDER BY r.timestamp DESC NULLS LAST, r.batch DESC NULLS LAST, r.line DESC NULLS LAST) AS recency
  FROM {{base.runs}} r
) l ON l.session_id = s.session_id
LEFT JOIN {{base.twins}} t ON t.batch = s.batch AND t.line = s.line
WHERE {{selected}}
