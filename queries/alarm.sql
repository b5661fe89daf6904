-- title: Alarm: accepted fills that are not grounded in the roster
-- question: Was a fill accepted that names a worker who is not in the roster? The answer must always be no row.
-- param: gated_kind kinds = fill -- kinds whose accepted calls must be grounded
-- param: allow_unjudged flag = false -- unjudged calls (null or absent stamp) do not keep the gate from vouching
-- column: session_id text "session_id" -- Trace of the call.
-- column: timestamp timestamp "time" -- When the call ended.
-- column: daemon text "daemon" minor -- Service that accepted it.
-- column: kind text "kind" minor -- Kind of artifact.
-- column: model text "model" -- Model asked for.
-- column: reason text "reason" -- ungrounded (the stamp is false) or unjudged (null or absent: nobody checked).
-- column: file text "file" -- File the record stands in.
-- column: line integer "line" -- Physical line in that file.
-- gate: reason
-- fires: ungrounded -- accepted although a worker is not in the roster; something bypasses the validator
-- cannot-vouch: unjudged unless allow_unjudged -- accepted, but nobody checked the roster (stamp null or absent)
-- judges: final_verdict = 'accepted' AND gated AND grounded_in_roster IS NOT NULL
-- canary: ungrounded {"final_verdict": "accepted", "grounded_in_roster": false}
-- canary: unjudged {"final_verdict": "accepted", "grounded_in_roster": null}
-- canary: unjudged {"final_verdict": "accepted"}

-- COALESCE, because NULL = FALSE is not true in SQL: the plain comparison would let unjudged calls pass.
SELECT
  s.session_id, s.timestamp, s.daemon, s.kind, s.model,
  CASE WHEN s.grounded_in_roster IS NULL THEN 'unjudged' ELSE 'ungrounded' END AS reason,
  s.file, s.line
FROM sessions s
WHERE s.final_verdict = 'accepted'
  AND s.gated
  AND COALESCE(s.grounded_in_roster, FALSE) = FALSE
ORDER BY s.timestamp, s.file, s.line
