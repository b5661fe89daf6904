-- title: Rates by day
-- question: How many traces of each kind and model began on each day, and how did their first answered calls end?
-- column: kind text "kind" -- Kind of artifact.
-- column: model text "model" -- Model asked for.
-- column: day text "day" -- Calendar day in --tz.
-- column: firsts integer "first answered calls" -- Calls that are the first answered one of their trace.
-- column: first_shots integer "first shots" -- First shots among them.
-- column: accepted integer "accepted" -- Accepted ones among them.

WITH ranked AS (
  SELECT
    s.kind, s.model, s.day, s.timestamp AS ended, s.first_shot, s.final_verdict,
    ROW_NUMBER() OVER (PARTITION BY s.session_id ORDER BY s.timestamp, s.file, s.line) AS place
  FROM sessions s
  WHERE s.answered
)
SELECT
  r.kind, r.model, r.day,
  COUNT(*) AS firsts,
  SUM(CASE WHEN r.first_shot THEN 1 ELSE 0 END) AS first_shots,
  SUM(CASE WHEN r.final_verdict = 'accepted' THEN 1 ELSE 0 END) AS accepted
FROM ranked r
WHERE r.place = 1 AND {{epoch}}
GROUP BY r.kind, r.model, r.day
ORDER BY r.kind NULLS LAST, r.model NULLS LAST, r.day NULLS LAST
