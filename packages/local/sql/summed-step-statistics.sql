-- The same as step-statistics.sql for all steps without groups, from the summaries of whole_slices and from rest_spans, which
-- are all other spans.
WITH alike AS (
  SELECT step_id, outcome, depth, is_short, spans, sum_ns, min_ns, max_ns
  FROM slice_steps
  WHERE whole_slices
  UNION ALL
  SELECT
    step_id,
    outcome,
    depth,
    duration_ns < $too_long_ns AS is_short,
    count(*),
    sum(duration_ns),
    min(duration_ns),
    max(duration_ns)
  FROM rest_spans
  WHERE step_id IS NOT NULL AND start_ns >= $since_ns AND start_ns < $until_ns
  GROUP BY step_id, outcome, depth, is_short
),
sums AS (
  SELECT
    step_id,
    sum(spans) AS total,
    coalesce(sum(spans) FILTER (outcome = 'completed'), 0) AS completed,
    coalesce(sum(spans) FILTER (outcome IN ('failed', 'timed_out', 'abandoned')), 0) AS failures,
    coalesce(sum(spans) FILTER (outcome = 'completed' AND is_short), 0) AS counted,
    sum(sum_ns) FILTER (outcome = 'completed' AND is_short) / counted AS average_ns,
    min(min_ns) FILTER (outcome = 'completed' AND is_short) AS min_ns,
    max(max_ns) FILTER (outcome = 'completed' AND is_short) AS max_ns,
    coalesce(sum(sum_ns) FILTER (outcome = 'completed' AND is_short AND depth = 0), 0) AS outermost_ns
  FROM alike
  GROUP BY step_id
)
SELECT step, 0 AS group_id, sums.*
FROM sums
JOIN steps USING (step_id)
WHERE $step_id IS NULL OR step_id = $step_id
ORDER BY step, group_id
