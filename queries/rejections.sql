-- title: Top reasons of rejection
-- question: Why does the validator say no, per model (--by: or per kind, version, day, …)? Reasons that differ only in ids and numbers are one.
-- needs: attempts
-- param: by set(model|response_model|provider|kind|daemon|environment|prompt_version|validator_version|month|week|day|hour) = model -- what to group by; several make one group each
-- param: top integer(1) = 10 -- reasons per group
-- column: model text "model" when by_model -- Model the calls asked for.
-- column: response_model text "response model" when by_response_model -- Model that answered, as the provider names it.
-- column: provider text "provider" when by_provider -- Provider of the model.
-- column: kind text "kind" when by_kind -- Kind of artifact.
-- column: daemon text "daemon" when by_daemon -- Service that made the calls.
-- column: environment text "environment" when by_environment -- Deployment environment.
-- column: prompt_version text "prompt version" when by_prompt_version -- Version of the prompt.
-- column: validator_version text "validator version" when by_validator_version -- Version of the validator.
-- column: month text "month" when by_month -- Month in --tz, YYYY-MM.
-- column: week text "week" when by_week -- Week in --tz by ISO 8601, from Monday on.
-- column: day text "day" when by_day -- Calendar day in --tz.
-- column: hour text "hour" when by_hour -- Clock hour in --tz.
-- column: rank integer "rank" minor -- 1 = the most frequent reason of the group; equal counts in the order of the text.
-- column: reason_shape text "reason" -- The reason with ids and numbers replaced by #; null: rejected without a reason.
-- column: rejections integer "rejections" -- Rejected attempts that give this reason.
-- column: share fraction "share" -- rejections / all rejected attempts of the group; an attempt may give several reasons.
-- column: calls integer "calls" minor -- Iterate calls with such an attempt.
-- column: example_session text "example session" -- One of their traces, the first in the order of the text.

WITH rejected AS (
  SELECT
    CASE WHEN p.by_model THEN s.model END AS model,
    CASE WHEN p.by_response_model THEN s.response_model END AS response_model,
    CASE WHEN p.by_provider THEN s.provider END AS provider,
    CASE WHEN p.by_kind THEN s.kind END AS kind,
    CASE WHEN p.by_daemon THEN s.daemon END AS daemon,
    CASE WHEN p.by_environment THEN s.environment END AS environment,
    CASE WHEN p.by_prompt_version THEN s.prompt_version END AS prompt_version,
    CASE WHEN p.by_validator_version THEN s.validator_version END AS validator_version,
    CASE WHEN p.by_month THEN s.month END AS month,
    CASE WHEN p.by_week THEN s.week END AS week,
    CASE WHEN p.by_day THEN s.day END AS day,
    CASE WHEN p.by_hour THEN s.hour END AS hour,
    a.call_key AS call_key, a.session_id AS session_id, a.attempt_number
  FROM attempts a
  JOIN sessions s ON s.call_key = a.call_key
  CROSS JOIN params p
  WHERE a.verdict = 'rejected'
),
-- An attempt counts once per reason, and one without any is a group of its own (reason_shape is null): none is dropped.
causes AS (
  SELECT DISTINCT
    r.model, r.response_model, r.provider, r.kind, r.daemon, r.environment, r.prompt_version,
    r.validator_version, r.month, r.week, r.day, r.hour,
    r.call_key, r.session_id, r.attempt_number, x.reason_shape
  FROM rejected r
  LEFT JOIN attempt_reasons x ON x.call_key = r.call_key AND x.attempt_number = r.attempt_number
),
-- One cause of each attempt stands for it where attempts are counted.
numbered AS (
  SELECT
    model, response_model, provider, kind, daemon, environment, prompt_version, validator_version, month, week,
    day, hour,
    call_key, session_id, reason_shape,
    ROW_NUMBER() OVER (PARTITION BY call_key, attempt_number ORDER BY reason_shape NULLS LAST) AS cause
  FROM causes
),
counted AS (
  SELECT
    model, response_model, provider, kind, daemon, environment, prompt_version, validator_version, month, week,
    day, hour,
    reason_shape,
    COUNT(*) AS rejections,
    SUM(CASE WHEN n.cause = 1 THEN 1 ELSE 0 END) AS attempts_counted,
    COUNT(DISTINCT call_key) AS calls,
    MIN(session_id) AS example_session
  FROM numbered n
  GROUP BY
    model, response_model, provider, kind, daemon, environment, prompt_version, validator_version, month, week,
    day, hour,
    reason_shape
),
ranked AS (
  SELECT
    model, response_model, provider, kind, daemon, environment, prompt_version, validator_version, month, week,
    day, hour,
    reason_shape, rejections, calls, example_session,
    SUM(attempts_counted) OVER (
      PARTITION BY
        model, response_model, provider, kind, daemon, environment, prompt_version,
        validator_version, month, week, day, hour
      ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING
    ) AS attempts_rejected,
    ROW_NUMBER() OVER (
      PARTITION BY
        model, response_model, provider, kind, daemon, environment, prompt_version,
        validator_version, month, week, day, hour
      ORDER BY rejections DESC NULLS LAST, reason_shape NULLS LAST
    ) AS place
  FROM counted
)
SELECT
  k.model, k.response_model, k.provider, k.kind, k.daemon, k.environment, k.prompt_version,
  k.validator_version, k.month, k.week, k.day, k.hour,
  k.place AS rank, k.reason_shape, k.rejections,
  1e0 * k.rejections / k.attempts_rejected AS share,
  k.calls, k.example_session
FROM ranked k
CROSS JOIN params p
WHERE k.place <= p.top
ORDER BY
  k.model NULLS LAST, k.response_model NULLS LAST, k.provider NULLS LAST, k.kind NULLS LAST,
  k.daemon NULLS LAST, k.environment NULLS LAST, k.prompt_version NULLS LAST, k.validator_version NULLS LAST,
  k.month NULLS LAST, k.week NULLS LAST, k.day NULLS LAST, k.hour NULLS LAST, k.place NULLS LAST
