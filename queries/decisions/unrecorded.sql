-- title: Calls that may be of an arm
-- question: Which answered calls of the kinds of both arms are in neither, but would be if they recorded all that is selected by?
-- column: calls integer "calls" -- How many there are.
-- column: file text "file" -- File that the first of them stands in.
-- column: line integer "line" -- Its line.

WITH arm_kinds AS (
  SELECT DISTINCT s.kind
  FROM sessions s
  WHERE s.answered AND ({{baseline}} OR {{candidate}})
)
SELECT COUNT(*) OVER (ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING) AS calls, s.file, s.line
FROM sessions s
JOIN arm_kinds k ON k.kind = s.kind
WHERE s.answered AND {{possible}}
  AND ({{baseline}}) = FALSE AND ({{candidate}}) = FALSE
ORDER BY s.file, s.line
LIMIT 1
