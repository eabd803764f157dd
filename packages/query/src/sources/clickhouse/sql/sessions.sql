-- The newest {row_limit} sessions of the conversations that start from {since} to before {until}, by the start of their
-- last conversation; before them one row without a session, for the conversations that have none. all_conversations counts
-- the conversations of all sessions and of none.
-- A conversation starts with its first step; where it has none, with its root; it ends likewise.
WITH conversations AS (
  SELECT
    coalesce(
      minOrNullIf(session_id, session_id != '' AND is_root),
      minOrNullIf(session_id, session_id != '' AND is_step),
      minOrNullIf(session_id, session_id != '')
    ) AS own_session,
    coalesce(minOrNullIf(start_ns, is_step), minOrNullIf(start_ns, is_root)) AS own_first_ns,
    coalesce(maxOrNullIf(start_ns + duration_ns, is_step), maxOrNullIf(start_ns + duration_ns, is_root)) AS own_last_ns,
    countIf(is_root AND outcome IN ('failed', 'timed_out', 'abandoned')) > 0 AS has_failed,
    countIf(is_step AND outcome = 'interrupted') AS interrupted_steps,
    sumOrNullIf(
      toInt32OrNull(attributes['gen_ai.usage.input_tokens']),
      is_step AND toInt32OrNull(attributes['gen_ai.usage.input_tokens']) >= 0
    ) AS own_input_tokens,
    sumOrNullIf(
      toInt32OrNull(attributes['gen_ai.usage.output_tokens']),
      is_step AND toInt32OrNull(attributes['gen_ai.usage.output_tokens']) >= 0
    ) AS own_output_tokens
  FROM reached_spans
  GROUP BY trace_id
  HAVING own_first_ns >= {since_ns:Int64} AND own_first_ns < {until_ns:Int64}
)
SELECT
  own_session AS session_id,
  count() AS conversations,
  min(own_first_ns) AS first_ns,
  max(own_first_ns) AS last_start_ns,
  max(own_last_ns) AS last_ns,
  sum(own_last_ns - own_first_ns) AS spoken_ns,
  countIf(has_failed) AS failures,
  sum(interrupted_steps) AS interruptions,
  sumOrNull(own_input_tokens) AS input_tokens,
  sumOrNull(own_output_tokens) AS output_tokens,
  sum(count()) OVER () AS all_conversations
FROM conversations
GROUP BY own_session
ORDER BY own_session IS NOT NULL, last_start_ns DESC, own_session
LIMIT {row_limit:UInt64} + 1
