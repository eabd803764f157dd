-- Numbers of each step, or of $step alone, over its spans that start from $since_ns to before $until_ns.
-- Counted are the completed ones shorter than $too_long_ns.
-- Few groups with plain aggregates first: a condition on every aggregate of every row takes half as long again.
WITH alike AS (
  SELECT
    step,
    outcome,
    duration_ns < $too_long_ns AS is_short,
    depth = 0 AS is_outermost,
    count(*) AS spans,
    sum(duration_ns) AS sum_ns,
    min(duration_ns) AS min_ns,
    max(duration_ns) AS max_ns
  FROM readable_spans
  WHERE role = 'step' AND start_ns >= $since_ns AND start_ns < $until_ns AND ($step IS NULL OR step = $step)
  GROUP BY step, outcome, is_short, is_outermost
)
SELECT
  step,
  sum(spans) AS total,
  coalesce(sum(spans) FILTER (outcome = 'completed'), 0) AS completed,
  coalesce(sum(spans) FILTER (outcome IN ('failed', 'timed_out', 'abandoned')), 0) AS failures,
  coalesce(sum(spans) FILTER (outcome = 'completed' AND is_short), 0) AS counted,
  sum(sum_ns) FILTER (outcome = 'completed' AND is_short) / counted AS average_ns,
  min(min_ns) FILTER (outcome = 'completed' AND is_short) AS min_ns,
  max(max_ns) FILTER (outcome = 'completed' AND is_short) AS max_ns,
  coalesce(sum(sum_ns) FILTER (outcome = 'completed' AND is_short AND is_outermost), 0) AS outermost_ns
FROM alike
GROUP BY step
ORDER BY step
