WITH counted AS (
  SELECT model,
    count(*) AS calls,
    count(*) FILTER (final_verdict <> 'infra_error') AS answered,
    count(*) FILTER (final_verdict = 'infra_error') AS infra_errors,
    count(*) FILTER (final_verdict = 'accepted' AND iterations = 1) AS first_shots,
    count(*) FILTER (final_verdict = 'accepted') AS accepted,
    sum(iterations) FILTER (final_verdict <> 'infra_error') AS attempts_made
  FROM read_json_auto($sessions)
  GROUP BY model
), rated AS (
  SELECT *, first_shots / nullif(answered, 0) AS rate, 3.8414588 / nullif(answered, 0) AS zz_n FROM counted
), bounded AS (
  SELECT *, (rate + zz_n / 2) / (1 + zz_n) AS centre,
    sqrt(zz_n * (rate * (1 - rate) + zz_n / 4)) / (1 + zz_n) AS half_width
  FROM rated
)
SELECT model, calls, answered, infra_errors, first_shots, rate AS first_shot_rate,
  greatest(0, centre - half_width) AS rate_low, least(1, centre + half_width) AS rate_high,
  accepted / nullif(answered, 0) AS acceptance_rate, attempts_made / nullif(answered, 0) AS mean_attempts
FROM bounded
ORDER BY model
