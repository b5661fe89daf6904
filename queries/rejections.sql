-- title: Top reasons of rejection
-- question: Why does the validator say no, per model? Reasons that differ only in ids and numbers are one.
-- needs: attempts
-- param: top integer(1) = 10 -- reasons per model
-- column: model text "model" -- Model the calls asked for.
-- column: rank integer "rank" minor -- 1 = the most frequent reason of the model; equal counts in the order of the text.
-- column: reason_shape text "reason" -- The reason with ids and numbers replaced by #; null: rejected without a reason.
-- column: rejections integer "rejections" -- Rejected attempts that give this reason.
-- column: share fraction "share" -- rejections / all rejected attempts of the model; an attempt may give several reasons.
-- column: calls integer "calls" minor -- Iterate calls with such an attempt.
-- column: example_session text "example session" -- One of their traces, the first in the order of the text.

WITH rejected AS (
  SELECT a.model, a.call_key, a.session_id, a.attempt_number
  FROM attempts a
  WHERE a.verdict = 'rejected'
),
-- An attempt counts once per reason, and one without any is a group of its own (reason_shape is null): none is dropped.
causes AS (
  SELECT DISTINCT r.model, r.call_key, r.session_id, r.attempt_number, x.reason_shape
  FROM rejected r
  LEFT JOIN attempt_reasons x ON x.call_key = r.call_key AND x.attempt_number = r.attempt_number
),
counted AS (
  SELECT
    model, reason_shape,
    COUNT(*) AS rejections,
    COUNT(DISTINCT call_key) AS calls,
    MIN(session_id) AS example_session
  FROM causes
  GROUP BY model, reason_shape
),
totals AS (
  SELECT model, COUNT(*) AS attempts_rejected
  FROM rejected
  GROUP BY model
),
ranked AS (
  SELECT
    model, reason_shape, rejections, calls, example_session,
    ROW_NUMBER() OVER (PARTITION BY model ORDER BY rejections DESC NULLS LAST, reason_shape NULLS LAST) AS place
  FROM counted
)
SELECT
  k.model AS model, k.place AS rank, k.reason_shape, k.rejections,
  1e0 * k.rejections / t.attempts_rejected AS share,
  k.calls, k.example_session
FROM ranked k
JOIN totals t ON t.model = k.model
CROSS JOIN params p
WHERE k.place <= p.top
ORDER BY k.model NULLS LAST, k.place NULLS LAST
