-- One row per file that was read, now or earlier: lines = loaded + rejected + duplicates + blank + pending.
SELECT
  -- VARCHAR: As it was named.
  b.file,
  -- BIGINT: Bytes read, uncompressed.
  CAST(SUM(b.bytes) AS BIGINT) AS bytes,
  -- BIGINT: Physical lines.
  CAST(SUM(b.lines) AS BIGINT) AS lines,
  -- BIGINT: Lines that became a row.
  CAST(SUM(b.loaded) AS BIGINT) AS loaded,
  -- BIGINT: Lines that could not be loaded.
  CAST(SUM(b.rejected) AS BIGINT) AS rejected,
  -- BIGINT: Lines that are byte-identical to an earlier one.
  CAST(SUM(b.duplicates) AS BIGINT) AS duplicates,
  -- BIGINT: Lines of white space.
  CAST(SUM(b.blank) AS BIGINT) AS blank,
  -- BIGINT: An unfinished last line of a file that is being written.
  CAST(SUM(b.pending) AS BIGINT) AS pending,
  -- BIGINT: Loaded calls whose call_id another line carries too.
  CAST(SUM(b.conflicts) AS BIGINT) AS conflicts,
  -- BIGINT: Loaded records more than 15 minutes older than one that stands before them in the file.
  CAST(SUM(b.late) AS BIGINT) AS late,
  -- TIMESTAMPTZ: Latest timestamp that was loaded.
  MAX(b.newest_record) AS newest_record
FROM {{base.batches}} b
GROUP BY b.file
