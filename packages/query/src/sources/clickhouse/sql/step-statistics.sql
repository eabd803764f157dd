-- Numbers of each step, or of {step} alone, over its spans that start from {since} to before {until}.
-- Counted are the completed ones shorter than {too_long_ns}.
WITH judged AS (
  SELECT
    step, group_id, outcome, depth, duration_ns,
    outcome = 'completed' AND duration_ns < {too_long_ns:Int64} AS is_counted
  FROM window_spans
  WHERE is_step AND ({step:Nullable(String)} IS NULL OR step = {step:Nullable(String)})
)
SELECT
  step,
  group_id,
  count() AS total,
  countIf(outcome = 'completed') AS completed,
  countIf(outcome IN ('failed', 'timed_out', 'abandoned')) AS failures,
  countIf(is_counted) AS counted,
  sumIf(duration_ns, is_counted) / nullIf(counted, 0) AS average_ns,
  minIf(duration_ns, is_counted) AS min_ns,
  maxIf(duration_ns, is_counted) AS max_ns,
  sumIf(duration_ns, is_counted AND depth = 0) AS outermost_ns
FROM judged
GROUP BY step, group_id
ORDER BY step, group_id
