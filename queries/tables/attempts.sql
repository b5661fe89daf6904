-- One row per attempt of the calls in sessions; an attempt carries what the filters ask of its call.
SELECT
  COALESCE(t.call_key, s.call_key_base) AS call_key,
  s.session_id,
  s.attempt_number,
  s.verdict,
  s.reasons_text,
  s.prompt,
  s.raw,
  s.span_id,
  s.input_tokens,
  s.output_tokens,
  s.finish_reason,
  s.duration_ms,
  s.error,
  s.timestamp,
  s.kind,
  s.model,
  s.daemon,
  s.environment
FROM {{base.attempts}} s
LEFT JOIN {{base.twins}} t ON t.batch = s.batch AND t.line = s.line
WHERE {{selected}}
