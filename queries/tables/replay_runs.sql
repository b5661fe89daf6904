-- One row per replay run whose own time is in the window.
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
  r.extra,
  r.session_id AS trace_id,
  b.file,
  r.line AS line,
  r.document_count,
  r.best_score
FROM {{base.runs}} r
LEFT JOIN {{base.batches}} b ON b.batch = r.batch
WHERE {{selected_runs}}
