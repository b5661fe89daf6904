-- title: Counts of two arms
-- question: What did the calls of each arm come to, by kind and in all, with what intervals over traces need?
-- column: arm text "arm" -- baseline or candidate.
-- column: kind text "kind" -- Kind of artifact; null = all kinds together.
-- column: traces integer "traces" -- Traces with an answered call.
-- column: calls integer "calls" -- Calls of the arm.
-- column: answered integer "answered" -- Calls that ended accepted or max_iter_exhausted.
-- column: first_shots integer "first shots" -- Calls accepted with one attempt.
-- column: accepted integer "accepted" -- Accepted calls.
-- column: attempts_made integer "attempts" -- Iterations of answered calls.
-- column: answered_squared integer "answered²" -- Sum over traces of answered calls squared, as are the next ones.
-- column: first_shots_squared integer "first shots²" -- First shots squared.
-- column: answered_first_shots integer "answered × first shots" -- Answered calls times first shots.
-- column: accepted_squared integer "accepted²" -- Accepted calls squared.
-- column: answered_accepted integer "answered × accepted" -- Answered calls times accepted ones.
-- column: attempts_squared integer "attempts²" -- Attempts squared.
-- column: answered_attempts integer "answered × attempts" -- Answered calls times attempts.
-- column: token_traces integer "traces with tokens" -- Traces with a call of which every attempt has its tokens.
-- column: token_calls integer "calls with tokens" -- Such calls, infra errors too: work is work.
-- column: token_accepted integer "accepted with tokens" -- Accepted ones among them.
-- column: tokens number "tokens" -- Input and output tokens of such calls.
-- column: token_accepted_squared integer "accepted with tokens²" -- Accepted ones squared, by trace.
-- column: tokens_squared number "tokens²" -- Tokens squared, by trace.
-- column: token_accepted_tokens number "accepted × tokens" -- Accepted ones times tokens, by trace.
-- column: timed_traces integer "traces with a duration" -- Traces with a call whose duration is recorded.
-- column: timed_calls integer "calls with a duration" -- Such calls.
-- column: timed_accepted integer "accepted with a duration" -- Accepted ones among them.
-- column: milliseconds number "milliseconds" -- Duration of such calls.
-- column: timed_accepted_squared integer "accepted with a duration²" -- Accepted ones squared, by trace.
-- column: milliseconds_squared number "milliseconds²" -- Milliseconds squared, by trace.
-- column: timed_accepted_milliseconds number "accepted × milliseconds" -- Accepted ones times milliseconds, by trace.
-- column: firsts integer "first answered calls" -- Calls that are the first answered one of their trace in whichever arm, with none of their kind before them in neither.
-- column: firsts_first_shots integer "first shots among them" -- First shots among those.
-- column: firsts_accepted integer "accepted among them" -- Accepted ones among those.
-- column: oldest timestamp "oldest" -- When the first answered call of the arm ended.
-- column: newest timestamp "newest" -- When the last one did.

