reduce inputs as $c ({latest: {}, calls: []};
  if $c.schema == "session.iterate.v1" then .calls += [$c | {session_id, model, final_verdict, iterations}]
  elif $c.timestamp > (.latest[$c.session_id].timestamp // "")
  then .latest[$c.session_id] = {timestamp: $c.timestamp, recorded: ($c.documents != null), n: ($c.documents | length)}
  else . end)
| .latest as $latest
| reduce .calls[] as $c ({};
    ($latest[$c.session_id]
      | if . == null then "no replay run" elif .recorded | not then "not recorded"
        elif .n == 0 then "0" elif .n <= 2 then "1–2" elif .n <= 5 then "3–5" elif .n <= 10 then "6–10" else "11+" end) as $bucket
    | .[$c.model][$bucket].calls += 1
    | if $c.final_verdict == "infra_error" then . else .[$c.model][$bucket].answered += 1 end
    | if $c.final_verdict == "accepted" and $c.iterations == 1 then .[$c.model][$bucket].first_shots += 1 else . end)
| to_entries[] | .key as $model | .value | to_entries[]
| {model: $model, documents: .key, calls: .value.calls, answered: (.value.answered // 0), first_shots: (.value.first_shots // 0)}
