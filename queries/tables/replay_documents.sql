-- One row per document of each replay run in the window.
SELECT
  -- VARCHAR: The trace.
  r.session_id,
  -- VARCHAR: The run; may name a batch, so file and line tell runs apart.
  r.run_id,
  -- VARCHAR: File the line stands in, as it was named.
  b.file,
  -- BIGINT: Physical line in that file, from 1.
  r.line AS line,
  -- BIGINT: Position in the line, from 1.
  r.position,
  r.id,
  r.source,
  r.score,
  r.rank
FROM {{base.documents}} r
LEFT JOIN {{base.batches}} b ON b.batch = r.batch
WHERE {{selected_runs}}
