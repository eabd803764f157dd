-- Numbers of each step, or of $step alone, over its spans that start from $since_ns to before $until_ns.
-- Counted are the completed ones shorter than $too_long_ns.
SELECT
  step,
  count(*) AS total,
  count(*) FILTER (outcome = 'completed') AS completed,
  count(*) FILTER (outcome IN ('failed', 'timed_out', 'abandoned')) AS failures,
  count(*) FILTER (outcome = 'completed' AND duration_ns < $too_long_ns) AS counted,
  avg(duration_ns) FILTER (outcome = 'completed' AND duration_ns < $too_long_ns) AS average_ns,
  min(duration_ns) FILTER (outcome = 'completed' AND duration_ns < $too_long_ns) AS min_ns,
  max(duration_ns) FILTER (outcome = 'completed' AND duration_ns < $too_long_ns) AS max_ns,
  coalesce(sum(duration_ns) FILTER (outcome = 'completed' AND duration_ns < $too_long_ns AND depth = 0), 0)
    AS outermost_ns
FROM readable_spans
WHERE role = 'step' AND start_ns >= $since_ns AND start_ns < $until_ns AND ($step IS NULL OR step = $step)
GROUP BY step
ORDER BY step
