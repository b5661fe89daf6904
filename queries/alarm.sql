-- title: Alarm: accepted fills that are not grounded in the roster
-- question: Was a fill accepted that names a worker who is not in the roster? The answer must always be no row.
-- param: gated_kind kinds = fill -- kinds whose accepted calls must be grounded
-- param: allow_unjudged flag = false -- unjudged calls (null or absent stamp) do not keep the gate from vouching
-- column: session_id text "session_id" -- Trace of the call.
-- column: timestamp timestamp "time" -- When the call ended.
-- column: daemon text "daemon" minor -- Service that accepted it.
-- column: kind text "kind" minor -- Kind of artifact.
-- column: model text "model" -- Model asked for.
-- column: reason text "reason" -- ungrounded (the stamp is false, or there is none and a worker is not in --roster), contradicted (the stamp is true, and a worker is not in --roster), unjudged (nobody checked) or unchecked (--roster could not be asked).
-- column: phantoms json "phantoms" when roster -- Whom it names and the roster lacks.
-- column: file text "file" -- File the record stands in.
-- column: line integer "line" -- Physical line in that file.
-- gate: reason
-- fires: contradicted -- stamped grounded, but the roster lacks a worker; the check that stamps is broken or bypassed
-- fires: ungrounded -- accepted although a worker is not in the roster; something bypasses the validator
-- cannot-vouch: unjudged unless allow_unjudged -- accepted, but nobody checked the roster (no stamp, or nobody is named)
-- cannot-vouch: unchecked -- accepted, but its workers could not be looked up: its roster is not at hand, or its ids are hashed or cannot be told
-- judges: final_verdict = 'accepted' AND gated AND (grounded_in_roster = FALSE OR COALESCE(roster_check, CASE WHEN grounded_in_roster THEN 'right' END) IN ('right', 'wrong'))
-- canary: ungrounded {"final_verdict": "accepted", "grounded_in_roster": false}
-- canary: unjudged {"final_verdict": "accepted", "grounded_in_roster": null}
-- canary: unjudged {"final_verdict": "accepted"}
-- canary: contradicted against roster {"grounded_in_roster": true, "roster_hash": "{roster_hash}", "proposed_worker_ids": ["{worker}", "{phantom}"]}
-- canary: contradicted against roster {"grounded_in_roster": true, "roster_hash": "{roster_hash}", "proposed_worker_ids": ["{worker}"], "artifact": {"assignments": [{"worker": {"id": "{phantom}"}}]}}
-- canary: ungrounded against roster {"roster_hash": "{roster_hash}", "artifact": {"backup_workers": ["{phantom}"]}}
-- canary: unchecked against rosters {"grounded_in_roster": true, "roster_hash": "{phantom}", "proposed_worker_ids": ["{worker}"]}

-- A stamp of false stays a violation whatever a roster says. COALESCE, because NULL = FALSE is not true in SQL: the
-- plain comparison would let unjudged calls pass.
SELECT
  s.session_id, s.timestamp, s.daemon, s.kind, s.model,
  CASE
    WHEN COALESCE(s.grounded_in_roster, TRUE) = FALSE THEN 'ungrounded'
    WHEN s.roster_check = 'wrong' AND s.grounded_in_roster THEN 'contradicted'
    WHEN s.roster_check = 'wrong' THEN 'ungrounded'
    WHEN s.roster_check IN ('not_at_hand', 'hashed', 'unread') THEN 'unchecked'
    ELSE 'unjudged'
  END AS reason,
  s.phantoms, s.file, s.line
FROM sessions s
WHERE s.final_verdict = 'accepted'
  AND s.gated
  AND (COALESCE(s.grounded_in_roster, s.roster_check = 'right', FALSE) = FALSE
    OR COALESCE(s.roster_check, 'right') <> 'right')
ORDER BY s.timestamp, s.file, s.line
