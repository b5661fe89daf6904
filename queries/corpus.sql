-- title: Did we feed it enough corpus
-- question: Does the first attempt succeed more often when the replay retrieved more, or better, documents?
-- needs: replay_runs
-- param: min_n integer(0) = 30 -- groups with fewer answered calls are marked as a small sample
-- column: model text "model" -- Model the call asked for.
-- column: documents text "documents" -- Documents the latest replay run of the trace retrieved.
-- column: calls integer "calls" minor -- Iterate calls in the group; every call stands in exactly one.
-- column: answered integer "answered" -- Calls that ended accepted or max_iter_exhausted: the denominator of the rate.
-- column: first_shots integer "first shots" minor -- Calls accepted with one attempt.
-- column: first_shot_rate fraction "rate" -- first_shots / answered; null without an answered call.
-- column: rate_low fraction "95% low" -- Lower end of the Wilson 95 % interval of the rate, calls of one trace not taken for independent.
-- column: rate_high fraction "95% high" -- Upper end of that interval.
-- column: mean_best_score number "mean best score" -- Mean over answered calls of the best score of their run; null without a score.
-- column: scored integer "scored" minor -- Answered calls whose run recorded a score: the n of that mean.
-- column: small_sample boolean "small sample" -- Fewer answered calls than min_n: read the interval, not the rate.
-- column: traces integer hidden -- Traces with an answered call.
-- column: answered_squared integer hidden -- Sum over traces of answered calls, squared.
-- column: first_shots_squared integer hidden -- Sum over traces of first shots, squared.
-- column: answered_first_shots integer hidden -- Sum over traces of answered calls times first shots.
-- interval: rate_low rate_high = clustered_wilson(first_shots, answered, traces, answered_squared, first_shots_squared, answered_first_shots)

-- session_replays fans out; is_latest leaves one row per call, so no call counts twice and none is dropped.
WITH chosen AS (
  SELECT
    r.model, r.session_id, r.answered, r.first_shot,
    CASE WHEN r.answered THEN r.best_score END AS score,
    CASE
      WHEN COALESCE(r.has_replay, FALSE) = FALSE THEN 7
      WHEN r.document_count IS NULL THEN 6
      WHEN r.document_count = 0 THEN 1
      WHEN r.document_count <= 2 THEN 2
      WHEN r.document_count <= 5 THEN 3
      WHEN r.document_count <= 10 THEN 4
      ELSE 5
    END AS bucket
  FROM session_replays r
  WHERE r.is_latest
),
-- Calls of one trace resemble each other: the interval needs to know how many came together.
by_trace AS (
  SELECT
    model, bucket, session_id,
    COUNT(*) AS calls,
    SUM(CASE WHEN c.answered THEN 1 ELSE 0 END) AS answered,
    SUM(CASE WHEN c.first_shot THEN 1 ELSE 0 END) AS first_shots,
    SUM(score) AS scores,
    COUNT(score) AS scored
  FROM chosen c
  GROUP BY model, bucket, session_id
),
counted AS (
  SELECT
    model, bucket,
    SUM(t.calls) AS calls,
    SUM(t.answered) AS answered,
    SUM(t.first_shots) AS first_shots,
    SUM(t.scores) AS scores,
    SUM(t.scored) AS scored,
    SUM(CASE WHEN t.answered > 0 THEN 1 ELSE 0 END) AS traces,
    SUM(t.answered * t.answered) AS answered_squared,
    SUM(t.first_shots * t.first_shots) AS first_shots_squared,
    SUM(t.answered * t.first_shots) AS answered_first_shots
  FROM by_trace t
  GROUP BY model, bucket
)
SELECT
  b.model,
  CASE b.bucket
    WHEN 1 THEN '0' WHEN 2 THEN '1–2' WHEN 3 THEN '3–5' WHEN 4 THEN '6–10' WHEN 5 THEN '11+'
    WHEN 6 THEN 'not recorded' ELSE 'no replay run'
  END AS documents,
  b.calls, b.answered, b.first_shots,
  1e0 * b.first_shots / NULLIF(b.answered, 0) AS first_shot_rate,
  1e0 * b.scores / NULLIF(b.scored, 0) AS mean_best_score,
  b.scored,
  b.answered < p.min_n AS small_sample,
  b.traces, b.answered_squared, b.first_shots_squared, b.answered_first_shots
FROM counted b
CROSS JOIN params p
ORDER BY b.model NULLS LAST, b.bucket NULLS LAST
