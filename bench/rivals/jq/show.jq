select(.session_id == $id) | {event: (if .schema == "replay.run.v1" then "replay_run" else "call" end), timestamp, record: .}
