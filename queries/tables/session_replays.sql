-- Fans out: each call in sessions with each replay run of its trace, one row with has_replay false where there is
-- none. Count calls with is_latest, or every call counts once per run.
SELECT
  -- VARCHAR: The call.
  COALESCE(t.call_key, s.call_key_base) AS call_key,
  -- VARCHAR: Its trace.
  s.session_id AS session_id,
  -- TIMESTAMPTZ: When the call ended.
  s.timestamp AS timestamp,
  -- VARCHAR: Kind of the call.
  s.kind,
  -- VARCHAR: Model of the call.
  s.model,
  -- VARCHAR: Service that made the call.
  s.daemon,
  -- VARCHAR: Provider of the model.
  s.provider,
  -- VARCHAR: Model that answered, as the provider names it.
  s.response_model,
  -- VARCHAR: Deployment environment of the call.
  s.environment,
  -- VARCHAR: Version of the prompt.
  s.prompt_version,
  -- VARCHAR: Version of the validator.
  s.validator_version,
  -- VARCHAR: Clock hour of the call in --tz, YYYY-MM-DDTHH; one that the clocks repeat in autumn is one.
  {{hour}} AS hour,
  -- VARCHAR: Calendar day of the call in --tz, YYYY-MM-DD.
  {{day}} AS day,
  -- VARCHAR: Week of the call in --tz by ISO 8601, from Monday on: YYYY-Www.
  {{week}} AS week,
  -- VARCHAR: Month of the call in --tz, YYYY-MM.
  {{month}} AS month,
  -- BIGINT: Attempts of the call.
  s.iterations,
  -- VARCHAR: How the call ended.
  s.final_verdict,
  -- BOOLEAN: Ended accepted or max_iter_exhausted.
  s.answered,
  -- BOOLEAN: Accepted with iterations = 1.
  s.first_shot,
  -- BOOLEAN: Kind must be grounded.
  {{gated}} AS gated,
  -- BOOLEAN: Stamp of the call.
  s.grounded_in_roster,
  -- BOOLEAN: A replay run of the trace was loaded.
  l.recency IS NOT NULL AS has_replay,
  -- BOOLEAN: True on one row per call: its latest run (later position on ties), or the row without a run.
  COALESCE(l.recency, 1) = 1 AS is_latest,
  -- VARCHAR: The replay run.
  l.run_id AS run_id,
  -- TIMESTAMPTZ: When the run ended.
  l.timestamp AS run_timestamp,
  -- BIGINT: Documents retrieved; NULL where not recorded or no run.
  l.document_count AS document_count,
  -- DOUBLE: Highest score among them.
  l.best_score AS best_score
FROM {{base.calls}} s
LEFT JOIN (
  -- Of runs at the same time the one that stands later is the latest: by file in argument order, then by line.
  SELECT
    r.session_id, r.timestamp, r.run_id, r.document_count, r.best_score,
    ROW_NUMBER() OVER (PARTITION BY r.session_id
      ORDER BY r.timestamp DESC NULLS LAST, {{run_order}} DESC NULLS LAST, r.line DESC NULLS LAST) AS recency
  FROM {{base.runs}} r
) l ON l.session_id = s.session_id
LEFT JOIN {{base.twins}} t ON t.batch = s.batch AND t.line = s.line
WHERE {{selected}}
