select(.final_verdict == "accepted" and .kind == "fill" and .grounded_in_roster != true)
| {session_id, timestamp, daemon, kind, model, reason: (if .grounded_in_roster == null then "unjudged" else "ungrounded" end)}
