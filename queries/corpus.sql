-- title: Did we feed it enough corpus
-- question: Does the first attempt succeed more often when the replay retrieved more, or better, documents? Per model, or by what --by names.
-- needs: replay_runs
-- param: by set(model|response_model|provider|kind|daemon|environment|prompt_version|validator_version|month|week|day|hour) = model -- what to group by; several make one group each
-- param: min_n integer(0) = 30 -- groups with fewer answered calls are marked as a small sample
-- column: model text "model" when by_model -- Model the call asked for.
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
    CASE WHEN p.by_model THEN r.model END AS model,
    CASE WHEN p.by_response_model THEN r.response_model END AS response_model,
    CASE WHEN p.by_provider THEN r.provider END AS provider,
    CASE WHEN p.by_kind THEN r.kind END AS kind,
    CASE WHEN p.by_daemon THEN r.daemon END AS daemon,
    CASE WHEN p.by_environment THEN r.environment END AS environment,
    CASE WHEN p.by_prompt_version THEN r.prompt_version END AS prompt_version,
    CASE WHEN p.by_validator_version THEN r.validator_version END AS validator_version,
    CASE WHEN p.by_month THEN r.month END AS month,
    CASE WHEN p.by_week THEN r.week END AS week,
    CASE WHEN p.by_day THEN r.day END AS day,
    CASE WHEN p.by_hour THEN r.hour END AS hour,
    r.session_id, r.answered, r.first_shot,
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
  CROSS JOIN params p
  WHERE r.is_latest
),
-- Calls of one trace resemble each other: the interval needs to know how many came together.
by_trace AS (
  SELECT
    model, response_model, provider, kind, daemon, environment, prompt_version, validator_version, month, week,
    day, hour,
    bucket, session_id,
    COUNT(*) AS calls,
    SUM(CASE WHEN c.answered THEN 1 ELSE 0 END) AS answered,
    SUM(CASE WHEN c.first_shot THEN 1 ELSE 0 END) AS first_shots,
    SUM(score) AS scores,
    COUNT(score) AS scored
  FROM chosen c
  GROUP BY
    model, response_model, provider, kind, daemon, environment, prompt_version, validator_version, month, week,
    day, hour, bucket, session_id
),
counted AS (
  SELECT
    model, response_model, provider, kind, daemon, environment, prompt_version, validator_version, month, week,
    day, hour,
    bucket,
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
  GROUP BY
    model, response_model, provider, kind, daemon, environment, prompt_version, validator_version, month, week,
    day, hour, bucket
)
SELECT
  b.model, b.response_model, b.provider, b.kind, b.daemon, b.environment, b.prompt_version,
  b.validator_version, b.month, b.week, b.day, b.hour,
  CASE b.bucket
    WHEN 1 THEN '0' WHEN 2 THEN '1–2' WHEN 3 THEN '3–5' WHEN 4 THEN '6–10' WHEN 5 THEN '11+'
    WHEN 6 THEN 'not recorded' ELSE 'no replay run'
  END AS documents,
  b.calls, b.answered, b.first_shots,
  1e0 * b.first_shots / NULLIF(b.answered, 0) AS first_shot_rate,
  -- Sums of fractions depend on their order, in which no engine is bound: beyond these digits they say nothing.
  ROUND(1e0 * b.scores / NULLIF(b.scored, 0), 12) AS mean_best_score,
  b.scored,
  b.answered < p.min_n AS small_sample,
  b.traces, b.answered_squared, b.first_shots_squared, b.answered_first_shots
FROM counted b
CROSS JOIN params p
ORDER BY
  b.model NULLS LAST, b.response_model NULLS LAST, b.provider NULLS LAST, b.kind NULLS LAST,
  b.daemon NULLS LAST, b.environment NULLS LAST, b.prompt_version NULLS LAST, b.validator_version NULLS LAST,
  b.month NULLS LAST, b.week NULLS LAST, b.day NULLS LAST, b.hour NULLS LAST,
  b.bucket NULLS LAST
