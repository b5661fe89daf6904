-- title: A call that failed
-- question: Which answered call of an arm is the newest one that failed?
-- column: file text "file" -- File it stands in.
-- column: line integer "line" -- Its line.
-- column: session_id text "session_id" -- Its trace.

SELECT s.file, s.line, s.session_id
FROM sessions s
WHERE s.answered AND {{arm}} AND {{failed}}
ORDER BY s.timestamp DESC, s.file DESC, s.line DESC
LIMIT 1
