-- Statistics of each step, or of $step_id alone, over its spans that start from $since_ns to before $until_ns.
-- Counted spans are the completed ones shorter than $too_long_ns.
-- Plain aggregates over few groups come first, each group entirely short or entirely long, because DuckDB finds groups of
-- small numbers without hashing. A condition on every aggregate, or grouping by the condition, takes at least twice as long.
WITH alike AS (
  SELECT
    step_id,
    group_id,
    outcome,
    depth,
    true AS is_short,
    count(*) AS spans,
    sum(duration_ns) AS sum_ns,
    min(duration_ns) AS min_ns,
    max(duration_ns) AS max_ns
  FROM grouped_spans
  WHERE step_id IS NOT NULL AND start_ns >= $since_ns AND start_ns < $until_ns AND duration_ns < $too_long_ns
  GROUP BY step_id, group_id, outcome, depth
  UNION ALL
  SELECT step_id, group_id, outcome, depth, false, count(*), NULL, NULL, NULL
  FROM grouped_spans
  WHERE step_id IS NOT NULL AND start_ns >= $since_ns AND start_ns < $until_ns AND duration_ns >= $too_long_ns
  GROUP BY step_id, group_id, outcome, depth
)
SELECT
  step,
  group_id,
  sum(spans) AS total,
  coalesce(sum(spans) FILTER (outcome = 'completed'), 0) AS completed,
  coalesce(sum(spans) FILTER (outcome IN ('failed', 'timed_out', 'abandoned')), 0) AS failures,
  coalesce(sum(spans) FILTER (outcome = 'completed' AND is_short), 0) AS counted,
  sum(sum_ns) FILTER (outcome = 'completed' AND is_short) / counted AS average_ns,
  min(min_ns) FILTER (outcome = 'completed' AND is_short) AS min_ns,
  max(max_ns) FILTER (outcome = 'completed' AND is_short) AS max_ns,
  coalesce(sum(sum_ns) FILTER (outcome = 'completed' AND is_short AND depth = 0), 0) AS outermost_ns
FROM alike
JOIN steps USING (step_id)
WHERE $step_id IS NULL OR step_id = $step_id
GROUP BY step, group_id
ORDER BY step, group_id
