-- One row per file that was read: lines = loaded + rejected + duplicates + blank + pending.
SELECT
  -- VARCHAR: As it was named.
  b.file,
  -- BIGINT: Bytes read, uncompressed.
  b.bytes,
  -- BIGINT: Physical lines.
  b.lines,
  -- BIGINT: Lines that became a row.
  b.loaded,
  -- BIGINT: Lines that could not be loaded.
  b.rejected,
  -- BIGINT: Lines that are byte-identical to an earlier one.
  b.duplicates,
  -- BIGINT: Lines of white space.
  b.blank,
  -- BIGINT: An unfinished last line of a file that is being written.
  b.pending,
  -- BIGINT: Loaded calls whose call_id another line carries too.
  b.conflicts,
  -- BIGINT: Loaded records more than 15 minutes older than one that stands before them in the file.
  b.late,
  -- TIMESTAMPTZ: Latest timestamp that was loaded.
  b.newest_record
FROM {{base.batches}} b
