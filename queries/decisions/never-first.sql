-- title: Kinds that never begin a trace
-- question: Of which kinds is no answered call the first one of its trace, so that nothing is said of them?
-- column: kind text "kind" -- Kind of artifact.
-- column: calls integer "calls" -- Its answered calls.

WITH ranked AS (
  SELECT
    s.kind, s.timestamp AS ended,
    ROW_NUMBER() OVER (PARTITION BY s.session_id ORDER BY s.timestamp, s.file, s.line) AS place
  FROM sessions s
  WHERE s.answered
)
SELECT r.kind, COUNT(*) AS calls
FROM ranked r
WHERE {{epoch}}
GROUP BY r.kind
HAVING SUM(CASE WHEN r.place = 1 THEN 1 ELSE 0 END) = 0
ORDER BY r.kind NULLS LAST
