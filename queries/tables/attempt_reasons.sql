-- One row per reason of each attempt of the calls in sessions.
SELECT
  COALESCE(t.call_key, s.call_key_base) AS call_key,
  s.session_id,
  s.attempt_number,
  s.reason_number,
  s.reason,
  s.reason_shape,
  s.timestamp,
  s.kind,
  s.model,
  s.daemon,
  s.environment
FROM {{base.attempt_reasons}} s
LEFT JOIN {{base.twins}} t ON t.batch = s.batch AND t.line = s.line
WHERE {{selected}}
