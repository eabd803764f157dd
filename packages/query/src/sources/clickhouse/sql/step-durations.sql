-- One row a step and conversation of conversation-durations.sql.
WITH judged AS (
  SELECT
    *,
    outcome = 'completed' AND duration_ns < {too_long_ns:Int64}
      AND start_ns >= {since_ns:Int64} AND start_ns < {until_ns:Int64} AS is_counted
  FROM (SELECT trace_id, step, outcome, duration_ns, start_ns FROM reached_spans WHERE is_step)
)
SELECT
  trace_id,
  step,
  sumIf(duration_ns, is_counted) / 1e6 AS counted_ms,
  countIf(is_counted) AS counted,
  sumOrNullIf(duration_ns, outcome = 'completed') / 1e6 AS completed_ms,
  min(start_ns) AS first_ns
FROM judged
GROUP BY trace_id, step
ORDER BY trace_id, step
