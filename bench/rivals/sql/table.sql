CREATE TABLE calls AS
SELECT * EXCLUDE (attempts),
  list_transform(attempts, lambda a: struct_pack(
    verdict := a.verdict, reasons := a.reasons, span_id := a.span_id, input_tokens := a.input_tokens,
    output_tokens := a.output_tokens, finish_reason := a.finish_reason, duration_ms := a.duration_ms, error := a.error
  )) AS attempts
FROM read_json($sessions, format = 'newline_delimited', columns = {
  session_id: 'VARCHAR', timestamp: 'TIMESTAMPTZ', kind: 'VARCHAR', model: 'VARCHAR', iterations: 'BIGINT',
  final_verdict: 'VARCHAR', grounded_in_roster: 'BOOLEAN', daemon: 'VARCHAR', provider: 'VARCHAR',
  response_model: 'VARCHAR', environment: 'VARCHAR', prompt_version: 'VARCHAR', validator_version: 'VARCHAR',
  roster_hash: 'VARCHAR', error: 'VARCHAR', error_type: 'VARCHAR', max_iterations: 'BIGINT',
  proposed_worker_ids: 'JSON', duration_ms: 'DOUBLE', call_id: 'VARCHAR', writer_id: 'VARCHAR', seq: 'BIGINT',
  attempts: 'STRUCT(verdict VARCHAR, reasons VARCHAR[], span_id VARCHAR, input_tokens BIGINT, output_tokens BIGINT, finish_reason VARCHAR, duration_ms DOUBLE, error VARCHAR)[]'
});
