reduce inputs as $c ({};
  if $c.schema == "replay.run.v1" then .[$c.session_id].runs += 1
  else .[$c.session_id] |= (
    .calls += 1
    | if $c.final_verdict == "accepted" and $c.iterations == 1 then . else .retried = true end
    | if $c.final_verdict == "accepted" and $c.grounded_in_roster == true then .real = true else . end
    | if $c.grounded_in_roster == false
        or ($c.final_verdict == "accepted" and $c.kind == "fill" and $c.grounded_in_roster != true)
      then .ungrounded = true else . end)
  end)
| to_entries[]
| select(.value.real and (.value.retried or .value.ungrounded | not))
| {session_id: .key, calls: .value.calls, replay_runs: (.value.runs // 0)}
