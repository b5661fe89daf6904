-- title: First-shot success rate
-- question: How often is the first attempt accepted, per model, or per provider, kind, version, day, … (--by)?
-- param: by set(model|response_model|provider|kind|daemon|environment|prompt_version|validator_version|month|week|day|hour) = model -- what to group by; several make one group each
-- param: min_n integer(0) = 30 -- groups with fewer answered calls are marked as a small sample
-- column: model text "model" when by_model -- Model asked for.
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
-- column: calls integer "calls" minor -- Iterate calls in the group.
-- column: answered integer "answered" -- Calls that ended accepted or max_iter_exhausted: the denominator of every rate.
-- column: infra_errors integer "infra errors" minor -- Calls that ended in an infra error; in no rate.
-- column: first_shots integer "first shots" minor -- Calls accepted with one attempt.
-- column: first_shot_rate fraction "rate" -- first_shots / answered; null without an answered call.
-- column: rate_low fraction "95% low" -- Lower end of the Wilson 95 % interval of the rate, calls of one trace not taken for independent.
-- column: rate_high fraction "95% high" -- Upper end of that interval.
-- column: acceptance_rate fraction "accepted" -- Accepted calls / answered.
-- column: mean_attempts number "mean attempts" -- Mean of iterations over answered calls.
-- column: small_sample boolean "small sample" -- Fewer answered calls than min_n: read the interval, not the rate.
-- column: traces integer hidden -- Traces with an answered call.
-- column: answered_squared integer hidden -- Sum over traces of answered calls, squared.
-- column: first_shots_squared integer hidden -- Sum over traces of first shots, squared.
-- column: answered_first_shots integer hidden -- Sum over traces of answered calls times first shots.
-- interval: rate_low rate_high = clustered_wilson(first_shots, answered, traces, answered_squared, first_shots_squared, answered_first_shots)

WITH chosen AS (
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
    s.session_id, s.answered, s.first_shot, s.final_verdict, s.iterations
  FROM sessions s
  CROSS JOIN params p
),
-- Calls of one trace resemble each other: the interval needs to know how many came together.
by_trace AS (
  SELECT
    model, response_model, provider, kind, daemon, environment, prompt_version, validator_version, month, week,
    day, hour, session_id,
    COUNT(*) AS calls,
    SUM(CASE WHEN c.answered THEN 1 ELSE 0 END) AS answered,
    SUM(CASE WHEN c.first_shot THEN 1 ELSE 0 END) AS first_shots,
    SUM(CASE WHEN c.final_verdict = 'accepted' THEN 1 ELSE 0 END) AS accepted,
    SUM(CASE WHEN c.answered THEN c.iterations ELSE 0 END) AS attempts_made
  FROM chosen c
  GROUP BY
    model, response_model, provider, kind, daemon, environment, prompt_version, validator_version, month, week,
    day, hour, session_id
),
counted AS (
  SELECT
    model, response_model, provider, kind, daemon, environment, prompt_version, validator_version, month, week,
    day, hour,
    SUM(t.calls) AS calls,
    SUM(t.answered) AS answered,
    SUM(t.first_shots) AS first_shots,
    SUM(t.accepted) AS accepted,
    SUM(t.attempts_made) AS attempts_made,
    SUM(CASE WHEN t.answered > 0 THEN 1 ELSE 0 END) AS traces,
    SUM(t.answered * t.answered) AS answered_squared,
    SUM(t.first_shots * t.first_shots) AS first_shots_squared,
    SUM(t.answered * t.first_shots) AS answered_first_shots
  FROM by_trace t
  GROUP BY
    model, response_model, provider, kind, daemon, environment, prompt_version, validator_version, month, week,
    day, hour
)
SELECT
  b.model, b.response_model, b.provider, b.kind, b.daemon, b.environment, b.prompt_version,
  b.validator_version, b.month, b.week, b.day, b.hour,
  b.calls, b.answered,
  b.calls - b.answered AS infra_errors,
  b.first_shots,
  1e0 * b.first_shots / NULLIF(b.answered, 0) AS first_shot_rate,
  1e0 * b.accepted / NULLIF(b.answered, 0) AS acceptance_rate,
  1e0 * b.attempts_made / NULLIF(b.answered, 0) AS mean_attempts,
  b.answered < p.min_n AS small_sample,
  b.traces, b.answered_squared, b.first_shots_squared, b.answered_first_shots
FROM counted b
CROSS JOIN params p
ORDER BY
  b.model NULLS LAST, b.response_model NULLS LAST, b.provider NULLS LAST, b.kind NULLS LAST,
  b.daemon NULLS LAST, b.environment NULLS LAST, b.prompt_version NULLS LAST, b.validator_version NULLS LAST,
  b.month NULLS LAST, b.week NULLS LAST, b.day NULLS LAST, b.hour NULLS LAST
