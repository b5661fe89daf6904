reduce inputs as $c ({}; .[$c.schema] += 1)
| {what: "sessions", records: (.["session.iterate.v1"] // 0)}, {what: "replay_runs", records: (.["replay.run.v1"] // 0)}
