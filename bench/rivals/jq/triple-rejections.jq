. as $call
| reduce ((.attempts // [])[] | select(.verdict != "infra_error")) as $a ({now: 0, most: 0};
    if $a.verdict == "rejected" then .now += 1 | .most = ([.most, .now] | max) else .now = 0 end)
| .most as $run
| select($run >= 3)
| $call
| {session_id, timestamp, daemon, kind, model, iterations, final_verdict, run_length: $run}
