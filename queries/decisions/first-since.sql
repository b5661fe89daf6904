-- title: The first call of an epoch
-- question: Which first answered call of a trace is the first one of those since a moment?
-- column: call_key text "call key" -- The call.
-- column: session_id text "session_id" -- Its trace.
-- column: ended timestamp "ended" -- When it ended.
-- column: file text "file" -- File it stands in.
-- column: line integer "line" -- Its line.
-- column: earlier integer "earlier" -- How many such calls stand before the moment.

WITH ranked AS (
  SELECT
    s.call_key, s.session_id, s.timestamp AS ended, s.file, s.line,
    ROW_NUMBER() OVER (PARTITION BY s.session_id ORDER BY s.timestamp, s.file, s.line) AS place
  FROM sessions s
  WHERE s.answered AND {{arm}}
),
before AS (
  SELECT COUNT(*) AS earlier
  FROM ranked r
  WHERE r.place = 1 AND r.ended < {{change}}
)
SELECT r.call_key, r.session_id, r.ended, r.file, r.line, b.earlier
FROM ranked r
CROSS JOIN before b
WHERE r.place = 1 AND r.ended >= {{change}}
ORDER BY r.ended NULLS LAST, r.file, r.line
LIMIT 1
