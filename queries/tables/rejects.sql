-- One row per line that could not be loaded, whatever the filters.
SELECT
  b.file,
  r.line AS line,
  r.byte_offset,
  r.reason,
  r.detail,
  r.line_sha256
FROM {{base.rejects}} r
LEFT JOIN {{base.batches}} b ON b.batch = r.batch
