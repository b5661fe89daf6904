-- One row per line that could not be loaded, whatever the filters.
SELECT
  -- VARCHAR: File the line stands in, as it was named.
  b.file,
  -- BIGINT: Physical line in that file, from 1.
  r.line AS line,
  -- BIGINT: Of the line's first byte in the uncompressed file.
  r.byte_offset,
  -- VARCHAR: bad_json, not_object, missing:…, type:…, value:…, wrong_kind, too_long, torn_tail.
  r.reason,
  -- VARCHAR: What is wrong, in words.
  r.detail,
  -- VARCHAR: Hash of the line without its terminator.
  r.line_sha256
FROM {{base.rejects}} r
LEFT JOIN {{base.batches}} b ON b.batch = r.batch
