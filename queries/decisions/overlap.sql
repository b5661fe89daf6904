-- title: Calls in both arms
-- question: Which calls do both selections take?
-- column: file text "file" -- File the call stands in.
-- column: line integer "line" -- Its line.
-- column: session_id text "session_id" -- Its trace.
-- column: calls integer "calls" -- How many there are.

SELECT
  s.file, s.line, s.session_id,
  COUNT(*) OVER (ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING) AS calls
FROM sessions s
WHERE {{baseline}} AND {{candidate}}
ORDER BY s.file, s.line
LIMIT 1
