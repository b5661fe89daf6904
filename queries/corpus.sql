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
-- column: rate_low fraction "95% low" -- Lower end of the Wilson 95 % interval of the rate.
-- column: rate_high fraction "95% high" -- Upper end of the Wilson 95 % interval of the rate.
-- column: mean_best_score number "mean best score" -- Mean over answered calls of the best score of their run; null without a score.
-- column: scored integer "scored" minor -- Answered calls whose run recorded a score: the n of that mean.
-- column: small_sample boolean "small sample" -- Fewer answered calls than min_n: read the interval, not the rate.

-- session_replays fans out; is_latest leaves one row per call, so no call counts twice and none is dropped.
-- The interval is E. B. Wilson's (J. Am. Stat. Assoc. 22, 1927) with z = 1.96.
WITH chosen AS (
  SELECT
    r.model, r.answered, r.first_shot,
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
counted AS (
  SELECT
    model, bucket,
    COUNT(*) AS calls,
    SUM(CASE WHEN answered THEN 1 ELSE 0 END) AS answered,
    SUM(CASE WHEN first_shot THEN 1 ELSE 0 END) AS first_shots,
    AVG(score) AS mean_best_score,
    COUNT(score) AS scored
  FROM chosen
  GROUP BY model, bucket
),
rated AS (
  SELECT
    model, bucket, calls, answered, first_shots, mean_best_score, scored,
    1e0 * first_shots / NULLIF(answered, 0) AS rate,
    3.841458820694124e0 / NULLIF(answered, 0) AS zz_n
  FROM counted
),
bounded AS (
  SELECT
    model, bucket, calls, answered, first_shots, mean_best_score, scored, rate,
    (rate + zz_n / 2e0) / (1e0 + zz_n) AS centre,
    SQRT(zz_n * (rate * (1e0 - rate) + zz_n / 4e0)) / (1e0 + zz_n) AS half_width
  FROM rated
)
SELECT
  b.model,
  CASE b.bucket
    WHEN 1 THEN '0' WHEN 2 THEN '1–2' WHEN 3 THEN '3–5' WHEN 4 THEN '6–10' WHEN 5 THEN '11+'
    WHEN 6 THEN 'not recorded' ELSE 'no replay run'
  END AS documents,
  b.calls, b.answered, b.first_shots,
  b.rate AS first_shot_rate,
  CASE WHEN b.centre - b.half_width < 0e0 THEN 0e0 ELSE b.centre - b.half_width END AS rate_low,
  CASE WHEN b.centre + b.half_width > 1e0 THEN 1e0 ELSE b.centre + b.half_width END AS rate_high,
  b.mean_best_score,
  b.scored,
  b.answered < p.min_n AS small_sample
FROM bounded b
CROSS JOIN params p
ORDER BY b.model NULLS LAST, b.bucket NULLS LAST
