reduce inputs as $c ({};
  reduce ($c.attempts[] | select(.verdict == "rejected")
    | [.reasons[] | gsub("[\\w-]*[0-9][\\w-]*"; "#")] | unique[]) as $shape (.; .[$c.model][$shape] += 1))
| to_entries[] | .key as $model
| .value | to_entries | sort_by(-.value, .key) | limit(10; .[])
| {model: $model, reason_shape: .key, rejections: .value}
