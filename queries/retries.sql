-- title: What each retry buys
-- question: Of the calls that made attempt k, how many did it rescue, and for how many tokens and seconds? Per model, or by what --by names.
-- needs: attempts
-- param: by set(model|response_model|provider|kind|daemon|environment|prompt_version|validator_version|month|week|day|hour) = model -- what to group by; several make one group each
-- param: min_n integer(0) = 30 -- attempts of fewer answered calls are marked as a small sample
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
-- column: attempt integer "attempt" -- Number of the attempt in its call, 1 to 100; the first one is no retry.
-- column: calls integer "made it" -- Calls that made it: rescued + went_on + exhausted + infra_errors.
-- column: rescued integer "rescued" -- Calls that it ended accepted.
-- column: went_on integer "went on" minor -- Calls that made another attempt after it.
-- column: exhausted integer "at limit" -- Calls that ended max_iter_exhausted after it: whether one more would have rescued them, nobody knows.
-- column: infra_errors integer "infra errors" minor -- Calls that an infra error ended at it: it told nothing of them, and they are in no rate.
-- column: rescue_rate fraction "rate" -- rescued / (calls - infra_errors); null where nothing is known.
-- column: rate_low fraction "95% low" -- Lower end of the Wilson 95 % interval of the rate, calls of one trace not taken for independent.
-- column: rate_high fraction "95% high" -- Upper end of that interval.
-- column: small_sample boolean "small sample" minor -- Fewer calls in the rate than min_n: read the interval, not the rate.
-- column: recommended boolean "best limit" -- With --worth: the limit, of those that were tried, with the greatest worth of accepted calls less cost; no row where not even the first attempt earns, null where no cost is known.
-- column: pays text "pays" -- With --worth: yes where the whole interval of the rate says that this attempt earns more than it costs, no where all of it says less, else cannot tell.
-- column: cost_per_extra number "cost per extra" -- With --prices: money for each call that this attempt rescued.
-- column: cost_per_accepted number "cost per accepted" -- With --prices: money for each accepted call with this limit, calls that are never accepted included.
-- column: cost number "cost" minor -- With --prices: money for the tokens of this attempt, in the currency of the price list; null where the model has no price.
-- column: metered integer "with tokens" -- Of calls, those of which every attempt has its input and output tokens: all that is said of tokens and money is said of them.
-- column: input_tokens integer "input tokens" minor -- Tokens that the model read in this attempt of theirs; null without one.
-- column: output_tokens integer "output tokens" minor -- Tokens that it wrote in this attempt of theirs; null without one.
-- column: tokens_per_extra number "tokens per extra" -- Input and output tokens of this attempt of theirs / those that it rescued; null where it rescued none.
-- column: tokens_per_accepted number "tokens per accepted" -- The same of all their attempts up to this one / those accepted by then: what an accepted call costs with this limit, calls that are never accepted included.
-- column: timed integer "with times" minor -- Of calls, those of which every attempt has a duration: all that is said of seconds is said of them.
-- column: seconds_per_extra number "seconds per extra" -- Seconds of this attempt of theirs / those that it rescued; null where it rescued none.
-- column: seconds_per_accepted number "seconds per accepted" minor -- Seconds of all their attempts up to this one / those accepted by then.
-- column: tested integer hidden -- Calls in the rate.
-- column: traces integer hidden -- Traces of these.
-- column: tested_squared integer hidden -- Sum over traces of calls in the rate, squared.
-- column: rescued_squared integer hidden -- Sum over traces of rescued calls, squared.
-- column: tested_rescued integer hidden -- Sum over traces of calls in the rate times rescued calls.
-- column: metered_rescued integer hidden -- Of metered, those that it rescued.
-- column: metered_accepted integer hidden -- Of calls with all tokens, those accepted by then.
-- column: input_so_far integer hidden -- Their input tokens up to this attempt.
-- column: output_so_far integer hidden -- Their output tokens up to this attempt.
-- interval: rate_low rate_high = clustered_wilson(rescued, tested, traces, tested_squared, rescued_squared, tested_rescued)
-- money: cost = price(model, input_tokens, output_tokens)
-- money: cost_per_extra = price(model, input_tokens, output_tokens, metered_rescued)
-- money: cost_per_accepted = price(model, input_so_far, output_so_far, metered_accepted)
-- worth: pays recommended = limit(attempt, metered, metered_rescued, cost, rate_low, rate_high)

