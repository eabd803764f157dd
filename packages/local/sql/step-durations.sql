-- One row a step and conversation of conversation-durations.sql.
WITH seen AS (
  SELECT DISTINCT trace_id
  FROM readable_spans
  WHERE step_id > 0 AND start_ns >= $since_ns AND start_ns < $until_ns
),
durations AS (
  SELECT
    trace_id,
    step_id,
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
  WHERE step_id > 0 AND trace_id IN (SELECT trace_id FROM seen)
  GROUP BY trace_id, step_id
)
SELECT trace_id, step, counted_ms, counted, completed_ms, first_ns
FROM durations
JOIN steps USING (step_id)
ORDER BY trace_id, step
