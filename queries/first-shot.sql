-- title: Real candidates without a retry
-- question: Which traces produced a real candidate (accepted and grounded) and never needed a retry?
-- param: gated_kind kinds = fill -- kinds whose accepted calls must be grounded
-- column: session_id text "session_id" -- The trace.
-- column: calls integer "calls" -- Iterate calls of the trace, inside the window or not; all of them were judged.
-- column: replay_runs integer "replay runs" -- Replay runs of the trace.
-- column: first_time timestamp "first call" -- When its earliest call ended.
-- column: last_time timestamp "last call" -- When its latest call ended.

-- A trace is listed when one of its calls is in the window, but one retry outside it is a retry all the same:
-- the columns of traces are judged over all loaded calls.
SELECT t.session_id, t.calls, t.replay_runs, t.first_time, t.last_time
FROM traces t
WHERE t.in_window AND t.has_real_candidate AND t.all_first_shot AND COALESCE(t.any_ungrounded, TRUE) = FALSE
ORDER BY t.last_time NULLS LAST, t.session_id
