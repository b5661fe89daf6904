-- One row per reason of each attempt.
SELECT
  -- VARCHAR: The call.
  COALESCE(t.call_key, s.call_key_base) AS call_key,
  -- VARCHAR: Its trace.
  s.session_id,
  -- BIGINT: The attempt, from 1.
  s.attempt_number,
  -- BIGINT: Position of the reason, from 1.
  s.reason_number,
  -- VARCHAR: The reason as it was given.
  s.reason,
  -- VARCHAR: The reason with ids and numbers replaced by #, so that one cause groups.
  s.reason_shape,
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
FROM {{base.attempt_reasons}} s
LEFT JOIN {{base.twins}} t ON t.batch = s.batch AND t.line = s.line
WHERE {{selected}}
