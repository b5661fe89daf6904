-- One row per file that was read, with its account.
SELECT
  b.file,
  b.bytes,
  b.lines,
  b.loaded,
  b.rejected,
  b.duplicates,
  b.blank,
  b.pending,
  b.conflicts,
  b.newest_record
FROM {{base.batches}} b