WITH digits AS (
  SELECT 0 AS digit UNION ALL SELECT 1 UNION ALL SELECT 2 UNION ALL SELECT 3 UNION ALL SELECT 4
  UNION ALL SELECT 5 UNION ALL SELECT 6 UNION ALL SELECT 7 UNION ALL SELECT 8 UNION ALL SELECT 9
),
numbers AS (
  SELECT 10 * t.digit + o.digit + 1 AS k
  FROM digits t
  CROSS JOIN digits o
),
-- Tokens and times that are absent are not zero: a call counts in their sums if it has them for every attempt.
recorded AS (
  SELECT
    call_key,
    COUNT(*) AS attempts_recorded,
    SUM(CASE WHEN a.input_tokens >= 0 AND a.output_tokens >= 0 THEN 1 ELSE 0 END) AS with_tokens,
    SUM(CASE WHEN a.duration_ms >= 0e0 THEN 1 ELSE 0 END) AS with_times
  FROM attempts a
  GROUP BY call_key
),
chosen AS (
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
    s.call_key AS call_key, s.session_id, s.iterations, s.final_verdict,
    CASE WHEN r.attempts_recorded = s.iterations AND r.with_tokens = s.iterations THEN 1 ELSE 0 END AS metered,
    CASE WHEN r.attempts_recorded = s.iterations AND r.with_times = s.iterations THEN 1 ELSE 0 END AS timed
  FROM sessions s
  LEFT JOIN recorded r ON r.call_key = s.call_key
  CROSS JOIN params p
),
-- A row per call and attempt that it made.
made AS (
  SELECT
    c.model AS model, c.response_model, c.provider, c.kind AS kind, c.daemon AS daemon,
    c.environment AS environment, c.prompt_version, c.validator_version, c.month, c.week, c.day, c.hour,
    c.session_id AS session_id, n.k, c.metered, c.timed,
    CASE WHEN c.iterations = n.k AND c.final_verdict = 'accepted' THEN 1 ELSE 0 END AS rescued,
    CASE WHEN c.iterations > n.k THEN 1 ELSE 0 END AS went_on,
    CASE WHEN c.iterations = n.k AND c.final_verdict = 'max_iter_exhausted' THEN 1 ELSE 0 END AS exhausted,
    CASE WHEN c.iterations = n.k AND c.final_verdict = 'infra_error' THEN 1 ELSE 0 END AS infra_error,
    CASE WHEN c.metered = 1 THEN a.input_tokens END AS input_tokens,
    CASE WHEN c.metered = 1 THEN a.output_tokens END AS output_tokens,
    CASE WHEN c.timed = 1 THEN a.duration_ms END AS milliseconds
  FROM chosen c
  JOIN numbers n ON n.k <= c.iterations
  LEFT JOIN attempts a ON a.call_key = c.call_key AND a.attempt_number = n.k
),
-- Calls of one trace resemble each other: the interval needs to know how many came together.
by_trace AS (
  SELECT
    model, response_model, provider, kind, daemon, environment, prompt_version, validator_version, month, week,
    day, hour,
    k, session_id,
    COUNT(*) AS calls,
    SUM(m.rescued) AS rescued,
    SUM(m.went_on) AS went_on,
    SUM(m.exhausted) AS exhausted,
    SUM(m.infra_error) AS infra_errors,
    SUM(1 - m.infra_error) AS tested,
    SUM(m.metered) AS metered,
    SUM(m.metered * m.rescued) AS metered_rescued,
    SUM(m.input_tokens) AS input_tokens,
    SUM(m.output_tokens) AS output_tokens,
    SUM(m.timed) AS timed,
    SUM(m.timed * m.rescued) AS timed_rescued,
    SUM(m.milliseconds) AS milliseconds
  FROM made m
  GROUP BY
    model, response_model, provider, kind, daemon, environment, prompt_version, validator_version, month, week,
    day, hour,
    k, session_id
),
counted AS (
  SELECT
    model, response_model, provider, kind, daemon, environment, prompt_version, validator_version, month, week,
    day, hour,
    k,
    SUM(t.calls) AS calls,
    SUM(t.rescued) AS rescued,
    SUM(t.went_on) AS went_on,
    SUM(t.exhausted) AS exhausted,
    SUM(t.infra_errors) AS infra_errors,
    SUM(t.tested) AS tested,
    SUM(t.metered) AS metered,
    SUM(t.metered_rescued) AS metered_rescued,
    SUM(t.input_tokens) AS input_tokens,
    SUM(t.output_tokens) AS output_tokens,
    SUM(t.timed) AS timed,
    SUM(t.timed_rescued) AS timed_rescued,
    SUM(t.milliseconds) AS milliseconds,
    SUM(CASE WHEN t.tested > 0 THEN 1 ELSE 0 END) AS traces,
    SUM(t.tested * t.tested) AS tested_squared,
    SUM(t.rescued * t.rescued) AS rescued_squared,
    SUM(t.tested * t.rescued) AS tested_rescued
  FROM by_trace t
  GROUP BY
    model, response_model, provider, kind, daemon, environment, prompt_version, validator_version, month, week,
    day, hour,
    k
),
summed AS (
  SELECT
    model, response_model, provider, kind, daemon, environment, prompt_version, validator_version, month, week,
    day, hour,
    k, calls, rescued, went_on, exhausted, infra_errors, tested, metered, metered_rescued, input_tokens,
    output_tokens, timed, timed_rescued, milliseconds, traces, tested_squared, rescued_squared, tested_rescued,
    SUM(input_tokens) OVER (
      PARTITION BY
        model, response_model, provider, kind, daemon, environment, prompt_version,
        validator_version, month, week, day, hour
      ORDER BY k NULLS LAST
      ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
    ) AS input_so_far,
    SUM(output_tokens) OVER (
      PARTITION BY
        model, response_model, provider, kind, daemon, environment, prompt_version,
        validator_version, month, week, day, hour
      ORDER BY k NULLS LAST
      ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
    ) AS output_so_far,
    SUM(metered_rescued) OVER (
      PARTITION BY
        model, response_model, provider, kind, daemon, environment, prompt_version,
        validator_version, month, week, day, hour
      ORDER BY k NULLS LAST
      ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
    ) AS metered_accepted,
    SUM(milliseconds) OVER (
      PARTITION BY
        model, response_model, provider, kind, daemon, environment, prompt_version,
        validator_version, month, week, day, hour
      ORDER BY k NULLS LAST
      ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
    ) AS milliseconds_so_far,
    SUM(timed_rescued) OVER (
      PARTITION BY
        model, response_model, provider, kind, daemon, environment, prompt_version,
        validator_version, month, week, day, hour
      ORDER BY k NULLS LAST
      ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
    ) AS timed_accepted
  FROM counted
)
SELECT
  b.model, b.response_model, b.provider, b.kind, b.daemon, b.environment, b.prompt_version,
  b.validator_version, b.month, b.week, b.day, b.hour,
  b.k AS attempt,
  b.calls, b.rescued, b.went_on, b.exhausted, b.infra_errors,
  1e0 * b.rescued / NULLIF(b.tested, 0) AS rescue_rate,
  b.tested < p.min_n AS small_sample,
  b.metered, b.input_tokens, b.output_tokens,
  1e0 * (b.input_tokens + b.output_tokens) / NULLIF(b.metered_rescued, 0) AS tokens_per_extra,
  CASE WHEN b.metered > 0 THEN 1e0 * (b.input_so_far + b.output_so_far) / NULLIF(b.metered_accepted, 0) END
    AS tokens_per_accepted,
  b.timed,
  b.milliseconds / 1000e0 / NULLIF(b.timed_rescued, 0) AS seconds_per_extra,
  CASE WHEN b.timed > 0 THEN b.milliseconds_so_far / 1000e0 / NULLIF(b.timed_accepted, 0) END
    AS seconds_per_accepted,
  b.tested, b.traces, b.tested_squared, b.rescued_squared, b.tested_rescued,
  b.metered_rescued,
  CASE WHEN b.metered > 0 THEN b.metered_accepted END AS metered_accepted,
  b.input_so_far, b.output_so_far
FROM summed b
CROSS JOIN params p
ORDER BY
  b.model NULLS LAST, b.response_model NULLS LAST, b.provider NULLS LAST, b.kind NULLS LAST,
  b.daemon NULLS LAST, b.environment NULLS LAST, b.prompt_version NULLS LAST, b.validator_version NULLS LAST,
  b.month NULLS LAST, b.week NULLS LAST, b.day NULLS LAST, b.hour NULLS LAST, b.k NULLS LAST
