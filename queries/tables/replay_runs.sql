-- One row per replay run in the window.
SELECT
  'replay.run.v1' AS schema,
  r.session_id,
  r.timestamp,
  r.run_id,
  r.task_id,
  r.task,
  r.kind,
  r.model,
  r.provider,
  r.retrieval_query,
  r.context_tokens,
  r.output,
  r.error,
  r.duration_ms,
  r.input_tokens,
  r.output_tokens,
  -- VARCHAR: Fields of the line that the format does not name, as JSON text.
  r.extra,
  -- VARCHAR: The same as session_id.
  r.session_id AS trace_id,
  -- VARCHAR: File the line stands in, as it was named.
  b.file,
  -- BIGINT: Physical line in that file, from 1.
  r.line AS line,
  -- BIGINT: Documents retrieved; NULL where not recorded.
  r.document_count,
  -- DOUBLE: Highest score among them; NULL where there is none.
  r.best_score
FROM {{base.runs}} r
LEFT JOIN {{base.batches}} b ON b.batch = r.batch
WHERE {{selected_runs}}
