-- title: Rates before and after a change of version
-- question: How did the first answered calls of traces end before the present version of their kind came, and with it?
-- column: kind text "kind" -- Kind of artifact.
-- column: model text "model" -- Model asked for.
-- column: present_version text "present version" -- The newest recorded one of the kind; null where none is recorded.
-- column: changed_at timestamp "changed at" -- When it came: its first call, or where it had been there before, its first one after the last of another; null = there was no other.
-- column: part integer "part" -- 0 = before that, 1 = with the present version since then, 2 = since then with another, 3 = since then with none recorded.
-- column: firsts integer "first answered calls" -- Calls that are the first answered one of their trace.
-- column: first_shots integer "first shots" -- First shots among them.
-- column: accepted integer "accepted" -- Accepted ones among them.

WITH ranked AS (
  SELECT
    s.kind, s.model, {{version}} AS version, s.timestamp AS ended, s.file, s.line, s.first_shot, s.final_verdict,
    ROW_NUMBER() OVER (PARTITION BY s.session_id ORDER BY s.timestamp, s.file, s.line) AS place
  FROM sessions s
  WHERE s.answered
),
chosen AS (
  SELECT r.kind, r.model, r.version, r.ended, r.file, r.line, r.first_shot, r.final_verdict
  FROM ranked r
  WHERE r.place = 1 AND {{epoch}}
),
latest AS (
  SELECT
    c.kind, c.version,
    ROW_NUMBER() OVER (PARTITION BY c.kind ORDER BY c.ended DESC NULLS LAST, c.file DESC, c.line DESC) AS place
  FROM chosen c
  WHERE c.version IS NOT NULL
),
seen AS (
  SELECT
    l.kind, l.version AS present_version,
    MIN(CASE WHEN c.version = l.version THEN c.ended END) AS first_seen,
    MIN(CASE WHEN c.version <> l.version THEN c.ended END) AS others_first,
    MAX(CASE WHEN c.version <> l.version THEN c.ended END) AS others_last
  FROM latest l
  INNER JOIN chosen c ON c.kind = l.kind
  WHERE l.place = 1
  GROUP BY l.kind, l.version
),
returned AS (
  SELECT e.kind, MIN(c.ended) AS returned_at
  FROM seen e
  INNER JOIN chosen c ON c.kind = e.kind AND c.version = e.present_version
  WHERE c.ended > e.others_last
  GROUP BY e.kind
),
changes AS (
  SELECT
    e.kind, e.present_version,
    CASE WHEN e.others_first < e.first_seen THEN e.first_seen ELSE b.returned_at END AS changed_at
  FROM seen e
  LEFT JOIN returned b ON b.kind = e.kind
),
parted AS (
  SELECT
    c.kind, c.model, g.present_version, g.changed_at, c.first_shot, c.final_verdict,
    CASE WHEN c.ended < g.changed_at THEN 0 WHEN c.version = g.present_version THEN 1 WHEN c.version IS NULL THEN 3 ELSE 2 END AS part
  FROM chosen c
  LEFT JOIN changes g ON g.kind = c.kind
)
SELECT
  p.kind, p.model, p.present_version, p.changed_at, p.part,
  COUNT(*) AS firsts,
  SUM(CASE WHEN p.first_shot THEN 1 ELSE 0 END) AS first_shots,
  SUM(CASE WHEN p.final_verdict = 'accepted' THEN 1 ELSE 0 END) AS accepted
FROM parted p
GROUP BY p.kind, p.model, p.present_version, p.changed_at, p.part
ORDER BY p.kind NULLS LAST, p.model NULLS LAST, p.part NULLS LAST
