-- One row per attempt of the calls in sessions.
SELECT
  -- VARCHAR: The call.
  COALESCE(t.call_key, s.call_key_base) AS call_key,
  -- VARCHAR: Its trace.
  s.session_id,
  s.attempt_number,
  -- VARCHAR: accepted, rejected, no_candidate, infra_error or other.
  s.verdict,
  -- VARCHAR: Reasons joined by ' | '; NULL where there are none.
  s.reasons_text,
  s.prompt,
  s.raw,
  s.span_id,
  s.input_tokens,
  s.output_tokens,
  s.finish_reason,
  s.duration_ms,
  s.error,
  -- TIMESTAMPTZ: When the call ended.
  s.timestamp,
  -- VARCHAR: Kind of the call.
  s.kind,
  -- VARCHAR: Model of the call.
  s.model,
  -- VARCHAR: Service that made the call.
  s.daemon,
  -- VARCHAR: Deployment environment of the call.
  s.environment
FROM {{base.attempts}} s
LEFT JOIN {{base.twins}} t ON t.batch = s.batch AND t.line = s.line
WHERE {{selected}}
