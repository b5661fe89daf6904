-- One row per document of each replay run whose own time is in the window.
SELECT
  r.session_id,
  r.run_id,
  b.file,
  r.line AS line,
  r.position,
  r.id,
  r.source,
  r.score,
  r.rank
FROM {{base.documents}} r
LEFT JOIN {{base.batches}} b ON b.batch = r.batch
WHERE {{selected_runs}}
