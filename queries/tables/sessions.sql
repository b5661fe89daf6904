-- One row per iterate call that passes the filters.
SELECT
  'session.iterate.v1' AS schema,
  s.session_id,
  s.timestamp,
  s.kind,
  s.model,
  s.iterations,
  s.final_verdict,
  s.grounded_in_roster,
  s.daemon,
  s.provider,
  s.response_model,
  s.environment,
  s.prompt_version,
  s.validator_version,
  s.roster_hash,
  s.error,
  s.error_type,
  s.max_iterations,
  s.prompt,
  s.artifact,
  s.proposed_worker_ids,
  s.duration_ms,
  s.call_id,
  s.writer_id,
  s.seq,
  -- VARCHAR: Fields of the line that the format does not name, as JSON text.
  s.extra,
  -- VARCHAR: The same as session_id: the Langfuse / W3C trace id.
  s.session_id AS trace_id,
  -- VARCHAR: Names the call: its call_id, else a hash of its required fields; unique.
  COALESCE(t.call_key, s.call_key_base) AS call_key,
  -- VARCHAR: File the line stands in, as it was named.
  b.file,
  -- BIGINT: Physical line in that file, from 1.
  s.line AS line,
  -- VARCHAR: Clock hour of the timestamp in --tz, YYYY-MM-DDTHH; one that the clocks repeat in autumn is one.
  {{hour}} AS hour,
  -- VARCHAR: Calendar day of the timestamp in --tz, YYYY-MM-DD.
  {{day}} AS day,
  -- VARCHAR: Week of the timestamp in --tz by ISO 8601, from Monday on: YYYY-Www.
  {{week}} AS week,
  -- VARCHAR: Month of the timestamp in --tz, YYYY-MM.
  {{month}} AS month,
  -- BOOLEAN: Ended accepted or max_iter_exhausted: the denominator of every rate.
  s.answered,
  -- BOOLEAN: Accepted with iterations = 1.
  s.first_shot,
  -- BOOLEAN: Kind is one whose accepted calls must be grounded.
  {{gated}} AS gated,
  -- BIGINT: Rejected attempts; NULL where the attempts are not recorded.
  s.rejections,
  -- BIGINT: Most rejections in a row; an infra_error neither counts nor ends a run; NULL where not judgeable.
  s.longest_rejection_run,
  -- BIGINT: The same with no_candidate counted too.
  s.longest_failure_run,
  -- VARCHAR: Reasons of the longest rejection run (earliest on ties), joined by ' | '.
  s.run_reasons,
  -- VARCHAR: Reasons of the longest failure run, in the same way; a no_candidate attempt seldom gives any.
  s.failure_run_reasons,
  -- BOOLEAN: An attempt is not understood, or their number is not iterations.
  s.inconsistent,
  -- VARCHAR: With --roster, of accepted calls of gated kinds: right, wrong, not_at_hand, hashed, unread or nobody.
  c.roster_check,
  -- VARCHAR: With --roster: whom the call names and its roster lacks, as JSON text; NULL where there is nobody.
  c.phantoms
FROM {{base.calls}} s
LEFT JOIN {{base.batches}} b ON b.batch = s.batch
LEFT JOIN {{base.twins}} t ON t.batch = s.batch AND t.line = s.line
LEFT JOIN {{base.recomputed}} c ON c.batch = s.batch AND c.line = s.line
WHERE {{selected}}
