WITH latest AS (
  SELECT session_id, len(documents) AS document_count, list_max(list_transform(documents, lambda d: d.score)) AS best_score
  FROM read_json_auto($replays)
  QUALIFY row_number() OVER (PARTITION BY session_id ORDER BY timestamp DESC) = 1
), chosen AS (
  SELECT s.model, s.final_verdict <> 'infra_error' AS answered,
    s.final_verdict = 'accepted' AND s.iterations = 1 AS first_shot, r.best_score,
    CASE
      WHEN r.session_id IS NULL THEN 'no replay run' WHEN r.document_count IS NULL THEN 'not recorded'
      WHEN r.document_count = 0 THEN '0' WHEN r.document_count <= 2 THEN '1–2' WHEN r.document_count <= 5 THEN '3–5'
      WHEN r.document_count <= 10 THEN '6–10' ELSE '11+' END AS documents
  FROM read_json_auto($sessions) s LEFT JOIN latest r USING (session_id)
)
SELECT model, documents, count(*) AS calls, count(*) FILTER (answered) AS answered,
  count(*) FILTER (first_shot) AS first_shots, count(*) FILTER (first_shot) / nullif(count(*) FILTER (answered), 0) AS first_shot_rate,
  avg(best_score) FILTER (answered) AS mean_best_score, count(best_score) FILTER (answered) AS scored
FROM chosen
GROUP BY model, documents
ORDER BY model, documents
