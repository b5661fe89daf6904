-- title: First-shot success rate
-- question: How often is the first attempt accepted, per model (or provider, kind, daemon, environment, day)?
-- param: by set(model|provider|kind|daemon|environment|day) = model -- what to group by; several make one group each
-- param: min_n integer(0) = 30 -- groups with fewer answered calls are marked as a small sample
-- column: model text "model" when by_model -- Model asked for.
-- column: provider text "provider" when by_provider -- Provider of the model.
-- column: kind text "kind" when by_kind -- Kind of artifact.
-- column: daemon text "daemon" when by_daemon -- Service that made the calls.
-- column: environment text "environment" when by_environment -- Deployment environment.
-- column: day text "day" when by_day -- Calendar day in --tz.
-- column: calls integer "calls" minor -- Iterate calls in the group.
-- column: answered integer "answered" -- Calls that ended accepted or max_iter_exhausted: the denominator of every rate.
-- column: infra_errors integer "infra errors" minor -- Calls that ended in an infra error; in no rate.
-- column: first_shots integer "first shots" minor -- Calls accepted with one attempt.
-- column: first_shot_rate fraction "rate" -- first_shots / answered; null without an answered call.
-- column: rate_low fraction "95% low" -- Lower end of the Wilson 95 % interval of the rate.
-- column: rate_high fraction "95% high" -- Upper end of the Wilson 95 % interval of the rate.
-- column: acceptance_rate fraction "accepted" -- Accepted calls / answered.
-- column: mean_attempts number "mean attempts" -- Mean of iterations over answered calls.
-- column: small_sample boolean "small sample" -- Fewer answered calls than min_n: read the interval, not the rate.

-- The interval is E. B. Wilson's (J. Am. Stat. Assoc. 22, 1927) with z = 1.96: it stays inside 0..1 and is
-- honest for rates near 0 and 1 and for few calls, where the textbook p ± z·se is not.
WITH chosen AS (
  SELECT
    CASE WHEN p.by_model THEN s.model END AS model,
    CASE WHEN p.by_provider THEN s.provider END AS provider,
    CASE WHEN p.by_kind THEN s.kind END AS kind,
    CASE WHEN p.by_daemon THEN s.daemon END AS daemon,
    CASE WHEN p.by_environment THEN s.environment END AS environment,
    CASE WHEN p.by_day THEN s.day END AS day,
    s.answered, s.first_shot, s.final_verdict, s.iterations
  FROM sessions s
  CROSS JOIN params p
),
counted AS (
  SELECT
    model, provider, kind, daemon, environment, day,
    COUNT(*) AS calls,
    SUM(CASE WHEN c.answered THEN 1 ELSE 0 END) AS answered,
    SUM(CASE WHEN c.answered THEN 0 ELSE 1 END) AS infra_errors,
    SUM(CASE WHEN c.first_shot THEN 1 ELSE 0 END) AS first_shots,
    SUM(CASE WHEN c.final_verdict = 'accepted' THEN 1 ELSE 0 END) AS accepted,
    SUM(CASE WHEN c.answered THEN c.iterations ELSE 0 END) AS attempts_made
  FROM chosen c
  GROUP BY model, provider, kind, daemon, environment, day
),
rated AS (
  SELECT
    model, provider, kind, daemon, environment, day, calls, answered, infra_errors, first_shots,
    1e0 * first_shots / NULLIF(answered, 0) AS rate,
    1e0 * accepted / NULLIF(answered, 0) AS acceptance_rate,
    1e0 * attempts_made / NULLIF(answered, 0) AS mean_attempts,
    3.841458820694124e0 / NULLIF(answered, 0) AS zz_n
  FROM counted
),
bounded AS (
  SELECT
    model, provider, kind, daemon, environment, day, calls, answered, infra_errors, first_shots,
    rate, acceptance_rate, mean_attempts,
    (rate + zz_n / 2e0) / (1e0 + zz_n) AS centre,
    SQRT(zz_n * (rate * (1e0 - rate) + zz_n / 4e0)) / (1e0 + zz_n) AS half_width
  FROM rated
)
SELECT
  b.model, b.provider, b.kind, b.daemon, b.environment, b.day,
  b.calls, b.answered, b.infra_errors, b.first_shots,
  b.rate AS first_shot_rate,
  CASE WHEN b.centre - b.half_width < 0e0 THEN 0e0 ELSE b.centre - b.half_width END AS rate_low,
  CASE WHEN b.centre + b.half_width > 1e0 THEN 1e0 ELSE b.centre + b.half_width END AS rate_high,
  b.acceptance_rate,
  b.mean_attempts,
  b.answered < p.min_n AS small_sample
FROM bounded b
CROSS JOIN params p
ORDER BY
  b.model NULLS LAST, b.provider NULLS LAST, b.kind NULLS LAST, b.daemon NULLS LAST,
  b.environment NULLS LAST, b.day NULLS LAST
