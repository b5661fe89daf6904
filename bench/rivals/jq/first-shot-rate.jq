reduce inputs as $c ({};
  .[$c.model].calls += 1
  | if $c.final_verdict == "infra_error" then . else .[$c.model].answered += 1 end
  | if $c.final_verdict == "accepted" and $c.iterations == 1 then .[$c.model].first_shots += 1 else . end)
| to_entries[]
| {model: .key, calls: .value.calls, answered: (.value.answered // 0), first_shots: (.value.first_shots // 0)}
