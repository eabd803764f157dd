-- Failures of steps that start from $since_ns to before $until_ns, grouped by step, type and message: the most frequent
-- first, then the latest. trace_id is the latest one's; of several at one time, the smallest.
WITH failures_alike AS (
  SELECT
    step_id,
    error_type,
    error_message,
    count(*) AS failures,
    max(start_ns) AS last_seen_ns,
    arg_min(trace_id, ROW(-start_ns, trace_id)) AS trace_id
  FROM readable_spans
  WHERE step_id > 0 AND start_ns >= $since_ns AND start_ns < $until_ns
    AND outcome IN ('failed', 'timed_out', 'abandoned')
  GROUP BY step_id, error_type, error_message
)
SELECT step, error_type, error_message, failures, last_seen_ns, trace_id
FROM failures_alike
JOIN steps USING (step_id)
ORDER BY failures DESC, last_seen_ns DESC, step, error_type NULLS LAST, error_message NULLS LAST
LIMIT $row_limit
