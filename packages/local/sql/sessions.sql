-- The $row_limit newest sessions of the conversations that start from $since_ns to before $until_ns, by the start of their
-- last conversation. Before them, one row without a session for the conversations that have none. all_conversations is the
-- number of conversations in all sessions and in none.
-- A conversation starts with its first step and ends with its last one or, without steps, does both with its root.
WITH seen AS (
  SELECT DISTINCT trace_id
  FROM readable_spans
  WHERE step_id IS NOT NULL AND start_ns >= $since_ns AND start_ns < $until_ns
),
conversations AS (
  SELECT
    coalesce(
      min(session_id) FILTER (step_id = 0), min(session_id) FILTER (step_id > 0), min(session_id)
    ) AS own_session_id,
    coalesce(min(start_ns) FILTER (step_id > 0), min(start_ns) FILTER (step_id = 0)) AS start_ns,
    coalesce(
      max(start_ns + duration_ns) FILTER (step_id > 0), max(start_ns + duration_ns) FILTER (step_id = 0)
    ) AS end_ns,
    -- The enum has the worst first.
    coalesce(min(enum_code(outcome)) FILTER (step_id = 0) <= enum_code('abandoned'::span_outcome), false) AS has_failed,
    count(*) FILTER (step_id > 0 AND outcome = 'interrupted') AS interrupted_steps,
    sum(input_tokens) FILTER (step_id > 0) AS own_input_tokens,
    sum(output_tokens) FILTER (step_id > 0) AS own_output_tokens
  FROM readable_spans
  WHERE trace_id IN (SELECT trace_id FROM seen)
  GROUP BY trace_id
  HAVING coalesce(min(start_ns) FILTER (step_id > 0), min(start_ns) FILTER (step_id = 0)) >= $since_ns
    AND coalesce(min(start_ns) FILTER (step_id > 0), min(start_ns) FILTER (step_id = 0)) < $until_ns
)
SELECT
  own_session_id AS session_id,
  count(*) AS conversations,
  min(start_ns) AS first_ns,
  max(start_ns) AS last_start_ns,
  max(end_ns) AS last_ns,
  sum(end_ns - start_ns) AS spoken_ns,
  count(*) FILTER (has_failed) AS failures,
  sum(interrupted_steps) AS interruptions,
  sum(own_input_tokens) AS input_tokens,
  sum(own_output_tokens) AS output_tokens,
  sum(count(*)) OVER () AS all_conversations
FROM conversations
GROUP BY own_session_id
ORDER BY own_session_id IS NOT NULL, last_start_ns DESC, own_session_id
LIMIT $row_limit + 1
