-- title: Rates before and after a moment
-- question: How did the first answered calls of traces end before the moment, and since then, by kind and model?
-- column: kind text "kind" -- Kind of artifact.
-- column: model text "model" -- Model asked for.
-- column: day text "day" -- Calendar day in --tz.
-- column: is_after integer "after" -- 0 = before the moment, 1 = since then.
-- column: firsts integer "first answered calls" -- Calls that are the first answered one of their trace.
-- column: first_shots integer "first shots" -- First shots among them.
-- column: accepted integer "accepted" -- Accepted ones among them.

WITH ranked AS (
  SELECT
    s.kind, s.model, s.day, s.timestamp AS ended, s.first_shot, s.final_verdict,
    ROW_NUMBER() OVER (PARTITION BY s.session_id ORDER BY s.timestamp, s.file, s.line) AS place
  FROM sessions s
  WHERE s.answered
),
halved AS (
  SELECT
    r.kind, r.model, r.day, r.first_shot, r.final_verdict,
    CASE WHEN r.ended < {{change}} THEN 0 ELSE 1 END AS is_after
  FROM ranked r
  WHERE r.place = 1 AND {{epoch}}
)
SELECT
  h.kind, h.model, h.day, h.is_after,
  COUNT(*) AS firsts,
  SUM(CASE WHEN h.first_shot THEN 1 ELSE 0 END) AS first_shots,
  SUM(CASE WHEN h.final_verdict = 'accepted' THEN 1 ELSE 0 END) AS accepted
FROM halved h
GROUP BY h.kind, h.model, h.day, h.is_after
ORDER BY h.kind NULLS LAST, h.model NULLS LAST, h.day NULLS LAST, h.is_after NULLS LAST
