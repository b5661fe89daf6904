WITH latest AS (
  SELECT session_id, argMax(length(documents.id), timestamp) AS document_count,
    argMax(arrayMax(documents.score), timestamp) AS best_score
  FROM file($replays, 'JSONEachRow')
  GROUP BY session_id
), chosen AS (
  SELECT s.model AS model, s.final_verdict <> 'infra_error' AS is_answered,
    s.final_verdict = 'accepted' AND s.iterations = 1 AS first_shot, if(r.document_count > 0, r.best_score, NULL) AS score,
    multiIf(
      r.session_id IS NULL, 'no replay run', r.document_count = 0, '0', r.document_count <= 2, '1–2',
      r.document_count <= 5, '3–5', r.document_count <= 10, '6–10', '11+') AS documents
  FROM file($sessions, 'JSONEachRow') s LEFT JOIN latest r USING (session_id)
)
SELECT model, documents, count() AS calls, countIf(is_answered) AS answered, countIf(first_shot) AS first_shots,
  first_shots / nullIf(answered, 0) AS first_shot_rate, avgIf(score, is_answered) AS mean_best_score,
  countIf(score, is_answered) AS scored
FROM chosen
GROUP BY model, documents
ORDER BY model, documents
SETTINGS join_use_nulls = 1
