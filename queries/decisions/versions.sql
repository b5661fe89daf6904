-- title: Versions of two arms
-- question: Which models and versions made the answered calls of each arm?
-- column: arm text "arm" -- baseline or candidate.
-- column: field text "field" -- model, response_model, prompt_version or validator_version.
-- column: value text "value" -- What it was; null = not recorded.
-- column: calls integer "calls" -- Answered calls.

WITH arm_calls AS (
  SELECT 'baseline' AS arm, s.model, s.response_model, s.prompt_version, s.validator_version
  FROM sessions s
  WHERE s.answered AND {{baseline}}
  UNION ALL
  SELECT 'candidate' AS arm, s.model, s.response_model, s.prompt_version, s.validator_version
  FROM sessions s
  WHERE s.answered AND {{candidate}}
),
counted AS (
  SELECT c.arm, 'model' AS field, c.model AS value, COUNT(*) AS calls FROM arm_calls c GROUP BY c.arm, c.model
  UNION ALL
  SELECT c.arm, 'response_model' AS field, c.response_model AS value, COUNT(*) AS calls FROM arm_calls c GROUP BY c.arm, c.response_model
  UNION ALL
  SELECT c.arm, 'prompt_version' AS field, c.prompt_version AS value, COUNT(*) AS calls FROM arm_calls c GROUP BY c.arm, c.prompt_version
  UNION ALL
  SELECT c.arm, 'validator_version' AS field, c.validator_version AS value, COUNT(*) AS calls FROM arm_calls c GROUP BY c.arm, c.validator_version
)
SELECT n.arm, n.field, n.value, n.calls
FROM counted n
ORDER BY n.arm NULLS LAST, n.field NULLS LAST, n.value NULLS FIRST
