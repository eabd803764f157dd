-- One row a step and conversation of conversation-durations.sql.
WITH seen AS (
  SELECT DISTINCT trace_id
  FROM readable_spans
  WHERE role = 'step' AND start_ns >= $since_ns AND start_ns < $until_ns
)
SELECT
  trace_id,
  step,
  coalesce(
    sum(duration_ns) FILTER (
      outcome = 'completed' AND duration_ns < $too_long_ns AND start_ns >= $since_ns AND start_ns < $until_ns
    ),
    0
  ) / 1e6 AS counted_ms,
  count(*) FILTER (
    outcome = 'completed' AND duration_ns < $too_long_ns AND start_ns >= $since_ns AND start_ns < $until_ns
  ) AS counted,
  sum(duration_ns) FILTER (outcome = 'completed') / 1e6 AS completed_ms,
  min(start_ns) AS first_ns
FROM readable_spans
WHERE role = 'step' AND trace_id IN (SELECT trace_id FROM seen)
GROUP BY trace_id, step
ORDER BY trace_id, step
