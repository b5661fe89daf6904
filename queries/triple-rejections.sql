-- title: Calls rejected three times in a row
-- question: Which calls had three rejections in a row (or --streak of them), and for which reasons?
-- needs: attempts
-- param: streak integer(1) = 3 -- rejections in a row
-- param: count_no_candidate flag = false -- an attempt without a parseable proposal counts as a rejection
-- column: session_id text "session_id" -- Trace of the call.
-- column: timestamp timestamp "time" -- When the call ended.
-- column: daemon text "daemon" minor -- Service that made the call.
-- column: kind text "kind" minor -- Kind of artifact.
-- column: model text "model" -- Model asked for.
-- column: iterations integer "attempts" minor -- Attempts of the call.
-- column: final_verdict text "verdict" minor -- How the call ended.
-- column: run_length integer "in a row" -- The longest run of rejections; an infra_error neither counts nor ends it.
-- column: reasons text "reasons" -- Reasons of that run (the earliest on ties), joined by ' | '; null where none were given.
-- column: file text "file" -- File the record stands in.
-- column: line integer "line" -- Physical line in that file.

-- Calls whose attempts are not recorded have a NULL run and cannot be judged: the receipt counts them.
WITH runs AS (
  SELECT
    s.session_id, s.timestamp, s.daemon, s.kind, s.model, s.iterations, s.final_verdict, s.file, s.line,
    CASE WHEN p.count_no_candidate THEN s.longest_failure_run ELSE s.longest_rejection_run END AS run_length,
    CASE WHEN p.count_no_candidate THEN s.failure_run_reasons ELSE s.run_reasons END AS reasons,
    p.streak
  FROM sessions s
  CROSS JOIN params p
)
SELECT
  r.session_id, r.timestamp, r.daemon, r.kind, r.model, r.iterations, r.final_verdict,
  r.run_length, NULLIF(r.reasons, '') AS reasons, r.file, r.line
FROM runs r
WHERE r.run_length >= r.streak
ORDER BY r.run_length DESC NULLS LAST, r.timestamp, r.file, r.line