-- A trace gives the verdict one call, and one arm: what a retry or a fallback does in the other arm is no new case, nor is
-- what an arm is asked after calls of neither arm, of the same kind, in the same trace.
WITH arm_calls AS (
  SELECT
    'baseline' AS arm, s.call_key, s.session_id, s.kind, s.timestamp AS ended, s.file, s.line, s.answered,
    s.first_shot, s.final_verdict, s.iterations, s.duration_ms, s.inconsistent
  FROM sessions s
  WHERE {{baseline}}
  UNION ALL
  SELECT
    'candidate' AS arm, s.call_key, s.session_id, s.kind, s.timestamp AS ended, s.file, s.line, s.answered,
    s.first_shot, s.final_verdict, s.iterations, s.duration_ms, s.inconsistent
  FROM sessions s
  WHERE {{candidate}}
),
elsewhere AS (
  SELECT s.session_id, s.kind, MIN(s.timestamp) AS began
  FROM sessions s
  WHERE s.answered AND ({{baseline}}) = FALSE AND ({{candidate}}) = FALSE
  GROUP BY s.session_id, s.kind
),
metered AS (
  SELECT
    a.call_key,
    SUM(CASE WHEN a.input_tokens >= 0 AND a.output_tokens >= 0 THEN 0 ELSE 1 END) AS unmetered,
    SUM(1e0 * COALESCE(a.input_tokens, 0) + COALESCE(a.output_tokens, 0)) AS tokens
  FROM attempts a
  GROUP BY a.call_key
),
ranked AS (
  SELECT
    c.arm, c.session_id, c.kind, c.ended,
    CASE WHEN c.answered THEN 1 ELSE 0 END AS answered,
    CASE WHEN c.first_shot THEN 1 ELSE 0 END AS first_shot,
    CASE WHEN c.final_verdict = 'accepted' THEN 1 ELSE 0 END AS accepted,
    CASE WHEN c.answered THEN c.iterations ELSE 0 END AS attempts_made,
    CASE WHEN c.iterations = 0 OR (m.unmetered = 0 AND COALESCE(c.inconsistent, FALSE) = FALSE) THEN 1 ELSE 0 END AS has_tokens,
    COALESCE(m.tokens, 0e0) AS tokens,
    CASE WHEN c.duration_ms >= 0 THEN 1 ELSE 0 END AS has_duration,
    1e0 * COALESCE(c.duration_ms, 0) AS milliseconds,
    CASE WHEN c.answered AND (e.began IS NULL OR c.ended <= e.began) THEN 1 ELSE 0 END AS may_be_first,
    ROW_NUMBER() OVER (
      PARTITION BY c.session_id, c.answered ORDER BY c.ended NULLS LAST, c.file, c.line, c.arm NULLS LAST
    ) AS place
  FROM arm_calls c
  LEFT JOIN metered m ON m.call_key = c.call_key
  LEFT JOIN elsewhere e ON e.session_id = c.session_id AND e.kind = c.kind
),
by_trace AS (
  SELECT
    r.arm, r.kind, r.session_id,
    COUNT(*) AS calls,
    SUM(r.answered) AS answered,
    SUM(r.first_shot) AS first_shots,
    SUM(r.accepted) AS accepted,
    SUM(r.attempts_made) AS attempts_made,
    SUM(r.has_tokens) AS token_calls,
    SUM(r.has_tokens * r.accepted) AS token_accepted,
    SUM(r.has_tokens * r.tokens) AS tokens,
    SUM(r.has_duration) AS timed_calls,
    SUM(r.has_duration * r.accepted) AS timed_accepted,
    SUM(r.has_duration * r.milliseconds) AS milliseconds,
    SUM(CASE WHEN r.place = 1 THEN r.may_be_first ELSE 0 END) AS firsts,
    SUM(CASE WHEN r.place = 1 THEN r.may_be_first * r.first_shot ELSE 0 END) AS firsts_first_shots,
    SUM(CASE WHEN r.place = 1 THEN r.may_be_first * r.accepted ELSE 0 END) AS firsts_accepted,
    MIN(CASE WHEN r.answered = 1 THEN r.ended END) AS oldest,
    MAX(CASE WHEN r.answered = 1 THEN r.ended END) AS newest
  FROM ranked r
  GROUP BY r.arm, r.kind, r.session_id
),
scoped AS (
  SELECT
    t.arm, t.kind AS scope, t.calls, t.answered, t.first_shots, t.accepted, t.attempts_made,
    t.token_calls, t.token_accepted, t.tokens, t.timed_calls, t.timed_accepted, t.milliseconds,
    t.firsts, t.firsts_first_shots, t.firsts_accepted, t.oldest, t.newest
  FROM by_trace t
  UNION ALL
  SELECT
    t.arm, NULL AS scope, SUM(t.calls), SUM(t.answered), SUM(t.first_shots), SUM(t.accepted), SUM(t.attempts_made),
    SUM(t.token_calls), SUM(t.token_accepted), SUM(t.tokens), SUM(t.timed_calls), SUM(t.timed_accepted), SUM(t.milliseconds),
    SUM(t.firsts), SUM(t.firsts_first_shots), SUM(t.firsts_accepted), MIN(t.oldest), MAX(t.newest)
  FROM by_trace t
  GROUP BY t.arm, t.session_id
)
SELECT
  g.arm,
  g.scope AS kind,
  SUM(CASE WHEN g.answered > 0 THEN 1 ELSE 0 END) AS traces,
  SUM(g.calls) AS calls,
  SUM(g.answered) AS answered,
  SUM(g.first_shots) AS first_shots,
  SUM(g.accepted) AS accepted,
  SUM(g.attempts_made) AS attempts_made,
  SUM(g.answered * g.answered) AS answered_squared,
  SUM(g.first_shots * g.first_shots) AS first_shots_squared,
  SUM(g.answered * g.first_shots) AS answered_first_shots,
  SUM(g.accepted * g.accepted) AS accepted_squared,
  SUM(g.answered * g.accepted) AS answered_accepted,
  SUM(g.attempts_made * g.attempts_made) AS attempts_squared,
  SUM(g.answered * g.attempts_made) AS answered_attempts,
  SUM(CASE WHEN g.token_calls > 0 THEN 1 ELSE 0 END) AS token_traces,
  SUM(g.token_calls) AS token_calls,
  SUM(g.token_accepted) AS token_accepted,
  SUM(g.tokens) AS tokens,
  SUM(g.token_accepted * g.token_accepted) AS token_accepted_squared,
  SUM(g.tokens * g.tokens) AS tokens_squared,
  SUM(g.token_accepted * g.tokens) AS token_accepted_tokens,
  SUM(CASE WHEN g.timed_calls > 0 THEN 1 ELSE 0 END) AS timed_traces,
  SUM(g.timed_calls) AS timed_calls,
  SUM(g.timed_accepted) AS timed_accepted,
  SUM(g.milliseconds) AS milliseconds,
  SUM(g.timed_accepted * g.timed_accepted) AS timed_accepted_squared,
  SUM(g.milliseconds * g.milliseconds) AS milliseconds_squared,
  SUM(g.timed_accepted * g.milliseconds) AS timed_accepted_milliseconds,
  SUM(g.firsts) AS firsts,
  SUM(g.firsts_first_shots) AS firsts_first_shots,
  SUM(g.firsts_accepted) AS firsts_accepted,
  MIN(g.oldest) AS oldest,
  MAX(g.newest) AS newest
FROM scoped g
GROUP BY g.arm, g.scope
ORDER BY g.arm NULLS LAST, g.scope NULLS FIRST
