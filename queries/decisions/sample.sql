-- title: A sample of an arm's calls
-- question: Which calls come first by their keys, so that two samples share some where their arms do?
-- column: call_key text "call key" -- The call.

SELECT s.call_key
FROM sessions s
WHERE s.answered AND {{arm}}
ORDER BY s.call_key NULLS LAST
LIMIT 200
